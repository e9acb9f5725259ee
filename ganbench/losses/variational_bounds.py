"""The table of f-GAN: what becomes of a logit, by the divergence that is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ganbench.losses.softplus import softplus

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["kl", "reverse_kl", "pearson", "neyman", "squared_hellinger", "jensen_shannon", "gan"]

# Up to here exp(v) is itself: density ratios up to e^20 = 5e8, and gradients whose squares float32 still holds.
EXACT = 20.0


@dataclass(frozen=True)
class Bound:
    """E[output(D(x))] - E[conjugate(D(G(z)))] bounds the divergence from below; `least` is f(1), where both are equal.

    `output` is T and `conjugate` f*(T), both of the logit; `log_ratio` is log u where T = f'(u), the logarithm of the
    density ratio for which D at its best says this logit.
    """

    divergence: str
    output: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]
    log_ratio: Callable[[Tensor], Tensor]
    least: float = 0.0


def _low(v: Tensor) -> Tensor:
    """Give v up to 20, then 20 + log(1 + v - 20): increasing and smooth, and its exp is exp(v), then the tangent."""
    return v.clamp(max=EXACT) + (v - EXACT).relu().log1p()


LOG_2 = math.log(2)
# Not by expm1, whose derivative torch takes from its value: that is 0 in float32 where 1 - exp(-v) still has one.
BOUNDS: dict[Kind, Bound] = {
    "kl": Bound("KL(real, fake)", _low, lambda v: (_low(v) - 1).exp(), lambda v: _low(v) - 1),
    "reverse_kl": Bound("KL(fake, real)", lambda v: -_low(-v).exp(), lambda v: -_low(-v) - 1, lambda v: -_low(-v)),
    "pearson": Bound(
        "Pearson chi^2(real, fake)",
        lambda v: v,
        lambda v: v.square() / 4 + v,
        lambda v: (1 + v / 2).clamp(min=0).log(),  # there is no ratio below 0, where the parabola goes on
    ),
    "neyman": Bound(
        "Neyman chi^2(real, fake)",
        lambda v: 1 - _low(-v).exp(),
        lambda v: 2 - 2 * (_low(-v) / 2).exp(),
        lambda v: -_low(-v) / 2,
    ),
    "squared_hellinger": Bound(
        "squared Hellinger",
        lambda v: 1 - _low(-_low(v)).exp(),
        lambda v: _low(-_low(-v)).exp() - 1,
        lambda v: -2 * _low(-_low(v)),
    ),
    "jensen_shannon": Bound(
        "2 Jensen-Shannon", lambda v: LOG_2 - softplus(-v), lambda v: softplus(v) - LOG_2, lambda v: v
    ),
    "gan": Bound("2 Jensen-Shannon - 2 log 2", lambda v: -softplus(-v), softplus, lambda v: v, least=-2 * LOG_2),
}
