"""How soon seeds reach a target: shares by time, median and restricted mean; lost cells never reach it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganbench.stats.intervals import Interval, ordered_median
from ganbench.stats.profiles import Curve
from ganbench.stats.wins import Better

Time = float | None  # in G steps or seconds; None, as infinity, where the target was never reached


def time_to_target(at: Sequence[float], scores: Sequence[float], target: float, better: Better) -> float:
    """Return the first of the times `at`, in ascending order, whose score is at least as good as the target.

    Infinite where none is; a score that is not finite reaches nothing.
    """
    for time, score in zip(at, scores, strict=True):
        if math.isfinite(score) and (score <= target if better == "lower" else score >= target):
            return float(time)
    return math.inf


def reached(times: Sequence[Time], budget: float = math.inf) -> Curve:
    """Return the share of cells that have reached the target by each time, up to the budget.

    Cells that diverged, failed or ended without it never do (None or infinity): they are censored at infinity, not left
    out. Cells that were not run are not given. Between two points the share is that of the first, before the first
    point it is 0. ValueError for NaN or a negative time.
    """
    numbers = _times(times)
    at = np.unique(numbers[np.isfinite(numbers) & (numbers <= budget)])
    share = np.searchsorted(np.sort(numbers), at, side="right") / max(1, numbers.size)
    return Curve(tuple(at.tolist()), tuple(share.tolist()), numbers.size)


def median_time(times: Sequence[Time], confidence: float = 0.95) -> Interval:
    """Return the median time to the target with its interval between order statistics, offered as in `median_interval`.

    Either bound, or the median itself, is infinite where too many cells never reach the target.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return ordered_median(np.sort(_times(times)), confidence)


def restricted_mean(times: Sequence[Time], budget: float) -> float:
    """Return the mean time to the target within the budget, which is what a cell counts that does not reach it by then.

    It is the area above the curve of `reached`; NaN without cells. ValueError where the budget is not finite.
    """
    if not math.isfinite(budget) or budget < 0:
        raise ValueError(f"a restricted mean needs a finite budget, not {budget}")
    numbers = _times(times)
    return float(np.minimum(numbers, budget).mean()) if numbers.size else math.nan


def _times(times: Sequence[Time]) -> NDArray[np.float64]:
    numbers = np.array([math.inf if time is None else time for time in times], dtype=np.float64)
    if np.isnan(numbers).any() or (numbers < 0).any():
        raise ValueError("times are 0 or more; None where the target was never reached")
    return numbers
