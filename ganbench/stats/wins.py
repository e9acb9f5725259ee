"""How likely one contender beats another on a new seed of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from ganbench.stats.intervals import Interval

WINS_FROM = 5
"""Seeds of either contender from which the interval of P(A beats B) is offered."""
SMALL = 1e-12  # from a chance of 0 or 1, which are roots themselves

Better = Literal["lower", "higher"]
Score = float | None


def beats(a: Sequence[Score], b: Sequence[Score], better: Better, confidence: float = 0.95) -> Interval:
    """Return P(A beats B): the share of all pairs of seeds in which A has the better score, ties counted half.

    A seed that was lost (None, or a number that is not finite) loses against any score and ties with another lost one.
    The interval is Newcombe's (2006, his fifth method) with Student's quantile on n + m - 2 degrees; the usual ones
    have no width where one always wins. It is offered from `WINS_FROM` seeds of either, and does not rest on the
    scores' distribution, but for seeds that are independent. `n` is the number of seeds of the contender with fewer.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    left, right = as_higher(a, better), as_higher(b, better)
    n = min(left.size, right.size)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0, "a contender has no seed")
    share = float(np.mean((left[:, None] > right) + 0.5 * (left[:, None] == right)))
    found = Interval(share, math.nan, math.nan, n)
    if n < WINS_FROM:
        return found.without_bounds(f"the interval of a chance to win needs {WINS_FROM} seeds to hold what it claims")
    quantile = float(stats.t.ppf((1 + confidence) / 2, left.size + right.size - 2))
    outside = _outside(share, left.size, right.size, quantile)
    low = 0.0 if share == 0 else float(optimize.brentq(outside, 0.0, min(share, 1 - SMALL)))
    high = 1.0 if share == 1 else float(optimize.brentq(outside, max(share, SMALL), 1.0))
    return Interval(share, low, high, n)


def beats_matrix(
    contenders: Mapping[str, Sequence[Score]], better: Better, confidence: float = 0.95
) -> dict[str, dict[str, Interval]]:
    """Return P(row beats column) for every two different contenders, by name."""
    return {
        row: {name: beats(scores, others, better, confidence) for name, others in contenders.items() if name != row}
        for row, scores in contenders.items()
    }


def cliffs_delta(a: Sequence[Score], b: Sequence[Score], better: Better, confidence: float = 0.95) -> Interval:
    """Return Cliff's (1993) delta, by which share more pairs of seeds are won than lost: 2 P(A beats B) - 1."""
    chance = beats(a, b, better, confidence)
    value, low, high = (2 * share - 1 for share in (chance.value, chance.low, chance.high))
    return Interval(value, low, high, chance.n, chance.reason)


def as_higher(scores: Sequence[Score], better: Better) -> NDArray[np.float64]:
    """Return scores of which the higher is the better; a lost one is minus infinity."""
    numbers = np.array([math.nan if score is None else score for score in scores], dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers if better == "higher" else -numbers, -np.inf)


def _outside(share: float, n: int, m: int, quantile: float) -> Callable[[float], float]:
    """Return how far a true chance lies from the share found, beyond what so many seeds explain."""
    pairs = (n + m) / 2 - 1

    def beyond(chance: float) -> float:
        spread = 1 + pairs * ((1 - chance) / (2 - chance) + chance / (1 + chance))
        return (share - chance) ** 2 - quantile**2 * chance * (1 - chance) * spread / (n * m)

    return beyond
