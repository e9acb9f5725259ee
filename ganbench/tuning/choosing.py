"""Which trials are tried again: those that are as good as the best, by a one-standard-error rule. No I/O."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

LEAST = 4  # trials of which a standard error is pooled


@dataclass(frozen=True)
class Tried:
    """A finished trial: its settings, the scores of its seeds, and why others have none (`lost`, one entry each).

    `ended` is how far it came, where it ended early: the G step of a rung, or a number of seeds. Its scores are those
    up to there.
    """

    number: int
    settings: Mapping[str, Any]
    scores: tuple[float, ...] = ()
    lost: tuple[str, ...] = field(default=())
    ended: int | None = None

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
    distinct: dict[str, Tried] = {}
    for trial in sorted(trials, key=lambda each: each.number):
        if trial.feasible:
            distinct.setdefault(repr(sorted(trial.settings.items())), trial)
    if not distinct:
        return []
    found = sorted(distinct.values(), key=lambda each: sign * each.mean)
    limit = sign * found[0].mean + standard_error(found[: max(LEAST, len(found) // 4)])
    within = [trial for trial in found if sign * trial.mean <= limit]
    others = [trial for trial in found if sign * trial.mean > limit]
    within.sort(key=lambda each: (cost(each.settings), sign * each.mean, each.number))
    others.sort(key=lambda each: (sign * each.mean, each.number))
    return [*within, *others][:k]
