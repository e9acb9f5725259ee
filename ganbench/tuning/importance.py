"""How important each parameter was for getting good trials: PED-ANOVA, and how much of it chance would give."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ganbench.tuning.choosing import Tried

LEAST = 10  # trials of which anything is said
GOOD = 5  # good trials at least, as Optuna's authors advise; a tenth of them where that is more
SHUFFLES = 99


class Divergences(Protocol):
    """A study that knows where its trials lie."""

    def divergences(self, losses: Sequence[Mapping[int, float]], share: float) -> list[dict[str, float]]:
        """Return, for each ranking of the trials, how much the good `share` differs from all in each parameter."""


@dataclass(frozen=True)
class Importance:
    """A parameter's share of the importance of all, and the share of shuffled studies in which it had as much."""

    share: float
    chance: float


def importance(study: Divergences, tried: Sequence[Tried], better: Literal["lower", "higher"]) -> dict[str, Importance]:
    """Return how important each parameter is for a trial to be good (Watanabe et al. 2023, arXiv:2304.10255).

    PED-ANOVA asks how differently the good trials and all trials lie along a parameter. It uses no score but through
    who is good, so infeasible and pruned trials take part with what they are: not good. Good is the best tenth, at
    least `GOOD`; where fewer are feasible, all that are. With few trials chance makes much of that: `SHUFFLES` times
    the scores are dealt out anew, and it is counted how often a parameter came out at least as important. Empty below
    `LEAST` trials, or where no trial stands out.
    """
    feasible = [trial for trial in tried if trial.feasible]
    good = min(max(GOOD, math.ceil(len(tried) / 10)), len(feasible))
    if len(tried) < LEAST or not good or good == len(tried):
        return {}
    sign = 1.0 if better == "lower" else -1.0
    worst = max(sign * trial.mean for trial in feasible)
    numbers = [trial.number for trial in tried]
    dealt = [sign * trial.mean if trial.feasible else worst + 1 for trial in tried]
    drawn = random.Random(0)
    ways = [dealt, *(drawn.sample(dealt, len(dealt)) for _ in range(SHUFFLES))]
    losses = [dict(zip(numbers, way, strict=True)) for way in ways]
    found, *shuffled = study.divergences(losses, (good - 0.5) / len(tried))
    whole = sum(found.values())
    if not whole > 0:
        return {}
    return {
        name: Importance(
            value / whole, (1 + sum(other.get(name, 0.0) >= value for other in shuffled)) / (1 + len(shuffled))
        )
        for name, value in found.items()
    }
