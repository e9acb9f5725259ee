"""Two contenders over the seeds that they share: the mean and the median difference, their tests, and their size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from ganbench.stats.intervals import SAME, Interval, mean_interval, median_interval
from ganbench.stats.wins import Better

EXACT_UP_TO = 32  # seeds: 2^16 sums of either half
FLIPS = 2**17 - 1  # drawn where there are more seeds
SEEDS_THAT_AGREE = 5
"""Seeds that must all show one and the same difference, where no spread is left to test, to tell two apart."""
NO_SIZE_BOUNDS = (
    "no interval of a standardised difference holds beyond normal differences: that of the noncentral t covers 92 % of "
    "heavy-tailed ones with 5 seeds and 88 % with 32"
)

Numbers = NDArray[np.float64]
Test = Literal["permutation", "sign", "t"]

NOTHING = Interval(math.nan, math.nan, math.nan, 0, "no seed is shared")


@dataclass(frozen=True)
class Difference:
    """The mean difference over seeds that two contenders share, its t-interval and its two-sided p-values.

    `p` is the paired t-test's, `permutation` that of the sign-flip test. `constant` marks seeds that all gave the same
    difference other than 0: there is no spread for a t-test, so `p` is NaN, as all are with fewer than two shared
    seeds. `median` is the median difference with its interval, which holds where a few seeds differ by far more, and
    `signs` the p-value of the sign test, by which that interval is made.
    """

    interval: Interval
    p: float
    constant: bool = False
    permutation: float = math.nan
    median: Interval = NOTHING
    signs: float = math.nan

    def by(self, test: Test) -> float:
        """Return the p-value of a test."""
        return {"permutation": self.permutation, "sign": self.signs, "t": self.p}[test]

    def middle(self, better: Better) -> Interval:
        """Return the difference that is shown and tested: the mean one, of distances the median one."""
        return self.interval if better == "higher" else self.median

    def side(self, better: Better, test: Test) -> int:
        """Return 1 where the difference that is tested is above 0, -1 where it is below, 0 where that is not clear.

        A t-test of distances is one of their mean difference, where their median one is shown: it speaks for neither
        side where these two do not point the same way.
        """
        middle, mean = self.middle(better).value, self.interval.value
        if test == "t" and not middle * mean > 0:
            return 0
        return int(np.sign(middle)) if math.isfinite(middle) else 0

    @property
    def agreed(self) -> bool:
        """Whether so many seeds show one and the same difference that no test is needed."""
        return self.constant and self.interval.n >= SEEDS_THAT_AGREE


def paired_difference(a: Mapping[int, float], b: Mapping[int, float], confidence: float = 0.95) -> Difference:
    """Compare `a - b` over the seeds that both have, by a paired t-test (scipy's `ttest_rel`), sign flips and signs.

    Equal values in every seed give p = 1. A seed with a value that is not finite is not shared.
    """
    left, right = _shared(a, b)
    differences = left - right
    interval = mean_interval(differences.tolist(), confidence)
    median = median_interval(differences.tolist(), confidence) if differences.size else NOTHING
    if differences.size < 2:
        return Difference(interval, math.nan, median=median)
    scale = max(float(np.abs(left).max()), float(np.abs(right).max()))
    rounded = np.where(np.abs(differences) <= SAME * scale, 0.0, differences)
    flipped, signs = sign_flip_p(rounded), sign_p(rounded)
    if float(np.ptp(differences)) <= SAME * scale:
        equal = abs(interval.value) <= SAME * scale
        return Difference(interval, 1.0 if equal else math.nan, not equal, 1.0 if equal else flipped, median, signs)
    return Difference(interval, float(stats.ttest_rel(left, right).pvalue), False, flipped, median, signs)


def sign_p(differences: Numbers) -> float:
    """Return the two-sided p-value of the sign test of a median difference of 0, exact whatever the distribution.

    It is scipy's `binomtest` of the seeds on either side. A difference of 0 counts for the side with fewer: p is the
    level at which the interval of the median between order statistics just holds 0, so both say the same.
    """
    fewer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return _signs_beyond(differences.size, fewer)


@cache
def _signs_beyond(n: int, fewer: int) -> float:
    below: int = sum(math.comb(n, signs) for signs in range(fewer + 1))
    return min(1.0, 2 * below / (1 << n))


def sign_flip_p(differences: Numbers, seed: int = 0) -> float:
    """Return the two-sided p-value of the sign-flip permutation test of a mean difference of 0.

    If the two contenders are exchangeable, each difference is as likely with either sign: p is the share of all 2^n
    signs with a mean at least as far from 0. It is exact up to `EXACT_UP_TO` seeds; above, `FLIPS` signs
    are drawn, and those found count as one more (Phipson and Smyth 2010). Means that differ by rounding are equal.
    """
    size = np.abs(differences)
    reached = abs(float(differences.sum())) - SAME * float(size.sum())
    if not size.any() or reached <= 0:
        return 1.0
    if size.size <= EXACT_UP_TO:
        half = size.size // 2
        left, right = _sums(size[:half]), np.sort(_sums(size[half:]))
        # The sums are symmetric about 0: those as far below it are as many.
        beyond = int((right.size - np.searchsorted(right, reached - left)).sum())
        return 2 * beyond / 2.0**size.size
    beyond = sum(int((np.abs(part @ size) >= reached).sum()) for part in np.array_split(_signs(size.size, seed), 32))
    return (beyond + 1) / (FLIPS + 1)


@lru_cache(maxsize=2)
def _signs(n: int, seed: int) -> NDArray[np.int8]:
    """Return `FLIPS` rows of n random signs; drawing them takes ten times as long as their sums."""
    random = np.random.default_rng(seed)
    sizes = [len(part) for part in np.array_split(np.empty(FLIPS, dtype=bool), 32)]
    return np.concatenate([(random.integers(0, 2, (rows, n)) * 2 - 1).astype(np.int8) for rows in sizes])


def smallest_p(seeds: int) -> float:
    """Return the least p-value that sign flips can give with so many seeds: 2 of 2^n signs (as signs alone can)."""
    return min(1.0, 2.0 ** (1 - seeds)) if seeds <= EXACT_UP_TO else 1 / (FLIPS + 1)


def seeds_needed(comparisons: int, level: float = 0.05) -> int:
    """Return how many seeds the sign-flip test needs to decide any of so many comparisons after Holm's correction."""
    if comparisons < 1 or not 0 < level < 1:
        raise ValueError(f"seeds_needed takes at least one comparison and a level between 0 and 1, not {level}")
    return next(seeds for seeds in range(2, 1024) if comparisons * 2.0 ** (1 - seeds) <= level)


def choose_test(seeds: int, comparisons: int, level: float = 0.05, better: Better = "higher") -> Test:
    """Return the test that leans on nothing where it can decide with so many seeds, else the paired t-test.

    It is the sign-flip test of the mean difference, and of distances the sign test of the median one, as this is what
    is shown of them. They can decide where even the first step of Holm's correction over the comparisons leaves their
    least p-value at or below the level: 6 seeds for one comparison, 8 for five, 10 for twenty-five.
    """
    if max(1, comparisons) * smallest_p(seeds) > level:
        return "t"
    return "permutation" if better == "higher" else "sign"


def standardised_difference(a: Mapping[int, float], b: Mapping[int, float]) -> Interval:
    """Return the mean of `a - b` over shared seeds in units of its spread: Cohen's d_z with Hedges' (1981) correction.

    NaN with fewer than three shared seeds, where the correction is not defined, or without any spread. Its bounds are
    never offered (`NO_SIZE_BOUNDS`). The report shows `beats` instead: the chance to win is read without a scale, does
    not rest on normal scores, and counts the seeds that were lost.
    """
    left, right = _shared(a, b)
    differences, n = left - right, left.size
    scale = float(np.abs(np.concatenate([left, right])).max()) if n else 0.0
    if n < 3 or float(np.ptp(differences)) <= SAME * scale:
        return Interval(math.nan, math.nan, math.nan, n, "fewer than three shared seeds, or no spread between them")
    freedom = n - 1
    correction = math.exp(special.gammaln(freedom / 2) - special.gammaln((freedom - 1) / 2)) / math.sqrt(freedom / 2)
    size = correction * float(differences.mean() / differences.std(ddof=1))
    return Interval(size, math.nan, math.nan, n, NO_SIZE_BOUNDS)


def _shared(a: Mapping[int, float], b: Mapping[int, float]) -> tuple[Numbers, Numbers]:
    seeds = sorted(seed for seed in a.keys() & b.keys() if math.isfinite(a[seed]) and math.isfinite(b[seed]))
    left, right = ([scores[seed] for seed in seeds] for scores in (a, b))
    return np.array(left, dtype=np.float64), np.array(right, dtype=np.float64)


def _sums(sizes: Numbers) -> Numbers:
    """Return the sums of the numbers under all signs."""
    found = np.zeros(1)
    for size in sizes:
        found = np.concatenate([found - size, found + size])
    return found
