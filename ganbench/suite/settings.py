"""The settings of training and of evaluation: names, types, limits and defaults."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ganbench.registry import unknown
from ganbench.suite.errors import Findings

Beta = Annotated[float, Field(ge=0, lt=1)]


class Train(BaseModel):
    """How a cell is trained; every field enters its key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    g_steps: int = Field(5000, gt=0, description="generator updates")
    batch_size: int = Field(64, gt=0, description="real and fake samples per update of each player")
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    g_lr: float = Field(2e-4, gt=0, description="learning rate of G")
    d_lr: float = Field(2e-4, gt=0, description="learning rate of D")
    betas: tuple[Beta, Beta] = Field((0.5, 0.999), description="Adam's decay rates")
    d_steps: int | None = Field(None, gt=0, description="D updates per G update; unset: the objective's own")
    updates: Literal["alternating", "simultaneous"] = Field(
        "alternating", description="whether G answers D's last update, or both move from where they stand"
    )
    ema: float = Field(0.0, ge=0, lt=1, description="decay of the averaged generator that is scored; 0: none")
    latent_size: int = Field(64, gt=0)
    latent: Literal["normal", "uniform"] = Field("normal", description="N(0, 1) or U(-1, 1)")
    d_warmup: int = Field(0, ge=0, description="updates of D alone before anything else")
    g_warmup: int = Field(0, ge=0, description="updates of G alone, after D's and before alternation")
    precision: Literal["float32", "float64", "tf32", "bf16"] = Field(
        "float32",
        description="of products and convolutions; penalties, weights and optimisers never use less than float32",
    )


class Evaluate(BaseModel):
    """When and how a cell is scored; nothing here changes its training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int | None = Field(None, gt=0, description="G steps between scores; unset: a tenth of g_steps")
    samples: int = Field(2000, ge=10, description="generated samples per score")
    reference: int = Field(10_000, ge=10, description="real samples at most")
    metrics: Any = Field(
        None, description="names of metrics, the first is the headline; unset: the dataset's own; []: none, no scores"
    )
    between: Any = Field(
        None,
        description="which of the metrics are also computed before the last step; unset: all; the headline always is",
    )
    extractor: Any = Field(
        None,
        description="one or several, such as classifier; metrics read the first; unset: the dataset's own",
    )


@functools.cache
def adapters(model: type[BaseModel]) -> dict[str, TypeAdapter[Any]]:
    """Return one validator per field of a settings model."""
    made: dict[str, TypeAdapter[Any]] = {}
    for name, info in model.model_fields.items():
        kind: Any = info.annotation
        made[name] = TypeAdapter(Annotated[kind, *info.metadata] if info.metadata else kind)
    return made


def check_field(model: type[BaseModel], name: str, value: object) -> object:
    """Return one value as the field's type; ValueError says what is wrong with it."""
    try:
        # JSON mode is strict about types and still takes a list for a pair, which is how YAML writes one.
        return adapters(model)[name].validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ValueError("; ".join(dict.fromkeys(problem["msg"] for problem in error.errors()))) from None


def check_sweeps(model: type[BaseModel], given: object, findings: Findings, *place: str | int) -> dict[str, list[Any]]:
    """Turn a section of a suite into a list of values per setting: a list in the file is a sweep.

    Problems are added to `findings`, each at its own key.
    """
    if not isinstance(given, Mapping):
        findings.add(f"expected settings such as `{next(iter(model.model_fields))}: ...`, got {given!r}", *place)
        return {}
    sweeps: dict[str, list[Any]] = {}
    for name, value in given.items():
        if name not in model.model_fields:
            findings.add(unknown("setting", name, model.model_fields), *place, name)
            continue
        swept = isinstance(value, list) and (name != "betas" or any(isinstance(item, list) for item in value))
        values = value if swept else [value]
        if not values:
            findings.add(f"{name}: an empty list sweeps nothing", *place, name)
        sweeps[name] = []
        for position, item in enumerate(values):
            try:
                sweeps[name].append(check_field(model, name, item))
            except ValueError as error:
                at = (*place, name, position) if swept else (*place, name)
                findings.add(f"{name}: {error}", *at)
        if len(set(map(repr, sweeps[name]))) < len(sweeps[name]):
            findings.add(f"{name}: the same value is listed twice", *place, name)
    return sweeps
