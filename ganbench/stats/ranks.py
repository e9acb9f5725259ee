"""Contenders over several datasets: mean ranks, whether they differ at all, and which cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ganbench.stats.wins import Better, Score, as_higher

EXACT_CONTENDERS, EXACT_DATASETS = 4, 8  # at most, for Friedman's test to be exact
DRAWN = 20_000

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class MeanRanks:
    """Mean ranks over datasets, best first, with Friedman's test and Nemenyi's critical difference.

    Contenders whose mean ranks lie less than `critical_difference` apart share one of the `groups` of a
    critical-difference diagram: maximal runs, also of a single contender. Where no test is offered, `p` and
    `critical_difference` are NaN, all contenders are one group, and `reason` says why.
    """

    ranks: Mapping[str, float]
    datasets: int
    statistic: float
    p: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    reason: str = ""


def mean_ranks(
    scores: Mapping[str, Mapping[str, Score]], better: Better, level: float = 0.05, seed: int = 0
) -> MeanRanks:
    """Rank contenders on every dataset and compare their mean ranks (Demšar 2006).

    `scores` are by contender and dataset, such as means over seeds; a lost one (None or not finite) ranks last, equal
    ones share the mean of their ranks. Every contender needs every dataset (ValueError). Two contenders are compared
    over seeds (`paired_difference`), not here; Nemenyi's difference is not offered where even first and last on every
    dataset would not be told apart.
    """
    table = ranked(scores, better)
    means = dict(zip(scores, table.mean(axis=0).tolist(), strict=True))
    ordered = dict(sorted(means.items(), key=lambda named: named[1]))
    n, k = table.shape
    if n < 2 or k < 3:
        reason = "mean ranks are compared from two datasets and three contenders on"
        return MeanRanks(ordered, n, math.nan, math.nan, math.nan, (tuple(ordered),), reason)
    statistic, p = friedman(table, seed)
    critical = critical_difference(k, n, level)
    if critical > k - 1:
        needed = math.ceil(n * (critical / (k - 1)) ** 2)
        reason = f"Nemenyi's test of {k} contenders can tell none apart on fewer than {needed} datasets"
        return MeanRanks(ordered, n, statistic, p, math.nan, (tuple(ordered),), reason)
    return MeanRanks(ordered, n, statistic, p, critical, rank_groups(ordered, critical))


def ranked(scores: Mapping[str, Mapping[str, Score]], better: Better) -> Numbers:
    """Return the ranks, a row per dataset and a column per contender; 1 is the best."""
    datasets = list(next(iter(scores.values()), {}))
    for name, mine in scores.items():
        if set(mine) != set(datasets) or not mine:
            raise ValueError(f"every contender needs a score, or None, on every dataset; {name} has {sorted(mine)}")
    rows = [as_higher([mine[dataset] for mine in scores.values()], better) for dataset in datasets]
    table: Numbers = np.array([stats.rankdata(-row) for row in rows]).reshape(len(datasets), len(scores))
    return table


def friedman(table: Numbers, seed: int = 0) -> tuple[float, float]:
    """Return Friedman's (1937) statistic, corrected for ties, and its p-value under permutations within datasets.

    `table` holds ranks: a row per dataset. p is exact for up to 4 contenders and 8 datasets, else from 20,000 draws,
    those found counting as one. On few datasets chi-square rejects too rarely (1.7 to 2.8 % at 5 % with 3 datasets) and
    Iman and Davenport's F too often (6 to 19 %). NaN and 1 where all contenders tie on every dataset.
    """
    n, k = table.shape
    sums = table.sum(axis=0)
    variance = float(table.var(axis=1, ddof=1).sum())
    if variance == 0:
        return math.nan, 1.0
    reached = float(((sums - sums.mean()) ** 2).sum())
    statistic = reached / variance
    if k <= EXACT_CONTENDERS and n <= EXACT_DATASETS:
        return statistic, _exact(table, reached)
    random = np.random.default_rng(seed)
    drawn = np.zeros((DRAWN, k))
    for row in table:
        drawn += random.permuted(np.tile(row, (DRAWN, 1)), axis=1)
    beyond = int((((drawn - sums.mean()) ** 2).sum(axis=1) >= reached - 1e-9).sum())
    return statistic, (beyond + 1) / (DRAWN + 1)


def critical_difference(contenders: int, datasets: int, level: float = 0.05) -> float:
    """Return by how much two mean ranks must differ to be told apart by Nemenyi's (1963) test.

    Its family-wise error under the null stays below the level: 0 to 3 % at 5 % on up to 3 datasets, 3 to 5 % from 6 on.
    """
    quantile = float(stats.studentized_range.ppf(1 - level, contenders, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(contenders * (contenders + 1) / (6 * datasets))


def rank_groups(ranks: Mapping[str, float], critical: float) -> tuple[tuple[str, ...], ...]:
    """Return the maximal runs of contenders whose mean ranks lie less than `critical` apart, best first."""
    names = sorted(ranks, key=lambda name: ranks[name])
    runs: list[tuple[str, ...]] = []
    for place, first in enumerate(names):
        run = tuple(name for name in names[place:] if ranks[name] - ranks[first] < critical)
        if not runs or run[-1] != runs[-1][-1]:
            runs.append(run)
    return tuple(runs)


def _exact(table: Numbers, reached: float) -> float:
    """Return the share of all permutations within rows whose rank sums spread at least as far."""
    doubled = np.sort(np.rint(2 * table).astype(np.int64), axis=1)  # ranks of ties are halves
    spreads, weights = _spreads(tuple(sorted(map(tuple, doubled.tolist()))))
    return float(weights[spreads >= 4 * reached - 1e-6].sum())


@cache
def _spreads(rows: tuple[tuple[int, ...], ...]) -> tuple[Numbers, Numbers]:
    """Return how far rank sums can spread, and how likely, if every order within a row is as likely as another.

    Sums that differ by the order of the columns alone are counted as one, since each row brings them all.
    """
    sums = np.zeros((1, len(rows[0])), dtype=np.int64)
    weights: Numbers = np.ones(1)
    for row in rows:
        orders = np.array(list(permutations(row)))
        after = np.sort((sums[:, None] + orders).reshape(-1, orders.shape[1]), axis=1)
        likely = np.repeat(weights / len(orders), len(orders))
        sums, place = np.unique(after, axis=0, return_inverse=True)
        weights = np.bincount(place.ravel(), likely).astype(np.float64)
    spreads: Numbers = ((sums - sums.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return spreads, weights
