"""Recipes that compare real and fake samples with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative


@register("r3gan")
@dataclass(frozen=True)
class R3gan:
    """R3GAN's objective (Huang et al. 2024, arXiv:2501.05441): relativistic pairing with both zero-centred penalties.

    L_D = E sp(f - r) + gamma/2 E|grad D(real)|^2 + gamma/2 E|grad D(fake)|^2,  L_G = E sp(r - f).
    The paper sets gamma per dataset.
    """

    version: ClassVar[int] = 1
    gamma: NonNegative = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        both = (penalty("r1", gamma=self.gamma), penalty("r2", gamma=self.gamma))
        return Objective(loss("relativistic_paired"), both, self.d_steps)
