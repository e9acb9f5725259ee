"""What a suite chooses from the registries: objectives, datasets, architectures, metrics, by name or in full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ganbench import losses, objectives, penalties
from ganbench.objectives import Objective
from ganbench.registry import Part, Registry, UnknownName, unknown
from ganbench.suite.errors import Findings

_Swept = list[tuple[str, Any]]
_Expanded = tuple[str, Part, _Swept, str]
_Recipe = tuple[str, Objective, str, _Swept]

OBJECTIVE_KEYS = ("objective", "loss", "penalties", "label", "d_steps")


@dataclass(frozen=True)
class Choice:
    """One objective, dataset or architecture of a suite: its label, its plugin's name, the thing itself, its place."""

    label: str
    name: str
    value: Any
    d_steps: int | None = None
    where: str = ""


def one_or_many(entry: object) -> list[Any]:
    """Read a single entry as a list of one."""
    return entry if isinstance(entry, list) else [entry]


def choose_parts(registry: Registry, entry: object, findings: Findings, *place: str | int) -> list[Choice]:
    """Read `name`, `{name: {parameter: value}}`, or either under `{KIND: ..., label: ...}`; lists of values sweep."""
    label = None
    if isinstance(entry, Mapping) and registry.kind in entry:
        for key in entry:
            if key not in (registry.kind, "label"):
                findings.add(unknown("key", key, (registry.kind, "label")), *place, key)
        label = _label(entry, findings, *place)
        place, entry = (*place, registry.kind), entry[registry.kind]
    return [
        Choice(_named(label, swept, own), name, part)
        for name, part, swept, own in _expand(registry, entry, findings, *place)
    ]


def choose_objectives(entry: object, findings: Findings, *place: str | int) -> list[Choice]:
    """Read an objective: `name`, `{name: {...}}`, or `{loss: ..., penalties: [...], label: ..., d_steps: ...}`."""
    if isinstance(entry, Mapping) and any(key in entry for key in OBJECTIVE_KEYS):
        return list(_objective_in_full(entry, findings, *place))
    return [Choice(label, name, value) for name, value, label, _ in _recipes(entry, findings, *place)]


def _objective_in_full(entry: Mapping[str, Any], findings: Findings, *place: str | int) -> Iterator[Choice]:
    for key in entry:
        if key not in OBJECTIVE_KEYS:
            findings.add(unknown("key of an objective", key, OBJECTIVE_KEYS), *place, key)
    if ("loss" in entry) == ("objective" in entry):
        findings.add("an objective needs either `loss` or `objective`", *place)
        return
    label, d_steps = _label(entry, findings, *place), entry.get("d_steps")
    if d_steps is not None and (not isinstance(d_steps, int) or isinstance(d_steps, bool) or d_steps < 1):
        findings.add(f"d_steps: expected a whole number above 0, got {d_steps!r}", *place, "d_steps")
    if "objective" in entry:
        if "penalties" in entry:
            findings.add("`penalties` goes with `loss`; an `objective` brings its own", *place, "penalties")
        for name, value, own, swept in _recipes(entry["objective"], findings, *place, "objective"):
            yield Choice(_named(label, swept, own), name, value, d_steps)
        return
    axes: list[list[_Expanded]] = [list(_expand(losses.registry, entry["loss"], findings, *place, "loss"))]
    for position, penalty in enumerate(one_or_many(entry.get("penalties") or [])):
        axes.append(list(_expand(penalties.registry, penalty, findings, *place, "penalties", position)))
    for loss, *held_back in itertools.product(*axes):
        swept = [item for part in (loss, *held_back) for item in part[2]]
        value = Objective(loss[1], tuple(part[1] for part in held_back))
        own = " + ".join(part[3] for part in (loss, *held_back))
        yield Choice(_named(label, swept, own), loss[0], value, d_steps)


def _recipes(entry: object, findings: Findings, *place: str | int) -> Iterator[_Recipe]:
    name, parameters = _name_and_parameters(entry, "objective", findings, *place)
    if name is None:
        return
    try:
        kind = objectives.kind_of(name)
    except UnknownName as error:
        findings.add(str(error), *place)
        return
    for _, part, swept, label in _expand(kind, {name: parameters} if parameters else name, findings, *place):
        yield name, objectives.build(name, part.parameters), label, swept


def _expand(registry: Registry, entry: object, findings: Findings, *place: str | int) -> Iterator[_Expanded]:
    """Give (name, part, swept values, label) for every combination of the values that are listed."""
    name, parameters = _name_and_parameters(entry, registry.kind, findings, *place)
    if name is None:
        return
    try:
        known = registry.parameters(name)
    except UnknownName as error:
        findings.add(str(error), *place)
        return
    inside = (*place, name) if isinstance(entry, Mapping) else place
    axes: list[list[tuple[str, Any]]] = []
    for key, value in parameters.items():
        if key not in known:
            findings.add(unknown(f"parameter of {name}", key, known), *inside, key)
            continue
        for item in one_or_many(value):
            try:
                known[key].check(_as_float(item, known[key].type_name))
            except ValueError as error:
                findings.add(f"{key} of {name}: {error}", *inside, key)
        axes.append([(key, _as_float(item, known[key].type_name)) for item in one_or_many(value)])
    swept_names = [key for key, value in parameters.items() if isinstance(value, list)]
    for chosen in itertools.product(*axes):
        try:
            part = registry.part(name, dict(chosen))
        except ValueError as error:
            if not findings.below(*inside):
                findings.add(str(error), *inside)
            return
        shown = {k: v for k, v in chosen if k in swept_names or v != known[k].default}
        text = ", ".join(f"{key}={value}" for key, value in shown.items())
        yield name, part, [(k, v) for k, v in chosen if k in swept_names], f"{name}({text})" if text else name


def _as_float(value: Any, type_name: str) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and type_name.startswith("float") else value


def _name_and_parameters(
    entry: object, kind: str, findings: Findings, *place: str | int
) -> tuple[str | None, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, Mapping) and len(entry) == 1:
        name, parameters = next(iter(entry.items()))
        if parameters is None:
            return str(name), {}
        if isinstance(parameters, Mapping):
            return str(name), dict(parameters)
    findings.add(f"expected the name of {_article(kind)}, or `name: {{parameter: value}}`, got {entry!r}", *place)
    return None, {}


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _label(entry: Mapping[str, Any], findings: Findings, *place: str | int) -> str | None:
    label = entry.get("label")
    if label is not None and (not isinstance(label, str) or not label.strip()):
        findings.add(f"label: expected a text, got {label!r}", *place, "label")
        return None
    return label


def _named(label: str | None, swept: _Swept, own: str) -> str:
    """Give a label of the suite's, with the swept values that tell its variants apart; else the plugin's own."""
    if label is None:
        return own
    text = ", ".join(f"{key}={value}" for key, value in swept)
    return f"{label} ({text})" if text else label
