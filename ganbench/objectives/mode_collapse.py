"""Recipes against mode collapse: what D sees at once, and how far G looks ahead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ganbench.objectives import Objective, loss, register, technique
from ganbench.plugins import Count


@register("pacgan")
@dataclass(frozen=True)
class Pacgan:
    """PacGAN (Lin et al. 2018, arXiv:1712.04086): D judges packs of m samples, all real or all fake.

    L_D = E[sp(-D(x_1, ..., x_m))] + E[sp(D(G(z_1), ..., G(z_m)))]
    L_G = E[sp(-D(G(z_1), ..., G(z_m)))]
    where sp(u) = log(1 + exp(u)) and D gives one logit per pack.

    A pack of look-alikes gives a collapsed G away. A batch must divide into packs. The settings are
    those of the authors' code for the ring of 8.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Lin et al. 2018, arXiv:1712.04086"
    divergence: ClassVar[str] = "Jensen-Shannon of packs of m samples (D's lower bound)"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-4,
            "d_lr": 1e-4,
            "betas": (0.8, 0.999),
            "batch_size": 100,
            "latent_size": 2,
            "latent": "normal",
        }
    )
    m: Count = 2
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("non_saturating"), d_steps=self.d_steps, techniques=(technique("packing", m=self.m),))


@register("unrolled_gan")
@dataclass(frozen=True)
class UnrolledGan:
    """Unrolled GAN (Metz et al. 2017, arXiv:1611.02163): G answers the D of some steps ahead.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))]
    L_G = -E[sp(D_K(G(z)))]
    where sp(u) = log(1 + exp(u)), and D_K is D after K = d_steps_ahead further steps, through which G's
    gradient flows.

    The game is minimax, as in the paper's equations and in the authors' notebook on the ring of 8,
    whose settings these are. Their L_G also has -E[sp(-D_K(x))], on which G acts through D's steps
    alone: it is left out here.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Metz et al. 2017, arXiv:1611.02163"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-3,
            "d_lr": 1e-4,
            "betas": (0.5, 0.999),
            "batch_size": 512,
            "latent_size": 256,
            "latent": "normal",
        }
    )
    d_steps_ahead: Count = 5
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        ahead = technique("unrolled", d_steps_ahead=self.d_steps_ahead)
        return Objective(loss("minimax"), d_steps=self.d_steps, techniques=(ahead,))
