"""A share of a whole, from draws that were each inside or outside."""

from __future__ import annotations

import math

from scipy import stats

from ganbench.stats.intervals import Interval


def share_interval(inside: int, draws: int, confidence: float = 0.95) -> Interval:
    """Return the share of draws that were inside with its exact interval (Clopper and Pearson 1934).

    It covers at least what it claims, whatever the share. NaN bounds without a draw. ValueError for more inside than
    there are draws.
    """
    if not 0 <= inside <= draws:
        raise ValueError(f"{inside} of {draws} draws cannot be inside")
    if not draws:
        return Interval(math.nan, math.nan, math.nan, 0, "nothing was drawn")
    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, inside, draws - inside + 1)) if inside else 0.0
    high = float(stats.beta.isf(tail, inside + 1, draws - inside)) if inside < draws else 1.0
    return Interval(inside / draws, low, high, draws)
