"""What a suite chooses from the registries: objectives, datasets, architectures, metrics, by name or in full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench import losses, objectives, penalties, techniques
from ganbench.objectives import Objective
from ganbench.registry import Part, Registry, UnknownName, unknown
from ganbench.suite.errors import Findings
from ganbench.suite.settings import Train, check_field
from ganbench.techniques.conditioning import conditioning_of

_Swept = list[tuple[str, Any]]
_Expanded = tuple[str, Part, _Swept, str]
_Recipe = tuple[str, Objective, str, _Swept]

OBJECTIVE_KEYS = ("objective", "loss", "penalties", "techniques", "label", "d_steps", "recommended")


@dataclass(frozen=True)
class Choice:
    """One objective, dataset or architecture of a suite: its label, its plugin's name, the thing itself, its place.

    `train` holds the training settings that an objective's own entry asks for.
    """

    label: str
    name: str
    value: Any
    where: str = ""
    train: Mapping[str, Any] = field(default_factory=dict)


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
    """Read an objective: `name`, `{name: {...}}`, or in full: `{loss: ..., penalties: [...], techniques: [...]}`."""
    if isinstance(entry, Mapping) and any(key in entry for key in OBJECTIVE_KEYS):
        chosen = list(_objective_in_full(entry, findings, *place))
        for choice in chosen:
            try:
                conditioning_of(choice.value.techniques)
            except ValueError as error:
                findings.add(str(error), *place)
                return []
        return chosen
    return [Choice(label, name, value) for name, value, label, _ in _recipes(entry, findings, *place)]


def make_conditional(given: object, chosen: Sequence[Choice], findings: Findings, *place: str) -> list[Choice]:
    """Give both players of every objective the classes, as `conditional: true` asks (or the technique's parameters).

    Objectives that bring codes of their own keep those.
    """
    if given is None or given is False:
        return list(chosen)
    if given is not True and not isinstance(given, Mapping):
        findings.add(
            f"conditional: expected true, false or parameters such as `{{kind: projection}}`, got {given!r}", *place
        )
        return list(chosen)
    entry = "conditional" if given is True else {"conditional": given}
    made = [part for _, part, *_ in _expand(techniques.registry, entry, findings, *place)]
    if len(made) > 1:
        findings.add("conditional: one value per parameter; to compare kinds, list them as techniques", *place)
    return [
        choice
        if not made or conditioning_of(choice.value.techniques)
        else replace(choice, value=replace(choice.value, techniques=(*choice.value.techniques, made[0])))
        for choice in chosen
    ]


def _objective_in_full(entry: Mapping[str, Any], findings: Findings, *place: str | int) -> Iterator[Choice]:
    for key in entry:
        if key not in OBJECTIVE_KEYS:
            findings.add(unknown("key of an objective", key, OBJECTIVE_KEYS), *place, key)
    if ("loss" in entry) == ("objective" in entry):
        findings.add("an objective needs either `loss` or `objective`", *place)
        return
    label, train = _label(entry, findings, *place), _own_settings(entry, findings, *place)
    more = _each_expanded(techniques.registry, entry, "techniques", findings, *place)
    if "objective" in entry:
        if "penalties" in entry:
            findings.add("`penalties` goes with `loss`; an `objective` brings its own", *place, "penalties")
        for name, value, own, swept in _recipes(entry["objective"], findings, *place, "objective"):
            given = {**(_recommended(name, findings, *place) if entry.get("recommended") else {}), **train}
            for added in itertools.product(*more):
                whole = replace(value, techniques=(*value.techniques, *(part[1] for part in added)))
                yield Choice(*_together((name, whole, own, swept), added, label), train=given)
        return
    found = list(_expand(losses.registry, entry["loss"], findings, *place, "loss"))
    held_back = _each_expanded(penalties.registry, entry, "penalties", findings, *place)
    for loss, *parts in itertools.product(found, *held_back, *more):
        chosen = [part[1] for part in parts]
        whole = Objective(loss[1], tuple(chosen[: len(held_back)]), techniques=tuple(chosen[len(held_back) :]))
        yield Choice(*_together((loss[0], whole, loss[3], loss[2]), parts, label), train=train)


def _each_expanded(
    registry: Registry, entry: Mapping[str, Any], key: str, findings: Findings, *place: str | int
) -> list[list[_Expanded]]:
    """Read the penalties or techniques of an objective: for each, its variants."""
    listed = one_or_many(entry.get(key) or [])
    return [list(_expand(registry, item, findings, *place, key, position)) for position, item in enumerate(listed)]


def _together(first: _Recipe, parts: Sequence[_Expanded], label: str | None) -> tuple[str, str, Objective]:
    """Return the label, the name and the objective of a recipe or loss with what is added to it."""
    name, whole, own, swept = first
    swept = [*swept, *(item for part in parts for item in part[2])]
    return _named(label, swept, " + ".join((own, *(part[3] for part in parts)))), name, whole


def _own_settings(entry: Mapping[str, Any], findings: Findings, *place: str | int) -> dict[str, Any]:
    """Read the training settings in an objective's own entry."""
    if not isinstance(entry.get("recommended", False), bool):
        findings.add(f"recommended: expected true or false, got {entry['recommended']!r}", *place, "recommended")
    elif entry.get("recommended") and "loss" in entry:
        findings.add("`recommended` goes with `objective`: a loss alone recommends nothing", *place, "recommended")
    d_steps = entry.get("d_steps")
    if d_steps is None:
        return {}
    if not isinstance(d_steps, int) or isinstance(d_steps, bool) or d_steps < 1:
        findings.add(f"d_steps: expected a whole number above 0, got {d_steps!r}", *place, "d_steps")
    return {"d_steps": d_steps}


def _recommended(name: str, findings: Findings, *place: str | int) -> dict[str, Any]:
    """Read the settings that a recipe recommends, which a plugin's author may have got wrong."""
    found: dict[str, Any] = {}
    for key, value in objectives.recommended(name).items():
        try:
            if key not in Train.model_fields:
                raise ValueError(unknown("setting", key, Train.model_fields))
            found[key] = check_field(Train, key, value)
        except ValueError as error:
            findings.add(f"what {name} recommends: {key}: {error}", *place, "recommended")
    return found


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
