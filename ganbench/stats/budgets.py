"""What a search of so many trials finds, from trials that were made: its expected best score, and its median one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ganbench.stats.wins import Better

Numbers = NDArray[np.float64]


def expected_best(scores: Sequence[float | None], better: Better) -> tuple[float, ...]:
    """Return the expected best score of 1, 2, ... n trials, given the scores of n trials (Dodge et al. 2019).

    The best of b trials drawn with replacement is at most the i-th lowest score with probability (i/n)^b (equation 5 of
    arXiv:1909.03004): this is exact for the trials at hand, and no resampling. A trial without a score (None) is the
    worst of all and is worth the worst score that a trial had; where the first trials may all be such, that flatters
    them. It describes searches that draw trials independently, such as random search. Empty where no trial has a score.
    ValueError for scores that are not finite.
    """
    known = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not np.isfinite(known).all():
        raise ValueError("expected_best needs finite scores, and None for trials that have none")
    if not known.size:
        return ()
    sign = 1.0 if better == "higher" else -1.0
    ordered = np.sort(sign * known)
    ordered = np.concatenate([np.full(len(scores) - known.size, ordered[0]), ordered])
    n = ordered.size
    at_most = np.arange(n + 1) / n
    budgets = np.arange(1, n + 1)[:, None]
    weights = at_most[None, 1:] ** budgets - at_most[None, :-1] ** budgets
    best: Numbers = sign * (weights @ ordered)
    return tuple(map(float, best))


@dataclass(frozen=True)
class Reached:
    """The best score that half of all searches of a budget reach, with the bounds of its interval.

    An infinite number on the worse side stands for a trial without a score, an infinite bound on the better side for
    none: the trials are too few to say how good such a search gets.
    """

    value: float
    low: float
    high: float


def median_best(scores: Sequence[float | None], better: Better, confidence: float = 0.95) -> tuple[Reached, ...]:
    """Return what half of all searches of 1, 2, ... n trials reach, each with its interval, given n trials.

    The best of b trials drawn independently is no worse than x with probability 1 - (1 - F(x))^b, F(x) being the share
    of trials no worse than x. So the median of it is the quantile of trials of order 1 - 2^(-1/b), and the interval of
    a quantile between order statistics is exact: it covers no less than `confidence` at every budget (pointwise),
    whatever the distribution (Lourie et al. 2024, arXiv:2311.09480, whose bands hold for all budgets at once). The
    interval of an expected best is not offered: the percentiles of a bootstrap over trials cover 68 to 86 % of
    continuous scores at a quarter of the budget and 35 to 63 % at the whole of it (`benchmarks/coverage.py`). A trial
    without a score (None) is worse than any. ValueError for scores that are not finite.
    """
    known = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not np.isfinite(known).all():
        raise ValueError("median_best needs finite scores, and None for trials that have none")
    n, sign = len(scores), 1.0 if better == "lower" else -1.0
    # The best first; one beyond either end for bounds that no trial gives.
    ordered = np.concatenate([[-np.inf], np.sort(sign * known), np.full(n - known.size + 1, np.inf)])
    return tuple(
        Reached(sign * float(ordered[middle]), *sorted(sign * float(ordered[place]) for place in bounds))
        for middle, *bounds in _orders(n, confidence)
    )


def share_near_best(scores: Sequence[float | None], better: Better, within: float = 0.1) -> float:
    """Return the share of all trials whose score is within a tenth of the best one: how wide the good region is.

    `within` is a share of the best score, so scores are of one sign. Trials without a score (None) are near nothing.
    The share of the space itself where trials are drawn evenly from it, as random search does. NaN without any score.
    ValueError where scores are not finite, or of both signs.
    """
    known = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not np.isfinite(known).all():
        raise ValueError("share_near_best needs finite scores, and None for trials that have none")
    if not known.size:
        return math.nan
    if known.min() < 0 < known.max():
        raise ValueError("share_near_best needs scores of one sign: a tenth of the best says nothing else")
    best = known.max() if better == "higher" else known.min()
    near = np.abs(known - best) <= within * abs(best)
    return float(near.sum()) / len(scores)


@cache
def _orders(n: int, confidence: float) -> tuple[tuple[int, int, int], ...]:
    """Return for each budget which of the n ordered trials, counted from 1, are the median best and its bounds.

    The lower bound is 0, or the upper one n + 1, where there is none: fewer trials than the first, or as many as the
    second, are no worse than the quantile with the probability that is left on either side.
    """
    order = 1 - 2 ** (-1 / np.arange(1, n + 1))
    tail = (1 - confidence) / 2
    middle = np.maximum(1, np.ceil(n * order - 1e-9))
    few, many = np.asarray(stats.binom.ppf(tail, n, order)), np.asarray(stats.binom.isf(tail, n, order)) + 1
    return tuple((int(one), int(low), int(high)) for one, low, high in zip(middle, few, many, strict=True))
