"""How likely one contender beats another on a new seed of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ganbench.stats.intervals import Interval

WINS_FROM = 5
"""Seeds of either contender from which the interval of P(A beats B) is offered."""
SOFTENING = 0.02
"""What the greatest variance and the one seen are raised by: few seeds may show none, where one nearly always wins.

With .02 the interval covers 94 % or more of all that was simulated (benchmarks/README.md).
"""
Better = Literal["lower", "higher"]
Score = float | None


def beats(a: Sequence[Score], b: Sequence[Score], better: Better, confidence: float = 0.95) -> Interval:
    """Return P(A beats B): the share of all pairs of seeds in which A has the better score, ties counted half.

    A seed that was lost (None, or a number that is not finite) loses against any score and ties with another lost one.
    The interval claims to cover at least `confidence`, and does more near 0 and 1, where a share of few seeds can only
    jump. It is Jeffreys' of a binomial share; it ends at 0 or 1 where one always wins. Its trials are at least as many
    as the contender with fewer seeds has, which is `n`: no distribution of scores gives the share more variance than
    that (Birnbaum and Klose 1957), and a contender with a few collapsed seeds comes near. They are more where the
    seeds' own shares of wins differ by less than that (DeLong et al. 1988), see `SOFTENING`. In the former case
    Newcombe's (2006) interval covers 88 %, and Brunner and Munzel's (2000) has no width. Offered from `WINS_FROM` seeds
    of either.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    left, right = as_higher(a, better), as_higher(b, better)
    n = min(left.size, right.size)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0, "a contender has no seed")
    pairs = (left[:, None] > right) + 0.5 * (left[:, None] == right)
    share = float(pairs.mean())
    found = Interval(share, math.nan, math.nan, n)
    if n < WINS_FROM:
        return found.without_bounds(f"the interval of a chance to win needs {WINS_FROM} seeds to hold what it claims")
    trials, tail = _trials(pairs, share), (1 - confidence) / 2
    won, lost = trials * share + 0.5, trials * (1 - share) + 0.5
    low = 0.0 if share == 0 else float(special.betaincinv(won, lost, tail))
    high = 1.0 if share == 1 else float(special.betaincinv(won, lost, 1 - tail))
    return Interval(share, min(low, share), max(high, share), n)


def _trials(pairs: NDArray[np.float64], share: float) -> float:
    """Return of how many independent trials the share of won pairs `(seeds, seeds)` has the variance."""
    seen = sum(pairs.mean(axis).var(ddof=1) / pairs.shape[1 - axis] for axis in (0, 1))
    n = min(pairs.shape)
    return max(float(n), float((share * (1 - share) + SOFTENING) / (seen + SOFTENING / n)))


def beats_matrix(
    contenders: Mapping[str, Sequence[Score]], better: Better, confidence: float = 0.95
) -> dict[str, dict[str, Interval]]:
    """Return P(row beats column) for every two different contenders, by name."""
    return {
        row: {name: beats(scores, others, better, confidence) for name, others in contenders.items() if name != row}
        for row, scores in contenders.items()
    }


def as_higher(scores: Sequence[Score], better: Better) -> NDArray[np.float64]:
    """Return scores of which the higher is the better; a lost one is minus infinity."""
    numbers = np.array([math.nan if score is None else score for score in scores], dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers if better == "higher" else -numbers, -np.inf)
