"""Recipes that hold D back by a penalty or a normalisation, around the logistic and the hinge loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from annotated_types import Ge, Lt

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative


@register("dragan")
@dataclass(frozen=True)
class Dragan:
    """DRAGAN (Kodali et al. 2017, arXiv:1705.07215): the non-saturating game, smooth around the data.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))] + weight E[(||grad D(x')|| - 1)^2]
    L_G = E[sp(-D(G(z)))]
    x' = x + alpha 1/2 std(x) U,  alpha and U ~ U(0, 1)

    std is over the batch, and alpha belongs to the authors' code, not to the paper's formula. The
    settings are those of the code, for MNIST.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Kodali et al. 2017, arXiv:1705.07215"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-4,
            "d_lr": 1e-4,
            "betas": (0.5, 0.9),
            "batch_size": 128,
            "latent_size": 100,
            "latent": "uniform",
        }
    )
    weight: NonNegative = 10.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight, at="perturbed")
        return Objective(loss("non_saturating"), (term,), self.d_steps)


@register("sngan")
@dataclass(frozen=True)
class Sngan:
    """SNGAN (Miyato et al. 2018, arXiv:1802.05957): hinge loss, D's weights over their spectral norm.

    L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
    L_G = -E[D(G(z))]
    W <- W / sigma(W) for every weight of D

    The paper takes one or five D steps; one is the default here, at its rivals' cost, and the settings
    are those of the paper's setting C, which has one as well.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Miyato et al. 2018, arXiv:1802.05957"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 64}
    )
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("hinge"), (penalty("spectral_norm"),), self.d_steps)


@register("r1_gan")
@dataclass(frozen=True)
class R1Gan:
    """The non-saturating GAN with R1 (Mescheder et al. 2018, arXiv:1801.04406), which converges locally.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))] + gamma/2 E[||grad D(x)||^2]
    L_G = E[sp(-D(G(z)))]

    gamma = 10 is for photographs of 256 x 256; points and small images do with .1 to 1. The settings
    are those of the paper for LSUN and CelebA-HQ, where the averaged generator is what is shown.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Mescheder et al. 2018, arXiv:1801.04406"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "rmsprop",
            "g_lr": 1e-4,
            "d_lr": 1e-4,
            "batch_size": 64,
            "latent_size": 256,
            "latent": "normal",
            "ema": 0.999,
        }
    )
    gamma: NonNegative = 10.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("non_saturating"), (penalty("r1", gamma=self.gamma),), self.d_steps)


@register("consensus_gan")
@dataclass(frozen=True)
class ConsensusGan:
    """Consensus optimisation (Mescheder et al. 2017, arXiv:1705.10461): both gradients are kept small.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))] + C
    L_G = E[sp(-D(G(z)))] + C
    C = gamma/2 (||grad_D||^2 + ||grad_G||^2), each player's gradient of its own loss, without C

    The paper's players move at the same time: `updates: simultaneous`.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Mescheder et al. 2017, arXiv:1705.10461"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "rmsprop", "g_lr": 1e-4, "d_lr": 1e-4, "updates": "simultaneous"}
    )
    gamma: NonNegative = 10.0

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("non_saturating"), (penalty("consensus", gamma=self.gamma),))


@register("lecam_gan")
@dataclass(frozen=True)
class LecamGan:
    """LeCam GAN (Tseng et al. 2021, arXiv:2104.03310): logits stay near those of the other kind.

    L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
          + weight (E[max(0, D(x) - a_F)^2] + E[max(0, a_R - D(G(z)))^2])
    L_G = -E[D(G(z))]
    a_R, a_F: moving averages of D on real and on fake samples, decay each D step

    It is for little data, and starts after start_at D steps: choose that well below the run's length.
    Weight and settings are those of the authors' code for CIFAR-10, on BigGAN, which takes four D
    steps; one is the default here, at its rivals' cost.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Tseng et al. 2021, arXiv:2104.03310"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.0, 0.999), "batch_size": 50, "d_steps": 4}
    )
    weight: NonNegative = 0.3
    decay: Annotated[float, Ge(0), Lt(1)] = 0.99
    start_at: Annotated[int, Ge(0)] = 1000
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("lecam", weight=self.weight, decay=self.decay, start_at=self.start_at)
        return Objective(loss("hinge"), (term,), self.d_steps)
