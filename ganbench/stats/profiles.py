"""Shares of cells that come near the best: performance profiles over datasets and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganbench.stats.wins import Better, Score, as_higher

Cells = Mapping[str, Mapping[str, Sequence[Score]]]  # by contender and dataset: a score per seed, None where lost
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """A step curve: `share[i]` belongs to `at[i]`, in ascending order; `n` cells were counted."""

    at: tuple[float, ...]
    share: tuple[float, ...]
    n: int


def performance_profiles(cells: Cells, better: Better) -> dict[str, Curve]:
    """Return by contender the share of cells within a factor of the dataset's best score (Dolan and Moré 2002).

    The best is over all contenders and seeds of the dataset; factors start at 1. A lost cell is within no factor, nor
    is one where of its score and the best only one is 0. Each dataset counts the same, whatever its number of seeds.
    Between two points the share is that of the first. ValueError for negative scores, which have no factor,
    or for contenders on different datasets.
    """
    rows: dict[str, list[Numbers]] = {name: [] for name in cells}
    for dataset in _datasets(cells):
        scores = {name: as_higher(mine[dataset], "higher") for name, mine in cells.items()}
        pooled = np.concatenate(list(scores.values()))
        kept = pooled[np.isfinite(pooled)]
        if kept.min(initial=0.0) < 0:
            raise ValueError(f"a negative score on {dataset} has no factor to the best")
        best = (kept.min() if better == "lower" else kept.max()) if kept.size else 0.0
        for name, mine in scores.items():
            rows[name].append(_factors(mine, best, better))
    return {name: _curve(mine) for name, mine in rows.items()}


def _datasets(cells: Cells) -> list[str]:
    datasets = list(next(iter(cells.values()), {}))
    for name, mine in cells.items():
        if set(mine) != set(datasets) or not all(len(scores) for scores in mine.values()):
            raise ValueError(f"every contender needs cells on every dataset; {name} has {sorted(mine)}")
    return datasets


def _factors(scores: Numbers, best: float, better: Better) -> Numbers:
    """Return how many times worse than the best each score is; infinite for lost ones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = scores / best if better == "lower" else best / scores
    return np.where(~np.isfinite(scores), np.inf, np.where(scores == best, 1.0, ratios))


def _curve(rows: Sequence[Numbers]) -> Curve:
    """Return the share of numbers, the mean of the rows' shares, that are at most each."""
    at = np.unique(np.concatenate([row[np.isfinite(row)] for row in rows])) if rows else np.empty(0)
    share = np.mean([np.searchsorted(np.sort(row), at, side="right") / row.size for row in rows], axis=0)
    return Curve(tuple(at.tolist()), tuple(share.tolist()), sum(row.size for row in rows))
