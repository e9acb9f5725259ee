"""Populations of final scores over seeds: made-up shapes, and what 160 trained seeds really gave."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

GRID = 40_000  # quantiles that stand for a continuous population
SKEWED = 1.0  # skewness from which a population does not count for means
SEEDS = Path(__file__).with_name("seed_populations.csv")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """Equally likely scores, in ascending order."""

    name: str
    scores: Numbers

    def draw(self, random: np.random.Generator, times: int, seeds: int) -> Numbers:
        return random.choice(self.scores, (times, seeds))

    @cached_property
    def mean(self) -> float:
        return float(self.scores.mean())

    @cached_property
    def median(self) -> float:
        return float(self.scores[(self.scores.size - 1) // 2])

    @cached_property
    def deviation(self) -> float:
        return float(self.scores.std())

    @property
    def even(self) -> bool:
        """Whether its mean's interval is to hold: it takes many values, and spreads to both sides."""
        many = len(np.unique(self.scores)) > len(self.scores) / 2
        return many and abs(float(stats.skew(self.scores))) <= SKEWED


def made_up() -> list[Population]:
    share = (np.arange(GRID) + 0.5) / GRID
    shapes = {
        "normal": stats.norm.ppf(share),
        "uniform": share,
        "t, 4 degrees": stats.t(4).ppf(share),
        "lognormal, sigma .5": stats.lognorm(0.5).ppf(share),
        "modes: 8, 7, 6 (.6, .3, .1)": np.repeat([6.0, 7.0, 8.0], [GRID // 10, 3 * GRID // 10, 6 * GRID // 10]),
    }
    return [Population(name, np.sort(scores)) for name, scores in shapes.items()]


def trained() -> list[Population]:
    """Return every score of every objective whose seeds did not all, or nearly all, give one number."""
    found = []
    for (objective, score), scores in columns().items():
        known = np.sort(scores[np.isfinite(scores)])
        if known.size >= 128 and np.unique(known).size > 2:
            found.append(Population(f"{score} of {objective}", known))
    return found


def columns() -> dict[tuple[str, str], Numbers]:
    """Return the scores by objective and score, in the order of the seeds; NaN where there is none."""
    with SEEDS.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    names = [name for name in rows[0] if name not in ("objective", "seed")]
    return {
        (objective, name): np.array([float(row[name] or "nan") for row in rows if row["objective"] == objective])
        for objective in dict.fromkeys(row["objective"] for row in rows)
        for name in names
    }


def middle_mean(strata: Sequence[Numbers]) -> float:
    """Return the interquartile mean of populations that are drawn from alike."""
    size = max(scores.size for scores in strata)
    pooled = np.concatenate([np.interp(np.linspace(0, 1, size), np.linspace(0, 1, s.size), s) for s in strata])
    return float(stats.trim_mean(pooled, 0.25))
