"""Which trials are tried again: those as good as the best, by a one-standard-error rule, or a Pareto front. No I/O."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ganbench.stats import Better
from ganbench.stats.fronts import pareto_front, spread

LEAST = 4  # trials of which a standard error is pooled


@dataclass(frozen=True)
class Tried:
    """A finished trial: its settings, the scores of its seeds, and why others have none (`lost`, one entry each).

    `ended` is how far it came, where it ended early: the G step of a rung, or a number of seeds. Its scores are those
    up to there. Where there are several values, `scores` are the first, and `further` has those of each other one.
    `drawn` says that it was drawn at random, whatever others scored.
    """

    number: int
    settings: Mapping[str, Any]
    scores: tuple[float, ...] = ()
    lost: tuple[str, ...] = field(default=())
    ended: int | None = None
    further: tuple[tuple[float, ...], ...] = ()
    drawn: bool = False

    @property
    def feasible(self) -> bool:
        """Whether every seed has a score of its end: a trial that lost one, or was pruned, is not to be recommended."""
        return bool(self.scores) and not self.lost and self.ended is None

    @property
    def infeasible(self) -> bool:
        """Whether a seed has no score."""
        return bool(self.lost) or not self.scores

    @property
    def pruned(self) -> int | None:
        """The G step of the rung, or the number of seeds, after which it was not worth more; None where it was not."""
        return None if self.infeasible else self.ended

    @property
    def mean(self) -> float:
        """The mean over its seeds; NaN where none has a score."""
        return statistics.fmean(self.scores) if self.scores else math.nan

    @property
    def means(self) -> tuple[float, ...]:
        """The means of all values."""
        return (self.mean, *map(statistics.fmean, self.further))


def standard_error(trials: Sequence[Tried]) -> float:
    """Return the standard error of a trial's mean, from the variance within trials, pooled over these.

    Two seeds say little of their own spread, and several trials' together more. 0 where no trial has two seeds.
    """
    within = [trial.scores for trial in trials if len(trial.scores) > 1]
    freedom = sum(len(scores) - 1 for scores in within)
    if not freedom:
        return 0.0
    squares = sum(sum((score - statistics.fmean(scores)) ** 2 for score in scores) for scores in within)
    seeds = statistics.fmean(len(scores) for scores in within)
    return math.sqrt(squares / freedom / seeds)


def chosen(
    trials: Sequence[Tried], better: Literal["lower", "higher"], cost: Callable[[Mapping[str, Any]], float], k: int
) -> list[Tried]:
    """Return the `k` trials that are tried again, the first choice first, by the one-standard-error rule.

    The best of many noisy means is lucky as well as good. So every feasible trial whose mean lies within one standard
    error of the best mean counts as no worse, and among those the cheapest comes first (Breiman et al. 1984, who take
    the simplest tree), then the better mean, then the earlier trial. Where they are fewer than `k`, the others follow
    by their means. The standard error is pooled over the best quarter of the trials, at least `LEAST`: bad settings
    spread far more than good ones, and would make everything look alike. Trials of equal settings count once. Empty
    where no trial is feasible.
    """
    sign = 1.0 if better == "lower" else -1.0
    found = sorted(_distinct(trials), key=lambda each: sign * each.mean)
    if not found:
        return []
    limit = sign * found[0].mean + standard_error(found[: max(LEAST, len(found) // 4)])
    within = [trial for trial in found if sign * trial.mean <= limit]
    others = [trial for trial in found if sign * trial.mean > limit]
    within.sort(key=lambda each: (cost(each.settings), sign * each.mean, each.number))
    others.sort(key=lambda each: (sign * each.mean, each.number))
    return [*within, *others][:k]


def front(trials: Sequence[Tried], better: Sequence[Better]) -> list[Tried]:
    """Return the Pareto front of the feasible trials' means, the best of the first value first.

    Trials of equal settings, or with the same means, count once: the earliest. Empty where no trial is feasible.
    """
    found: dict[tuple[float, ...], Tried] = {}
    for trial in _distinct(trials):
        found.setdefault(trial.means, trial)
    means = list(found)
    signs = [1.0 if way == "lower" else -1.0 for way in better]
    best_first = sorted(
        (means[place] for place in pareto_front(means, better)),
        key=lambda point: [sign * value for sign, value in zip(signs, point, strict=True)],
    )
    return [found[point] for point in best_first]


def spread_over(found: Sequence[Tried], k: int) -> list[Tried]:
    """Return at most `k` trials that stand for a whole front: both its ends, and evenly between by their order.

    By the order and not by the values, which have no common scale. Of one, it is the best in the first value.
    """
    return [found[place] for place in spread(len(found), k)]


def _distinct(trials: Sequence[Tried]) -> list[Tried]:
    """Return the feasible trials, the first first, and of equal settings the first."""
    found: dict[str, Tried] = {}
    for trial in sorted(trials, key=lambda each: each.number):
        if trial.feasible:
            found.setdefault(repr(sorted(trial.settings.items())), trial)
    return list(found.values())
