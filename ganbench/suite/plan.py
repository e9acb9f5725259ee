"""The plan: a suite's cells with their state in the store, and the cohorts that are left to run."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ganbench import architectures
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import (
    EvaluationSettings,
    default_extractor,
    default_metrics,
    inapplicable,
    value_names,
)
from ganbench.metrics import registry as metrics
from ganbench.objectives import Objective
from ganbench.registry import Part, unknown
from ganbench.suite.cells import Cell, Scoring, scoring_steps
from ganbench.suite.choices import Choice
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.pairing import refusal
from ganbench.suite.schema import AXES, Match, Suite
from ganbench.suite.settings import Evaluate, Train, check_field
from ganbench.techniques.conditioning import conditioning_of


@dataclass(frozen=True)
class Planned:
    """One combination of a suite: its labels, what it would train and score, and why it is not to be, if so.

    `pause` is what is scored of it where its training is to pause: soon after the last of its steps.
    """

    objective: Choice
    architecture: Choice
    dataset: Choice
    seed: int
    train: Train
    swept: tuple[str, ...] = ()
    cell: Cell | None = None
    scoring: Scoring | None = None
    skipped: str = ""
    pause: Scoring | None = None

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Return what the combination goes by on each axis: labels and plugin names."""
        chosen = {"objective": self.objective, "architecture": self.architecture, "dataset": self.dataset}
        found = {axis: (choice.label, choice.name) for axis, choice in chosen.items()}
        return {**found, "seed": (str(self.seed),)}


@dataclass(frozen=True)
class Expansion:
    """All combinations of a suite, and what a person should know before anything runs."""

    planned: tuple[Planned, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Notes:
    """Collects each remark once, in the order in which it came up."""

    said: dict[str, None] = field(default_factory=dict)

    def add(self, note: str) -> None:
        self.said.setdefault(note)


def expand(suite: Suite, data_root: Path, cache: Path, only: Sequence[str] = ()) -> Expansion:
    """Turn a suite into its cells; combinations that cannot be are kept, with the reason.

    Raises SuiteError for filters that match nothing and data that cannot be found.
    """
    filters = [_filter(text, suite) for text in only] + [_excluding(match) for match in suite.exclude]
    notes = _Notes()
    labelled = any(_told_a_class(choice) for choice in suite.objectives)
    planned: list[Planned] = []
    for dataset in suite.datasets:
        source = dataset.value.create()
        fingerprint = _fingerprint(dataset, source, data_root)
        wanted = suite.architectures_for(dataset) or _fitting(source)
        for objective, architecture in itertools.product(suite.objectives, wanted):
            axes = Planned(objective, architecture, dataset, 0, Train()).names
            scoring_of = _scoring(suite, axes, source, notes, dataset, labelled)
            refused_at = _refused(objective.value, architecture.value, source)
            for train, swept in _settings(suite, objective, axes):
                # All seeds share what does not depend on them.
                skipped = refused_at(train.batch_size)
                scoring = None if skipped else scoring_of(train.g_steps)
                for seed in suite.seeds:
                    cell = None
                    if not skipped:
                        cell = Cell(objective.value, architecture.value, dataset.value, train, seed, fingerprint)
                    row = Planned(objective, architecture, dataset, seed, train, swept, cell, scoring, skipped)
                    if all(keep(row) for keep in filters):
                        planned.append(row)
    if not planned:
        raise SuiteError(
            [Problem(suite.name, f"no cell is left of this suite{f' with --only {list(only)}' if only else ''}")]
        )
    for row in _one_per_dataset(planned):
        _note_what_is_missing(row, data_root, cache, notes)
    return Expansion(tuple(planned), tuple(notes.said))


def _refused(objective: Objective, architecture: Part, source: Any) -> Callable[[int], str]:
    """Return a function from a batch size to why the combination cannot be trained; empty where it can."""
    unsupported: str | None = architecture.create().supports(source.shape)
    return functools.cache(lambda batch_size: unsupported or refusal(objective, architecture, source, batch_size) or "")


def _fitting(source: Any) -> tuple[Choice, ...]:
    """Choose the network that the shape of the samples asks for."""
    name = "mlp" if len(source.shape) == 1 else "dcgan"
    return (Choice(name, name, architectures.registry.part(name, {})),)


def _fingerprint(dataset: Choice, source: Any, data_root: Path) -> str:
    if not hasattr(source, "fingerprint"):
        return ""
    try:
        return str(source.fingerprint(data_root))
    except (OSError, ValueError) as error:
        raise SuiteError([Problem(dataset.where, f"dataset {dataset.label}: {error}")]) from None


def _settings(
    suite: Suite, objective: Choice, axes: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Train, tuple[str, ...]]]:
    """Give every combination of the swept training settings, with the names that are swept."""
    merged: dict[str, list[Any]] = {name: list(values) for name, values in suite.train.items()}
    merged.update({name: [value] for name, value in objective.train.items()})
    for override in suite.overrides:
        if override.match.covers(axes):
            merged.update(override.train)
    swept = tuple(name for name, values in merged.items() if len(values) > 1)
    for values in itertools.product(*merged.values()):
        chosen = dict(zip(merged, values, strict=True))
        if chosen.get("d_steps") is None:
            chosen["d_steps"] = objective.value.d_steps
        yield Train(**chosen), swept


def _told_a_class(objective: Choice) -> bool:
    conditioning = conditioning_of(objective.value.techniques)
    return conditioning is not None and conditioning.needs_labels


def _scoring(
    suite: Suite, axes: Mapping[str, Sequence[str]], source: Any, notes: _Notes, dataset: Choice, labelled: bool
) -> Callable[[int], Scoring]:
    """Return a function from g_steps to the scoring of one objective, architecture and dataset."""
    merged: dict[str, Any] = {**Evaluate().model_dump(), **suite.evaluate}
    for override in suite.overrides:
        if override.match.covers(axes):
            merged.update(override.evaluate)
    extractor, *further = merged["extractor"] or (extractors.part(default_extractor(source), {}),)
    if merged["metrics"] == ():
        notes.add(f"{dataset.label}: scores are switched off (`evaluate.metrics` is empty); nothing will be ranked")
        unscored = EvaluationSettings(merged["samples"], extractor, (), merged["reference"])
        return functools.cache(lambda g_steps: Scoring(unscored, scoring_steps(g_steps, merged["every"])))
    for part in (extractor, *further):
        why = part.create().supports(source)
        if why:
            raise SuiteError([Problem(dataset.where, f"dataset {dataset.label}: extractor {part.name}: {why}")])
    asked = merged["metrics"] or tuple(metrics.part(name, {}) for name in default_metrics(source, labelled))
    kept = []
    for part in asked:
        why = inapplicable(part, source, extractor, labelled)
        if why:
            notes.add(f"{dataset.label}: {part.name} is left out: {why}")
        else:
            kept.append(part)
    try:
        value_names(kept)
    except ValueError as error:
        raise SuiteError([Problem(dataset.where, f"dataset {dataset.label}: {error}")]) from None
    if not kept:
        raise SuiteError(
            [Problem(dataset.where, f"dataset {dataset.label}: none of the metrics asked for can be computed on it")]
        )
    between = merged["between"]
    if between is not None:
        between = tuple(part.name for part in kept if part.name in (kept[0].name, *between))
    settings = EvaluationSettings(
        merged["samples"], extractor, tuple(kept), merged["reference"], between, tuple(further)
    )
    return functools.cache(lambda g_steps: Scoring(settings, scoring_steps(g_steps, merged["every"])))


def _one_per_dataset(planned: Iterable[Planned]) -> list[Planned]:
    """Give one row per dataset and extractor: what is missing is the same for all others."""
    found: dict[tuple[str, ...], Planned] = {}
    for row in planned:
        if row.cell is not None and row.scoring is not None:
            asked = row.scoring.settings.extractors if row.scoring.wanted else ()
            found.setdefault((row.dataset.label, *(part.text for part in asked)), row)
    return list(found.values())


def _note_what_is_missing(row: Planned, data_root: Path, cache: Path, notes: _Notes) -> None:
    assert row.cell is not None
    assert row.scoring is not None
    source = row.cell.dataset.create()
    wanted = [(row.cell.dataset, source.missing(data_root))]
    if row.scoring.wanted:
        wanted += [(part, part.create().missing(source, cache)) for part in row.scoring.settings.extractors]
    for part, absent in wanted:
        if absent:
            notes.add(f"{row.dataset.label}: {absent}{_gets_it_ahead(part)}")


def _gets_it_ahead(part: Part) -> str:
    """Name the command that gets what a part lacks; nothing does where the user has named a file that is not there."""
    paths = part.parameters.keys() - part.as_json()["parameters"].keys()
    if any(part.parameters[name] for name in paths):
        return ""
    return f"; `ganbench fetch {part.name if part.label == part.name else 'SUITE'}` gets it ahead"


def _excluding(match: Match) -> Callable[[Planned], bool]:
    return lambda row: not match.covers(row.names)


def _filter(text: str, suite: Suite) -> Callable[[Planned], bool]:
    """Read `axis=a,b` into a test of a planned row; the axis may also be a training setting."""
    axis, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in listed.split(",") if value.strip())
    where = f"--only {text}"
    if not equals or not values:
        raise SuiteError([Problem(where, "expected axis=value, such as objective=hinge,wgan_gp")])
    if axis in AXES:
        _check_filter(axis, values, suite, where)
        match = Match({axis: values})
        return lambda row: match.covers(row.names)
    if axis in Train.model_fields:
        return _setting_filter(axis, values, where)
    raise SuiteError([Problem(where, unknown("axis", axis, (*AXES, *Train.model_fields)))])


def _check_filter(axis: str, values: Sequence[str], suite: Suite, where: str) -> None:
    known: dict[str, set[str]] = {
        "objective": {name for c in suite.objectives for name in (c.label, c.name)},
        "dataset": {name for c in suite.datasets for name in (c.label, c.name)},
        "architecture": {name for group in suite.architectures.values() for c in group for name in (c.label, c.name)}
        or set(architectures.names()),
        "seed": set(map(str, suite.seeds)),
    }
    problems = [Problem(where, unknown(axis, value, known[axis])) for value in values if value not in known[axis]]
    if problems:
        raise SuiteError(problems)


def _setting_filter(name: str, values: Sequence[str], where: str) -> Callable[[Planned], bool]:
    wanted = []
    for value in values:
        try:
            wanted.append(check_field(Train, name, YAML(typ="safe").load(value)))
        except ValueError as error:
            raise SuiteError([Problem(where, f"{name}: {error}")]) from None
    return lambda row: getattr(row.train, name) in wanted
