"""What numbers over a few seeds can carry: the t-interval of a mean, paired differences, Holm's correction.

Bootstrap intervals are not offered: at 3 / 5 / 10 seeds they cover 74 / 83 / 89 % where 95 % is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

SAME = 1e-12  # relative spread below which seeds gave one and the same number, rounding apart


@dataclass(frozen=True)
class Interval:
    """A mean over `n` seeds with its confidence bounds; bounds are NaN where `n` is below 2."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference:
    """The mean difference over seeds that two contenders share, its t-interval and its two-sided p-value.

    `constant` marks seeds that all gave the same difference other than 0: there is no spread to test against,
    so `p` is NaN, as it is with fewer than two shared seeds.
    """

    interval: Interval
    p: float
    constant: bool = False


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of `values` with Student's t-interval.

    NaN values are a caller's error (ValueError): whether to leave a seed out is decided where it can be said.
    No value gives NaN throughout; one value gives a mean without bounds.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("t_interval needs finite values")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    n = numbers.size
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(numbers.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / math.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def paired_difference(a: Mapping[int, float], b: Mapping[int, float], confidence: float = 0.95) -> Difference:
    """Compare `a - b` over the seeds that both have, by a paired t-test (scipy's `ttest_rel`).

    Equal values in every seed give p = 1. A seed with a value that is not finite is not shared.
    """
    seeds = sorted(seed for seed in a.keys() & b.keys() if math.isfinite(a[seed]) and math.isfinite(b[seed]))
    left = np.array([a[seed] for seed in seeds], dtype=np.float64)
    right = np.array([b[seed] for seed in seeds], dtype=np.float64)
    differences = left - right
    interval = t_interval(differences.tolist(), confidence)
    if len(seeds) < 2:
        return Difference(interval, math.nan)
    scale = max(float(np.abs(left).max()), float(np.abs(right).max()))
    if float(np.ptp(differences)) <= SAME * scale:
        equal = abs(interval.mean) <= SAME * scale
        return Difference(interval, 1.0 if equal else math.nan, constant=not equal)
    return Difference(interval, float(stats.ttest_rel(left, right).pvalue))


def holm(pvalues: Sequence[float]) -> list[float]:
    """Return Holm's (1979) step-down adjusted p-values, in the order given.

    NaN stands for a test that was not made: it stays NaN and does not count towards the family.
    """
    made = sorted((p, place) for place, p in enumerate(pvalues) if not math.isnan(p))
    adjusted = [math.nan] * len(pvalues)
    highest = 0.0
    for rank, (p, place) in enumerate(made):
        highest = max(highest, min(1.0, p * (len(made) - rank)))
        adjusted[place] = highest
    return adjusted
