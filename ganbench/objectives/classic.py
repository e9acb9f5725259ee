"""Recipes that are a loss and nothing else, each with the settings of its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ganbench.objectives import Objective, loss, register
from ganbench.plugins import Count, Positive


@register("goodfellow2014")
@dataclass(frozen=True)
class Goodfellow2014:
    """The first GAN (Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1): minimax, G saturates.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))]
    L_G = -E[sp(D(G(z)))]
    where sp(u) = log(1 + exp(u)) and D gives logits.

    G's gradient vanishes where D is sure; nsgan has the paper's remedy. The settings are those of the
    authors' code for MNIST, which has momentum (.5, rising to .7) and dropout in D besides.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Goodfellow et al. 2014, arXiv:1406.2661"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "sgd", "g_lr": 0.1, "d_lr": 0.1, "batch_size": 100, "latent_size": 100}
    )
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("minimax"), d_steps=self.d_steps)


@register("nsgan")
@dataclass(frozen=True)
class Nsgan:
    """The non-saturating GAN (Goodfellow et al. 2014, arXiv:1406.2661, section 3), as DCGAN trains it.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))]
    L_G = E[sp(-D(G(z)))]
    where sp(u) = log(1 + exp(u)) and D gives logits.

    The settings are those of DCGAN (Radford et al. 2016, arXiv:1511.06434), which made the loss usual.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Goodfellow et al. 2014, arXiv:1406.2661; Radford et al. 2016, arXiv:1511.06434"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 2e-4,
            "d_lr": 2e-4,
            "betas": (0.5, 0.999),
            "batch_size": 128,
            "latent_size": 100,
            "latent": "uniform",
        }
    )
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("non_saturating"), d_steps=self.d_steps)


@register("lsgan")
@dataclass(frozen=True)
class Lsgan:
    """LSGAN (Mao et al. 2017, arXiv:1611.04076, equation 9): D's raw output is pulled to its targets.

    L_D = 1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]
    L_G = 1/2 E[(D(G(z)) - 1)^2]

    These are the targets a, b, c = 0, 1, 1, which the paper trains with; its theorem has -1, 1, 0
    (`{loss: least_squares}` with a=-1, c=0). The settings are those of the authors' code for LSUN.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Mao et al. 2017, arXiv:1611.04076"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-3,
            "d_lr": 1e-3,
            "betas": (0.5, 0.999),
            "batch_size": 64,
            "latent_size": 1024,
            "latent": "uniform",
        }
    )
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("least_squares"), d_steps=self.d_steps)


@register("hinge_gan")
@dataclass(frozen=True)
class HingeGan:
    """Geometric GAN (Lim and Ye 2017, arXiv:1705.02894): D as a support vector machine.

    L_D = E[max(0, m - D(x))] + E[max(0, m + D(G(z)))]
    L_G = -E[D(G(z))]
    with m = margin.

    The paper adds half the squared norm of D's last weights, for which m = 1 sets the scale; later work
    leaves it out, as here. The learning rate is that of the authors' code for CelebA, which takes ten
    G steps per D step there; here a G step always has at least one D step.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Lim and Ye 2017, arXiv:1705.02894"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType({"optimiser": "rmsprop", "g_lr": 2e-4, "d_lr": 2e-4})
    margin: Positive = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("hinge", margin=self.margin), d_steps=self.d_steps)
