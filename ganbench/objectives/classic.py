"""Recipes around the logistic, least-squares and hinge losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative


@register("dragan")
@dataclass(frozen=True)
class Dragan:
    """DRAGAN (Kodali et al. 2017, arXiv:1705.07215): the non-saturating game, smooth around the data.

    L_D = E sp(-r) + E sp(f) + weight E(|grad D(x')| - 1)^2,  L_G = E sp(-f),
    x' a real sample perturbed by up to half a standard deviation of the batch.
    """

    version: ClassVar[int] = 1
    weight: NonNegative = 10.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight, at="perturbed")
        return Objective(loss("non_saturating"), (term,), self.d_steps)


@register("sngan")
@dataclass(frozen=True)
class Sngan:
    """SNGAN (Miyato et al. 2018, arXiv:1802.05957): hinge loss, every weight of D divided by its spectral norm.

    L_D = E relu(1 - r) + E relu(1 + f),  L_G = -E f,  W <- W / sigma(W) in D.
    The paper uses one or five D steps; one is taken here, so that it costs what its rivals cost.
    """

    version: ClassVar[int] = 1
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("hinge"), (penalty("spectral_norm"),), self.d_steps)
