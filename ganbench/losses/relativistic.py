"""The function h of both relativistic losses: what a difference of logits costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from ganbench.losses.softplus import softplus

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["logistic", "hinge", "least_squares"]


def h(kind: Kind, margin: float, u: Tensor) -> Tensor:
    """Return sp(-u) for the logistic kind, max(0, m - u) for the hinge, (u - m)^2 for least squares; m = margin."""
    if kind == "logistic":
        return softplus(-u)
    if kind == "hinge":
        return (margin - u).relu()
    return (u - margin).square()


def h_of_zero(kind: Kind, margin: float) -> float:
    """Return h(0): what a pair costs when real and fake cannot be told apart."""
    return {"logistic": math.log(2), "hinge": margin, "least_squares": margin**2}[kind]


def refuse_idle_margin(kind: Kind, margin: float) -> None:
    """Raise ValueError for a margin that would change nothing."""
    if kind == "logistic" and margin != 1:
        raise ValueError("kind='logistic' has no margin: leave it out, or take another kind")
