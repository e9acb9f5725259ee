"""What tuning came to, as plain data: what the store keeps of it, and what the section on tuning is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ganbench.plain_data import finite_or_none
from ganbench.reporting.tuning.front import FrontOf
from ganbench.stats import Better, Interval

State = Literal["complete", "infeasible", "pruned"]
Value = bool | int | float | str | None
Settings = Mapping[str, Value]

DEFAULT, RECOMMENDED, TUNED = VARIANTS = ("default", "recommended", "tuned")
RATES = ("g_lr", "d_lr", "lr", "d_lr/g_lr")
EVEN = ("random", "qmc")  # samplers that draw evenly from the space throughout


@dataclass(frozen=True)
class Trial:
    """One setting that the search tried: the mean of its seeds, or why there is none (`lost`).

    A pruned trial was dropped before its end; an infeasible one lost a seed. Neither has a score. `drawn` says that it
    was drawn evenly from the space, whatever others scored.
    """

    number: int
    settings: Settings
    score: float | None
    state: State = "complete"
    lost: tuple[str, ...] = ()
    drawn: bool = False


@dataclass(frozen=True)
class Parameter:
    """What was tuned: its range as a suite writes it, and its share of PED-ANOVA's importance.

    `chance` is the share of shuffled studies in which it came out at least as important: its p-value. Both are None
    where there are too few trials for them.
    """

    name: str
    kind: Literal["int", "float", "log", "choice"]
    ends: tuple[Value, ...]
    importance: float | None = None
    chance: float | None = None

    @property
    def numeric(self) -> bool:
        """Whether its values lie on a scale."""
        return self.kind != "choice"


@dataclass(frozen=True)
class Borrowed:
    """What the settings found on another dataset score here, on the same fresh seeds as those found here.

    `regret` is by how much they score worse (paired by seed). Where they are the same settings there is nothing to
    measure (`same`); where they cannot be trained here, `reason` says why, and there are no numbers.
    """

    dataset: str
    mean: Interval | None = None
    regret: Interval | None = None
    same: bool = False
    reason: str = ""


@dataclass(frozen=True)
class TunedSubject:
    """What tuning one objective with one architecture on one dataset came to.

    `measured` has the mean on fresh seeds of each variant (default, recommended, tuned), `objectives` their labels in
    the reported suite. `value` is what was tuned for. `variants` has the values that each variant gives the parameters;
    one that a variant does not fix is left out. `centres` are what stands for the fresh seeds elsewhere in a report:
    medians of distances, whose means a single collapse makes.
    `beyond` are the settings beyond the space in which a variant is not the suite's own.
    Where several values were tuned for, all this is of the first, for which the first setting of the `front` stands.
    """

    objective: str
    dataset: str
    value: str
    better: Better
    trials: Sequence[Trial]
    measured: Mapping[str, Interval]
    objectives: Mapping[str, str]
    architecture: str = ""
    parameters: tuple[Parameter, ...] = ()
    variants: Mapping[str, Settings] = field(default_factory=dict)
    sampler: str = ""
    borrowed: tuple[Borrowed, ...] = ()
    centres: Mapping[str, Interval] = field(default_factory=dict)
    front: FrontOf | None = None
    beyond: Mapping[str, Settings] = field(default_factory=dict)

    @property
    def scores(self) -> list[float | None]:
        """The trials' scores, None where there is none."""
        return [trial.score for trial in self.trials]

    @property
    def shown(self) -> str:
        """The objective in the reported suite whose colour the study has."""
        return self.objectives.get(TUNED, self.objectives[DEFAULT])

    @property
    def best(self) -> Trial | None:
        """The trial with the best score, the first of equal ones."""
        sign = 1.0 if self.better == "lower" else -1.0
        known = [(sign * trial.score, trial.number, trial) for trial in self.trials if trial.score is not None]
        return min(known, key=lambda each: each[:2])[2] if known else None


def gain(each: TunedSubject, of: Mapping[str, Interval] | None = None, variant: str = TUNED) -> float:
    """Return by how much a variant scores better than the suite's own settings; NaN where one of them has no score.

    `of` are the means, or the centres.
    """
    known = each.measured if of is None else of
    if variant not in known or DEFAULT not in known:
        return math.nan
    sign = 1.0 if each.better == "higher" else -1.0
    return sign * (known[variant].value - known[DEFAULT].value)


def by_importance(each: TunedSubject) -> list[Parameter]:
    """Return a study's parameters, the most important first; the learning rates first where that is not known."""
    return sorted(each.parameters, key=lambda one: (-(one.importance or 0.0), one.name not in RATES))


def order_told(each: TunedSubject) -> str:
    """Say in which order `by_importance` has a study's parameters."""
    known = any(one.importance is not None for one in each.parameters)
    return "the most important first" if known else "the learning rates first (the trials are too few to say more)"


def several_networks(tuned: Sequence[TunedSubject]) -> bool:
    """Whether an objective was tuned on a dataset with more than one architecture."""
    return len({(each.dataset, each.architecture) for each in tuned}) > len({each.dataset for each in tuned})


def panel_name(each: TunedSubject, tuned: Sequence[TunedSubject]) -> str:
    """Return what tells a study from the others of its dataset."""
    mine = [one for one in tuned if one.dataset == each.dataset]
    return f"{each.objective} by {each.architecture}" if several_networks(mine) else each.objective


def spread(known: Sequence[float | None]) -> list[float]:
    """Return the scores that there are."""
    return [score for score in known if score is not None and math.isfinite(score)]


def as_plain(each: TunedSubject) -> dict[str, Any]:
    """Return a study as JSON can hold it: what is not finite as None."""
    found: dict[str, Any] = finite_or_none(asdict(each))
    return found


def told(value: Value) -> str:
    """Say a value: numbers to three digits, or to six where that is all of them; next to 1 by what they lack of it."""
    if not isinstance(value, float):
        return str(value)
    if float(f"{value:.6g}") == value:
        return f"{value:.6g}"
    if 0.9 < value < 1:
        return f"{value:.{2 - math.floor(math.log10(1 - value))}f}".rstrip("0")
    return f"{value:.3g}"


def settings_told(settings: Settings) -> str:
    """Say settings by name."""
    return ", ".join(f"{name}={told(value)}" for name, value in settings.items())
