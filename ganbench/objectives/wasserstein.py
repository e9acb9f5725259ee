"""Recipes around the Wasserstein distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from annotated_types import Gt

from ganbench.objectives import Objective, loss, penalty, register
from ganbench.plugins import Count, NonNegative, Positive


@register("wgan")
@dataclass(frozen=True)
class Wgan:
    """WGAN with weight clipping (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1).

    L_D = E[D(G(z))] - E[D(x)]
    L_G = -E[D(G(z))]
    w <- min(max(w, -c), c) for every parameter w of D, after each D step

    The paper trains D five times per G step; the authors' code a hundred times in each of the first 25
    G steps, for which `d_warmup` can stand in.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Arjovsky et al. 2017, arXiv:1701.07875"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "rmsprop", "g_lr": 5e-5, "d_lr": 5e-5, "batch_size": 64}
    )
    c: Positive = 0.01
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("wasserstein"), (penalty("weight_clip", c=self.c),), self.d_steps)


@register("wgan_gp")
@dataclass(frozen=True)
class WganGp:
    """WGAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, equation 3).

    L_D = E[D(G(z))] - E[D(x)] + weight E[(||grad D(x_hat)|| - 1)^2]
    L_G = -E[D(G(z))]
    x_hat = alpha x + (1 - alpha) G(z), one alpha ~ U(0, 1) per pair

    The paper trains D five times per G step.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Gulrajani et al. 2017, arXiv:1704.00028"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 1e-4, "d_lr": 1e-4, "betas": (0.0, 0.9)}
    )
    weight: NonNegative = 10.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight)
        return Objective(loss("wasserstein"), (term,), self.d_steps)


@register("wgan_lp")
@dataclass(frozen=True)
class WganLp:
    """WGAN with the one-sided penalty, WGAN-LP (Petzka et al. 2018, arXiv:1709.08894).

    L_D = E[D(G(z))] - E[D(x)] + weight E[max(0, ||grad D(x_hat)|| - 1)^2]
    L_G = -E[D(G(z))]
    x_hat = alpha x + (1 - alpha) G(z), one alpha ~ U(0, 1) per pair

    Slopes below 1 are allowed, as a 1-Lipschitz D may have them. The paper also tries x_hat around
    single samples, and other weights. Its settings are not recorded here; wgan_gp's are a start.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Petzka et al. 2018, arXiv:1709.08894"
    weight: NonNegative = 10.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        term = penalty("gradient_penalty", weight=self.weight, one_sided=True)
        return Objective(loss("wasserstein"), (term,), self.d_steps)


@register("wgan_div")
@dataclass(frozen=True)
class WganDiv:
    """WGAN-div (Wu et al. 2018, arXiv:1712.01026): a divergence that needs no Lipschitz constraint.

    L_D = E[D(G(z))] - E[D(x)] + k E[||grad D(x_hat)||^p]
    L_G = -E[D(G(z))]
    x_hat = alpha x + (1 - alpha) G(z), one alpha ~ U(0, 1) per pair

    k = 2 and p = 6 are the paper's. Its D is large on fake samples: the sign of D is turned here. The
    settings and the four D steps are those of the authors' code for CelebA, which has k = 10.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Wu et al. 2018, arXiv:1712.01026"
    divergence: ClassVar[str] = "Wasserstein divergence W_(k,p) (lower bound)"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 2e-4,
            "d_lr": 2e-4,
            "betas": (0.0, 0.9),
            "batch_size": 64,
            "latent_size": 128,
            "latent": "normal",
        }
    )
    k: NonNegative = 2.0
    p: Annotated[float, Gt(1)] = 6.0
    d_steps: Count = 4

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(loss("wasserstein"), (penalty("wgan_div", k=self.k, p=self.p),), self.d_steps)
