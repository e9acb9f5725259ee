"""A suite: what a person asks to be compared, read from a mapping with all its problems at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench import architectures, datasets, metrics
from ganbench.registry import Part, Registry, unknown
from ganbench.suite.choices import Choice, choose_objectives, choose_parts, make_conditional, one_or_many
from ganbench.suite.errors import Findings
from ganbench.suite.settings import Evaluate, Train, check_field, check_sweeps
from ganbench.suite.sizing import Setting, check_setting
from ganbench.suite.slurm import Slurm, check_slurm
from ganbench.suite.tune import Tune, check_tune

KEYS = (
    "name",
    "description",
    "plugins",
    "objectives",
    "conditional",
    "datasets",
    "architectures",
    "seeds",
    "train",
    "evaluate",
    "overrides",
    "exclude",
    "cohort",
    "slurm",
    "tune",
)
AXES = ("objective", "dataset", "architecture", "seed")
EVERY_DATASET = "default"
LONGEST = 100  # letters of a suite's name
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

Sweeps = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Match:
    """Which cells something applies to: per axis, any of the values named; an axis left out matches all."""

    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def covers(self, axes: Mapping[str, Sequence[str]]) -> bool:
        """Whether a cell, given the names it goes by on each axis, is meant."""
        return all(any(value in axes.get(axis, ()) for value in values) for axis, values in self.wanted.items())


@dataclass(frozen=True)
class Override:
    """Settings that replace the suite's own where the match covers a cell."""

    match: Match
    train: Sweeps = field(default_factory=dict)
    evaluate: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """What is compared: every objective on every dataset, by every architecture that fits, over the seeds."""

    name: str
    objectives: tuple[Choice, ...]
    datasets: tuple[Choice, ...]
    architectures: Mapping[str, tuple[Choice, ...]]
    seeds: tuple[int, ...]
    train: Sweeps
    evaluate: Mapping[str, Any]
    overrides: tuple[Override, ...] = ()
    exclude: tuple[Match, ...] = ()
    plugins: tuple[str, ...] = ()
    description: str = ""
    source: str = ""
    cohort: Setting = "auto"
    slurm: Slurm = field(default_factory=Slurm)
    tune: Tune | None = None

    def architectures_for(self, dataset: Choice) -> tuple[Choice, ...]:
        """Return what the suite names for this dataset; empty means: choose by the shape of its samples."""
        for key in (dataset.label, dataset.name, EVERY_DATASET):
            if key in self.architectures:
                return self.architectures[key]
        return ()


def parse(raw: Mapping[str, Any], default_name: str, findings: Findings) -> Suite:
    """Read a suite from plain data; problems go to `findings`, and the result counts only when there are none."""
    for key in raw:
        if key not in KEYS:
            findings.add(unknown("key", key, KEYS), key)
    chosen_objectives = _choices(raw, "objectives", findings)
    chosen_objectives = make_conditional(raw.get("conditional"), chosen_objectives, findings, "conditional")
    chosen_datasets = _choices(raw, "datasets", findings)
    chosen_architectures = _architectures(raw.get("architectures"), chosen_datasets, findings)
    listed = [choice for group in chosen_architectures.values() for choice in group]
    networks = [choice.value for choice in listed]
    labels = {
        "objective": _names(chosen_objectives),
        "dataset": _names(chosen_datasets),
        "architecture": _names(listed) or set(architectures.names()),
    }
    return Suite(
        name=check_name(raw.get("name", default_name), findings),
        description=_text(raw, "description", findings),
        objectives=tuple(chosen_objectives),
        datasets=tuple(chosen_datasets),
        architectures=chosen_architectures,
        seeds=_seeds(raw.get("seeds", 1), findings),
        train=check_sweeps(Train, raw.get("train") or {}, findings, "train"),
        evaluate=check_evaluate(raw.get("evaluate") or {}, findings, "evaluate"),
        overrides=tuple(_overrides(raw.get("overrides"), labels, findings)),
        exclude=tuple(
            _match(entry, labels, findings, "exclude", position)
            for position, entry in enumerate(_list(raw, "exclude", findings))
        ),
        plugins=tuple(map(str, _list(raw, "plugins", findings))),
        cohort=check_setting(raw.get("cohort", "auto"), findings, "cohort"),
        slurm=check_slurm(raw.get("slurm"), findings, "slurm"),
        tune=check_tune(raw.get("tune"), chosen_objectives, networks, findings, "tune"),
    )


def check_evaluate(given: object, findings: Findings, *place: str | int) -> dict[str, Any]:
    """Read an `evaluate` section: metrics and extractor become parts, the rest plain values."""
    from ganbench.evaluation.extractors import registry as extractors

    if not isinstance(given, Mapping):
        findings.add(f"expected settings such as `samples: 2000`, got {given!r}", *place)
        return {}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in Evaluate.model_fields:
            findings.add(unknown("setting", name, Evaluate.model_fields), *place, name)
        elif value is None:
            found[name] = None
        elif name == "metrics":
            found[name] = _parts(metrics.registry, value, findings, *place, name)
        elif name == "between":
            names = [str(item) for item in one_or_many(value)]
            for unheard in (item for item in names if item not in metrics.names()):
                findings.add(unknown("metric", unheard, metrics.names()), *place, name)
            found[name] = tuple(names)
        elif name == "extractor":
            found[name] = _parts(extractors, value, findings, *place, name)
        else:
            try:
                found[name] = check_field(Evaluate, name, value)
            except ValueError as error:
                findings.add(f"{name}: {error}", *place, name)
    return found


def _parts(registry: Registry, value: object, findings: Findings, *place: str | int) -> tuple[Part, ...]:
    entries = one_or_many(value)
    inside = [(*place, position) if isinstance(value, list) else place for position in range(len(entries))]
    chosen = [
        choice
        for entry, at in zip(entries, inside, strict=True)
        for choice in choose_parts(registry, entry, findings, *at)
    ]
    names = [choice.name for choice in chosen]
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.add(f"{registry.kind} {name!r} is listed twice", *place)
    return tuple(choice.value for choice in chosen)


def _choices(raw: Mapping[str, Any], key: str, findings: Findings) -> list[Choice]:
    entries = _list(raw, key, findings)
    if not entries and not findings.below(key):
        example = {"objectives": "non_saturating", "datasets": "ring8"}[key]
        findings.add(f"`{key}` is missing: a suite names at least one, such as `{key}: [{example}]`", key)
    chosen: list[Choice] = []
    for position, entry in enumerate(entries):
        if key == "objectives":
            found = choose_objectives(entry, findings, key, position)
        else:
            found = choose_parts(datasets.registry, entry, findings, key, position)
        for choice in found:
            if choice.label in {other.label for other in chosen}:
                findings.add(f"{choice.label!r} is listed twice; give one of them a `label`", key, position)
        chosen.extend(replace(choice, where=findings.locate((key, position))) for choice in found)
    return chosen


def _architectures(given: object, chosen: Sequence[Choice], findings: Findings) -> dict[str, tuple[Choice, ...]]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {EVERY_DATASET: _architecture_list(given, findings, "architectures")}
    allowed = {*_names(chosen), EVERY_DATASET}
    found: dict[str, tuple[Choice, ...]] = {}
    for key, entry in given.items():
        if key not in allowed and not findings.below("datasets"):
            findings.add(unknown("dataset", key, allowed), "architectures", key)
        found[str(key)] = _architecture_list(entry, findings, "architectures", key)
    return found


def _architecture_list(entry: object, findings: Findings, *place: str | int) -> tuple[Choice, ...]:
    listed = isinstance(entry, list)
    return tuple(
        choice
        for position, item in enumerate(one_or_many(entry))
        for choice in choose_parts(architectures.registry, item, findings, *place, *([position] if listed else []))
    )


def _overrides(given: object, labels: Mapping[str, set[str]], findings: Findings) -> list[Override]:
    found: list[Override] = []
    for position, entry in enumerate(_list({"overrides": given}, "overrides", findings)):
        place = ("overrides", position)
        if not isinstance(entry, Mapping):
            findings.add("expected `match: {dataset: ...}` with `train:` or `evaluate:`", *place)
            continue
        for key in entry:
            if key not in ("match", "train", "evaluate"):
                findings.add(unknown("key", key, ("match", "train", "evaluate")), *place, key)
        if "match" not in entry:
            findings.add("an override needs `match`; what holds for all cells goes to the suite's own `train`", *place)
        found.append(
            Override(
                _match(entry.get("match") or {}, labels, findings, *place, "match"),
                check_sweeps(Train, entry.get("train") or {}, findings, *place, "train"),
                check_evaluate(entry.get("evaluate") or {}, findings, *place, "evaluate"),
            )
        )
    return found


def _match(entry: object, labels: Mapping[str, set[str]], findings: Findings, *place: str | int) -> Match:
    if not isinstance(entry, Mapping):
        findings.add(f"expected axes such as `dataset: ring8`, got {entry!r}", *place)
        return Match()
    wanted: dict[str, tuple[str, ...]] = {}
    for axis, values in entry.items():
        if axis not in AXES:
            findings.add(unknown("axis", axis, AXES), *place, axis)
            continue
        wanted[axis] = tuple(map(str, one_or_many(values)))
        broken = findings.below(f"{axis}s")
        for value in wanted[axis]:
            if axis in labels and value not in labels[axis] and not broken:
                findings.add(unknown(axis, value, labels[axis]), *place, axis)
    return Match(wanted)


def _names(choices: Sequence[Choice]) -> set[str]:
    """Return what choices can be called by: their labels and their plugins' names."""
    return {name for choice in choices for name in (choice.label, choice.name)}


def _seeds(given: object, findings: Findings) -> tuple[int, ...]:
    whole = [s for s in one_or_many(given) if isinstance(s, int) and not isinstance(s, bool) and s >= 0]
    if isinstance(given, list) and given and len(whole) == len(given):
        if len(set(whole)) < len(whole):
            findings.add("seeds: the same seed is listed twice", "seeds")
        return tuple(whole)
    if isinstance(given, list) or not whole or whole[0] < 1:
        findings.add(f"seeds: expected a count such as 5, or a list such as [0, 1, 2], got {given!r}", "seeds")
        return ()
    return tuple(range(whole[0]))


def check_name(given: object, findings: Findings) -> str:
    """Return a suite's name, by which files are called; what is wrong with it goes to `findings`."""
    text = str(given)
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", given):
        findings.add(f"name: expected a plain file name (letters, digits, '.', '_', '-'), got {text[:60]!r}", "name")
    elif len(text) > LONGEST:
        findings.add(f"name: files are named after it, and it has {len(text)} letters of at most {LONGEST}", "name")
    elif text.endswith(".") or RESERVED.fullmatch(text):
        findings.add(f"name: {text!r} cannot be the name of a file everywhere (Windows keeps it for itself)", "name")
    return str(given)


def _text(raw: Mapping[str, Any], key: str, findings: Findings) -> str:
    given = raw.get(key) or ""
    if not isinstance(given, str):
        findings.add(f"{key}: expected a text, got {given!r}", key)
    return str(given)


def _list(raw: Mapping[str, Any], key: str, findings: Findings) -> list[Any]:
    given = raw.get(key)
    if given is None:
        return []
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        findings.add(f"{key}: expected a list, got {given!r}", key)
        return []
    return given
