"""Recipes around the Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative, Positive


@register("wgan")
@dataclass(frozen=True)
class Wgan:
    """WGAN with weight clipping (Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, algorithm 1).

    L_D = E f - E r,  L_G = -E f,  every D parameter clamped to [-c, c] after each D step.
    The paper trains D five times per G step.
    """

    version: ClassVar[int] = 1
    c: Positive = 0.01
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("wasserstein"), (penalty("weight_clip", c=self.c),), self.d_steps)


@register("wgan_gp")
@dataclass(frozen=True)
class WganGp:
    """WGAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, equation 3).

    L_D = E f - E r + weight E(|grad D(x_hat)| - 1)^2,  L_G = -E f,
    x_hat on the line between a real and a fake sample. The paper trains D five times per G step.
    """

    version: ClassVar[int] = 1
    weight: NonNegative = 10.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight)
        return Objective(loss("wasserstein"), (term,), self.d_steps)
