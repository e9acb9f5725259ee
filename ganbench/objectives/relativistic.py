"""Recipes that compare real and fake samples with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative, Positive

# One setting of the paper's for all of its losses: on CIFAR-10, with spectral normalisation of D.
JOLICOEUR_MARTINEAU: Mapping[str, object] = MappingProxyType(
    {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 32}
)


@register("rsgan")
@dataclass(frozen=True)
class Rsgan:
    """RSGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.1): is real more real than fake?

    L_D = E[sp(D(G(z)) - D(x))]
    L_G = E[sp(D(x) - D(G(z)))]
    where sp(u) = log(1 + exp(u)), over pairs of the i-th real and the i-th fake sample.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    recommended: ClassVar[Mapping[str, object]] = JOLICOEUR_MARTINEAU
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("relativistic_paired"), d_steps=self.d_steps)


@register("ragan")
@dataclass(frozen=True)
class Ragan:
    """RaSGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4.2): more real than the others' mean?

    L_D = E[sp(E D(G(z)) - D(x))] + E[sp(D(G(z)) - E D(x))]
    L_G = E[sp(E D(x) - D(G(z)))] + E[sp(D(x) - E D(G(z)))]
    where sp(u) = log(1 + exp(u)), and the inner E are means over the batch.

    The authors' code halves both losses.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    recommended: ClassVar[Mapping[str, object]] = JOLICOEUR_MARTINEAU
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("relativistic_average"), d_steps=self.d_steps)


@register("rahinge")
@dataclass(frozen=True)
class RaHinge:
    """RaHingeGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734): the relativistic average with hinges.

    L_D = E[max(0, m - (D(x) - E D(G(z))))] + E[max(0, m + (D(G(z)) - E D(x)))]
    L_G = E[max(0, m - (D(G(z)) - E D(x)))] + E[max(0, m + (D(x) - E D(G(z))))]
    with m = margin; the inner E are means over the batch.

    The authors' code halves both losses.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    recommended: ClassVar[Mapping[str, object]] = JOLICOEUR_MARTINEAU
    margin: Positive = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("relativistic_average", kind="hinge", margin=self.margin), d_steps=self.d_steps)


@register("rals")
@dataclass(frozen=True)
class RaLs:
    """RaLSGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734): the relativistic average with squares.

    L_D = E[(D(x) - E D(G(z)) - 1)^2] + E[(D(G(z)) - E D(x) + 1)^2]
    L_G = E[(D(G(z)) - E D(x) - 1)^2] + E[(D(x) - E D(G(z)) + 1)^2]
    where the inner E are means over the batch.

    The authors' code halves both losses.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    recommended: ClassVar[Mapping[str, object]] = JOLICOEUR_MARTINEAU
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("relativistic_average", kind="least_squares"), d_steps=self.d_steps)


@register("r3gan")
@dataclass(frozen=True)
class R3gan:
    """R3GAN's objective (Huang et al. 2024, arXiv:2501.05441): relativistic pairs with R1 and R2.

    L_D = E[sp(D(G(z)) - D(x))] + gamma/2 E[||grad D(x)||^2] + gamma/2 E[||grad D(G(z))||^2]
    L_G = E[sp(D(x) - D(G(z)))]
    where sp(u) = log(1 + exp(u)), over pairs of the i-th real and the i-th fake sample.

    The authors set gamma per dataset (.05 for CIFAR-10, 150 for FFHQ-256) and let it fall to a tenth,
    the learning rate to 5e-5, and let the second beta rise to .99; the settings are where they begin.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Huang et al. 2024, arXiv:2501.05441"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 2e-4,
            "d_lr": 2e-4,
            "betas": (0.0, 0.9),
            "latent_size": 64,
            "latent": "normal",
        }
    )
    gamma: NonNegative = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        both = (penalty("r1", gamma=self.gamma), penalty("r2", gamma=self.gamma))
        return Objective(loss("relativistic_paired"), both, self.d_steps)
