"""How a cell behaved on its way: pure functions of its score trajectory and its trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

VANISHED_GRADIENT_NORM = 1e-5
"""Below this norm G has stopped moving.

Spread over the 10^4 to 10^6 parameters of a generator it is 1e-7 to 1e-8 per parameter, where Adam's epsilon
(1e-8) begins to swallow the step. Measured on 2-D rings and 8 x 8 digits with MLPs and small conv nets: runs
that learn (minimax, non-saturating, least squares, hinge, Wasserstein with gradient penalty, R1, relativistic)
never fall below 6e-2, and a weight-clipped Wasserstein critic, whose small gradients are healthy, not below
7e-5. Against a critic trained far ahead, the saturating minimax loss stays between 2e-11 and 1e-8 on a ring and
falls below 4e-6 in a quarter of the records on digits (MLPs), where the non-saturating loss against the same critic
has norms above 1. A conv net on digits got away from its critic and is not flagged.
"""


def best_over_final(best: float, final: float, better: str) -> float:
    """Return how much of the best score was left at the end, in [0, 1] for scores that are not negative.

    best / final where lower is better, final / best where higher is: 1 means that the cell ended at its best.
    NaN where a score is missing, where the best is 0 though higher is better (nothing was there to be kept), and where
    one is negative and they differ: such scores have no share.
    """
    over, under = (best, final) if better == "lower" else (final, best)
    if not (math.isfinite(over) and math.isfinite(under)):
        return math.nan
    if over == under:
        return math.nan if over == 0 and better == "higher" else 1.0
    return over / under if over >= 0 and under > 0 else math.nan


def oscillation(scores: Sequence[float | None]) -> float:
    """Return the coefficient of variation of a score over the second half of its evaluations.

    Standard deviation (ddof 0) over the absolute mean of the last ceil(n / 2) scores, missing ones left out.
    NaN with fewer than 3 scores in that half, or where their mean is 0 and they differ.
    """
    late = _known(scores[len(scores) // 2 :])
    if len(late) < 3:
        return math.nan
    mean = sum(late) / len(late)
    deviation = math.sqrt(sum((score - mean) ** 2 for score in late) / len(late))
    if deviation == 0:
        return 0.0
    return deviation / abs(mean) if mean != 0 else math.nan


def vanished_gradient_share(trace: Sequence[Mapping[str, float | None]]) -> float:
    """Return the share of records whose G gradient norm is below `VANISHED_GRADIENT_NORM`; NaN if none."""
    norms = _known([record.get("g_grad_norm") for record in trace])
    return sum(norm < VANISHED_GRADIENT_NORM for norm in norms) / len(norms) if norms else math.nan


def equilibrium_distance(trace: Sequence[Mapping[str, float | None]], equilibrium: float | None) -> float:
    """Return |mean L_D over the last quarter of the records - its value where real and fake are alike|.

    L_D is without penalties. NaN where the objective has no such value or one of those records no L_D.
    """
    late = [record.get("d_loss") for record in trace[-math.ceil(len(trace) / 4) :]] if trace else []
    losses = _known(late)
    if equilibrium is None or not late or len(losses) < len(late):
        return math.nan
    return abs(sum(losses) / len(losses) - equilibrium)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]
