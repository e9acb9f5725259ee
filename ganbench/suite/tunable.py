"""What the names in a tuning space mean: training settings, parameters of an objective's parts, of an architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ganbench import architectures, losses, penalties, techniques
from ganbench.objectives import Objective
from ganbench.registry import Part, unknown
from ganbench.suite.settings import Train, check_field

RATE, RATIO = "lr", "d_lr/g_lr"  # of both players; of one to the other
EITHER = ((RATE, "g_lr"), (RATE, "d_lr"), (RATE, RATIO), (RATIO, "d_lr"))  # one follows from the other
BETAS = ("beta1", "beta2")
ALIASES = {"lambda": "weight", "clip": "c"}  # as papers write them

# How long a cell trains is its budget, and cells of several precisions are no rivals.
KEPT = {"g_steps", "precision", "betas"}
SETTINGS = (*(name for name in Train.model_fields if name not in KEPT), *BETAS, RATE, RATIO)

_REGISTRIES = {each.kind: each for each in (architectures.registry, losses.registry, penalties.registry)}
_REGISTRIES[techniques.registry.kind] = techniques.registry


def parameters_of(parts: Sequence[Part]) -> list[str]:
    """List the names of these parts' parameters."""
    return [*dict.fromkeys(name for part in parts for name in part.parameters)]


def parts_of(objective: Objective) -> tuple[Part, ...]:
    """Return what an objective consists of; where several have a parameter of one name, the first kind is meant."""
    return (*objective.penalties, objective.loss, *objective.techniques)


def check_value(name: str, value: object, objective: Objective, networks: Sequence[Part]) -> None:
    """Raise ValueError that says why a setting cannot have this value, or that there is no such setting."""
    if name in Train.model_fields and name not in KEPT:
        check_field(Train, name, value)
    elif name in BETAS:
        check_field(Train, "betas", [value, 0.5])
    elif name in (RATE, RATIO):
        check_field(Train, "d_lr", value)
    elif found := _meant(name, parts_of(objective)):
        for part, parameter in found:
            _check(part, parameter, value)
    elif networks and all(_meant(name, (network,)) for network in networks):
        for network in networks:
            _check(network, _meant(name, (network,))[0][1], value)
    else:
        shared = [one for one in parameters_of(networks[:1]) if all(_meant(one, (each,)) for each in networks)]
        raise ValueError(unknown("setting to tune", name, (*SETTINGS, *parameters_of(parts_of(objective)), *shared)))


def applied(
    settings: Mapping[str, Any], objective: Objective, network: Part, train: Train
) -> tuple[Objective, Part, Train]:
    """Return an objective, an architecture and training settings with these values in them.

    ValueError where the whole cannot be.
    """
    given: dict[str, Any] = {}
    for name, value in settings.items():
        if name in BETAS:
            betas = list(given.get("betas", train.betas))
            betas[BETAS.index(name)] = value
            given["betas"] = tuple(betas)
        elif name in Train.model_fields:
            given[name] = value
        elif name == RATE:
            given |= {"g_lr": value, "d_lr": value}
        elif name != RATIO:
            objective, network = _with(name, value, objective, network)
    if RATIO in settings:
        given["d_lr"] = settings[RATIO] * given.get("g_lr", train.g_lr)
    return objective, network, Train(**{**train.model_dump(), **given})


def value_in(name: str, objective: Objective, network: Part, train: Train) -> Any:
    """Return the value that a setting to tune has in these; None where parts differ in it, or nothing reads it."""
    if name in BETAS:
        return train.betas[BETAS.index(name)] if train.optimiser == "adam" else None  # nobody else reads them
    if name == RATE:
        return train.g_lr if train.g_lr == train.d_lr else None
    if name == RATIO:
        return train.d_lr / train.g_lr
    if name in Train.model_fields:
        return getattr(train, name)
    found = _meant(name, parts_of(objective)) or _meant(name, (network,))
    values = [part.parameters[parameter] for part, parameter in found]
    return values[0] if values and all(value == values[0] for value in values) else None


def _with(name: str, value: object, objective: Objective, network: Part) -> tuple[Objective, Part]:
    """Return an objective or an architecture that has the value, whichever is meant."""
    found = _meant(name, parts_of(objective))
    if not found:
        return objective, _changed(network, _meant(name, (network,))[0][1], value)
    chosen = {id(part): parameter for part, parameter in found}

    def told(part: Part) -> Part:
        return _changed(part, chosen[id(part)], value) if id(part) in chosen else part

    return replace(
        objective,
        loss=told(objective.loss),
        penalties=tuple(map(told, objective.penalties)),
        techniques=tuple(map(told, objective.techniques)),
    ), network


def _meant(name: str, parts: Sequence[Part]) -> list[tuple[Part, str]]:
    """Return the parts that a name means, each with the parameter: all of the first kind that has one of that name."""
    owner, _, short = name.rpartition(".")
    parameter = ALIASES.get(short, short)
    found = [(part, parameter) for part in parts if parameter in part.parameters and owner in ("", part.name)]
    if short == "clip":
        found = [(part, parameter) for part, parameter in found if part.name == "weight_clip"]
    return [one for one in found if one[0].kind == found[0][0].kind]


def _check(part: Part, parameter: str, value: object) -> None:
    known = _REGISTRIES[part.kind].parameters(part.name)[parameter]
    try:
        known.check(_as_float(value, known.type_name))
    except ValueError as error:
        raise ValueError(f"{parameter} of {part.name}: {error}") from None


def _changed(part: Part, parameter: str, value: object) -> Part:
    registry = _REGISTRIES[part.kind]
    known = registry.parameters(part.name)[parameter]
    return registry.part(part.name, {**part.parameters, parameter: _as_float(value, known.type_name)})


def _as_float(value: Any, type_name: str) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and type_name.startswith("float") else value
