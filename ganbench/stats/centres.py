"""What stands for a contender's seeds: their mean, or of distances their median."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.stats.intervals import Interval, mean_interval, median_interval
from ganbench.stats.wins import Better

CENTRES = {"higher": "mean", "lower": "median"}
"""Which centre scores have, by which of them is better.

Scores of which more is better are mostly shares, and spread evenly over seeds. Those of which less is better are
distances: a seed that collapses lies far above all others, and the t-interval of their mean, which covers 82 % of the
FIDs of `least_squares` at 5 seeds, covers 33 % of those of `non_saturating` (benchmarks/README.md). The interval of a
median covers 93 to 96 % of both.
"""

NO_MEAN_BOUNDS = "no interval of a mean of distances holds: a single seed that collapses makes it"


def mean_where_it_holds(values: Sequence[float], better: Better, confidence: float = 0.95) -> Interval:
    """Return the mean of scores, with an interval only of those of which more is better."""
    found = mean_interval(values, confidence)
    return found if better == "higher" or not found.offered else found.without_bounds(NO_MEAN_BOUNDS)


def centre(values: Sequence[float], better: Better, confidence: float = 0.95) -> Interval:
    """Return the mean of scores of which more is better, the median of distances, with an interval where one holds.

    ValueError where a value is not finite.
    """
    return (mean_interval if better == "higher" else median_interval)(values, confidence)
