"""What is tuned and how: the `tune` section of a suite; nothing here enters a key."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ganbench.registry import Part, unknown
from ganbench.suite.aims import check_aims
from ganbench.suite.choices import Choice
from ganbench.suite.errors import Findings
from ganbench.suite.prune import Prune, check_prune
from ganbench.suite.settings import check_field
from ganbench.suite.tunable import EITHER, check_value
from ganbench.tuning import SamplerName

Kind = Literal["int", "float", "log", "choice"]
KINDS = ("int", "float", "log", "choice")
SECTIONS = ("space", "objectives", "confirm", "prune")
Plain = bool | int | float | str | None
LARGEST = 2.0**53  # beyond it not every whole number is a float, as which samplers draw them


class Confirm(BaseModel):
    """How the search's best settings are tried again: the best `k` and the suite's own, each on so many fresh seeds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: int = Field(3, gt=0, description="settings compared again, beside the suite's own; 1: the search alone decides")
    seeds: int = Field(10, gt=0, description="fresh seeds, on which what is reported is measured")


@dataclass(frozen=True)
class Range:
    """The values that one setting may take: from `low` to `high` (`log`: evenly in its logarithm), or `choices`."""

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Plain, ...] = ()

    @property
    def ends(self) -> tuple[Plain, ...]:
        """The values that must be allowed for all of them to be."""
        if self.kind == "choice":
            return self.choices
        return (int(self.low), int(self.high)) if self.kind == "int" else (float(self.low), float(self.high))

    def as_json(self) -> dict[str, Any]:
        """Give it as a suite writes it."""
        return {self.kind: list(self.ends)}


class TuneSettings(BaseModel):
    """The budget and the search."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int = Field(32, gt=0, description="settings tried of each objective on each dataset")
    objective: str | tuple[str, ...] | None = Field(
        None,
        description="the value to be tuned, such as fid_final (or fid) or fid_best, or several of them, and cost; "
        "unset: the headline's, final",
    )
    direction: Literal["lower", "higher"] | None = Field(None, description="which is better; unset: as the metric says")
    seeds_per_trial: int = Field(2, gt=0, description="seeds of each trial, the same for all")
    sampler: SamplerName = Field(
        "tpe", description="tpe and gp draw one batch, or a quarter of the trials (at most ten), before they learn"
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="of the sampler")
    batch: int = Field(8, gt=0, description="trials of each study that are asked for, and trained, together")

    @property
    def asked(self) -> tuple[str, ...]:
        """The values to be tuned; none where it is the headline's."""
        given = self.objective
        return () if given is None else (given,) if isinstance(given, str) else given


@dataclass(frozen=True)
class Tune:
    """The section as a whole: `space` is tuned of every objective, `own` holds what one (by label) has beside it.

    Without `prune` all trials are trained to their end.
    """

    settings: TuneSettings
    confirm: Confirm
    space: tuple[Range, ...]
    own: Mapping[str, tuple[Range, ...]] = field(default_factory=dict)
    where: str = ""
    objective_where: str = ""
    prune: Prune | None = None
    prune_where: str = ""

    def ranges(self, label: str) -> tuple[Range, ...]:
        """Return the space of one objective: its own ranges replace those of all."""
        merged = {each.name: each for each in (*self.space, *self.own.get(label, ()))}
        return tuple(merged[name] for name in sorted(merged))


def check_tune(
    given: object, objectives: Sequence[Choice], networks: Sequence[Part], findings: Findings, *place: str | int
) -> Tune | None:
    """Read a `tune` section; problems go to `findings`, each at its own key. None where there is no section."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        findings.add(
            f"expected a space to search, such as `space: {{g_lr: {{log: [1e-5, 1e-2]}}}}`, got {given!r}", *place
        )
        return None
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if name in SECTIONS:
            continue
        if name not in TuneSettings.model_fields:
            findings.add(unknown("key of tune", name, (*TuneSettings.model_fields, *SECTIONS)), *place, name)
            continue
        _checked(TuneSettings, name, value, chosen, findings, *place)
    space = _space(given.get("space"), objectives, networks, findings, *place, "space")
    own = _own(given.get("objectives"), objectives, networks, findings, *place, "objectives")
    if chosen.get("objective") == ():
        findings.add("objective: name a value, such as fid_final, or several", *place, "objective")
    settings = TuneSettings.model_construct(**{**dict(TuneSettings()), **chosen})
    found = Tune(
        settings,
        _confirm(given.get("confirm"), findings, *place, "confirm"),
        space,
        own,
        findings.locate(tuple(place)),
        findings.locate((*place, "objective")),
        check_prune(given.get("prune"), settings.seeds_per_trial, findings, *place, "prune"),
        findings.locate((*place, "prune", "first")),
    )
    directed, pruned = (given.get(name) is not None for name in ("direction", "prune"))
    check_aims(settings.asked, settings.sampler, directed, pruned, findings, *place)
    if not findings.below(*place):
        _see_that_spaces_are_whole(found, objectives, findings, *place)
    return found


def _checked(
    model: type[BaseModel], name: str, value: object, into: dict[str, Any], findings: Findings, *place: str | int
) -> None:
    try:
        into[name] = check_field(model, name, value)
    except ValueError as error:
        findings.add(f"{name}: {error}", *place, name)


def _confirm(given: object, findings: Findings, *place: str | int) -> Confirm:
    if given is None:
        return Confirm()
    if not isinstance(given, Mapping):
        findings.add(f"confirm: expected such as `{{k: 3, seeds: 10}}`, got {given!r}", *place)
        return Confirm()
    chosen: dict[str, Any] = {}
    for name, value in given.items():
        if name in Confirm.model_fields:
            _checked(Confirm, name, value, chosen, findings, *place)
        else:
            findings.add(unknown("key of confirm", name, Confirm.model_fields), *place, name)
    return Confirm(**chosen)


def _own(
    given: object, objectives: Sequence[Choice], networks: Sequence[Part], findings: Findings, *place: str | int
) -> dict[str, tuple[Range, ...]]:
    """Read the spaces of single objectives, each named by its label or by its plugin."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        findings.add(
            f"expected spaces by objective, such as `wgan: {{clip: {{log: [1e-3, 1]}}}}`, got {given!r}", *place
        )
        return {}
    found: dict[str, tuple[Range, ...]] = {}
    for name, ranges in given.items():
        meant = [choice for choice in objectives if name in (choice.label, choice.name)]
        if not meant:
            known = dict.fromkeys(each for choice in objectives for each in (choice.label, choice.name))
            if not findings.below("objectives"):
                findings.add(unknown("objective", name, known), *place, name)
            continue
        read = _space(ranges, meant, networks, findings, *place, name)
        for choice in meant:
            found[choice.label] = (*found.get(choice.label, ()), *read)
    return found


def _space(
    given: object, objectives: Sequence[Choice], networks: Sequence[Part], findings: Findings, *place: str | int
) -> tuple[Range, ...]:
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        findings.add(f"expected ranges such as `g_lr: {{log: [1e-5, 1e-2]}}`, got {given!r}", *place)
        return ()
    found = [_range(str(name), entry, objectives, networks, findings, *place, name) for name, entry in given.items()]
    return tuple(each for each in found if each is not None)


def _range(
    name: str,
    entry: object,
    objectives: Sequence[Choice],
    networks: Sequence[Part],
    findings: Findings,
    *place: str | int,
) -> Range | None:
    """Read one range, and see that all these objectives can have its values."""
    try:
        found = _read(name, entry)
        for choice in objectives:
            try:
                for value in found.ends:
                    check_value(name, value, choice.value, networks)
            except ValueError as error:
                whose = "" if len(objectives) == 1 else f"{choice.label}: "
                raise ValueError(f"{whose}{error}") from None
    except ValueError as error:
        findings.add(f"{name}: {error}", *place)
        return None
    return found


def _read(name: str, entry: object) -> Range:
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ValueError(f"expected one of {', '.join(f'{{{kind}: [...]}}' for kind in KINDS)}, got {entry!r}")
    kind, values = next(iter(entry.items()))
    if kind not in KINDS:
        raise ValueError(unknown("kind of range", kind, KINDS))
    if not isinstance(values, list) or any(not isinstance(value, Plain) for value in values):
        raise ValueError(f"expected a list of values after {kind}, got {values!r}")
    if kind == "choice":
        if any(isinstance(value, float) and not math.isfinite(value) for value in values):
            raise ValueError(f"numbers to choose among are finite, got {values!r}")
        if len(set(map(repr, values))) < max(2, len(values)):
            raise ValueError(f"an empty range: a choice needs two different values or more, got {values!r}")
        return Range(name, "choice", choices=tuple(values))
    allowed = int if kind == "int" else int | float
    if len(values) != 2 or any(isinstance(value, bool) or not isinstance(value, allowed) for value in values):
        raise ValueError(f"expected [lowest, highest]{', whole numbers,' if kind == 'int' else ''} got {values!r}")
    low, high = values
    if not all(abs(value) <= (LARGEST if kind == "int" else sys.float_info.max) for value in values):
        limit = f" of at most {LARGEST:.0f}" if kind == "int" else ""
        raise ValueError(f"the ends of a range are finite numbers{limit}, got {values!r}")
    if not low < high:
        raise ValueError(f"an empty range: the lowest value must be below the highest, got {values!r}")
    if kind == "log" and low <= 0:
        raise ValueError(f"the log of {low}: a range in logarithms starts above 0")
    return Range(name, kind, low, high)


def _see_that_spaces_are_whole(tune: Tune, objectives: Sequence[Choice], findings: Findings, *place: str | int) -> None:
    for choice in objectives:
        names = {each.name for each in tune.ranges(choice.label)}
        if not names:
            findings.add(f"nothing to tune of {choice.label}: `space` names settings with their ranges", *place)
        for one, other in EITHER:
            if {one, other} <= names:
                findings.add(f"{choice.label}: {one} and {other}: one follows from the other; tune one of them", *place)
