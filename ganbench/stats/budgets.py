"""What a search of so many trials finds: the expected best score against the budget, from trials that were made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
