"""Recipes that compare samples by a kernel or a distance of D's features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative


@register("mmd_gan")
@dataclass(frozen=True)
class MmdGan:
    """MMD GAN with gradient penalty (Binkowski et al. 2018, arXiv:1801.01401).

    L_D = -MMD^2(h(x), h(G(z))) + weight E[(||grad w(x_hat)|| - 1)^2]
    L_G = MMD^2(h(x), h(G(z)))
    with features h, the rational quadratic kernel k(a, b) = sum_i (1 + |a - b|^2 / (2 c_i))^-c_i for
    c = .2, .5, 1, 2, 5, its witness w(u) = mean_i k(h(u), h(x_i)) - mean_j k(h(u), h(G(z_j))), and
    x_hat = alpha x + (1 - alpha) G(z)

    The weight of 1 and five D steps are the authors'; their code also adds a linear kernel and an L2
    penalty on h, which are left out here. Their rates decay by a three-sample test.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Binkowski et al. 2018, arXiv:1801.01401"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 1e-4, "d_lr": 1e-4, "betas": (0.5, 0.9), "batch_size": 64}
    )
    features: Count = 16
    weight: NonNegative = 1.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight)
        return Objective(loss("mmd", features=self.features), (term,), self.d_steps)


@register("cramer_gan")
@dataclass(frozen=True)
class CramerGan:
    """Cramer GAN (Bellemare et al. 2017, arXiv:1705.10743, algorithm 1): the energy distance of features.

    L_D = E[f(G(z))] - E[f(x)] + weight E[(||grad f(x_hat)|| - 1)^2]
    L_G = 2 E|h(x) - h(G(z))| - E|h(G(z)) - h(G(z'))|
    with features h, the witness f(u) = E|h(u) - h(G(z'))| - |h(u)|, z' independent of z, and
    x_hat = alpha x + (1 - alpha) G(z)

    f stands for the true witness, which would need a second real sample: D's game is not quite G's.
    The paper has 256 features. Five D steps are taken, as in wgan_gp, whose settings are a start.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Bellemare et al. 2017, arXiv:1705.10743"
    features: Count = 32
    weight: NonNegative = 10.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight)
        return Objective(loss("cramer", features=self.features), (term,), self.d_steps)
