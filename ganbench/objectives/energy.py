"""Recipes whose D is an autoencoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from annotated_types import Gt, Le

from ganbench.objectives import Objective, loss, register
from ganbench.plugins import Count, NonNegative, Positive


@register("ebgan")
@dataclass(frozen=True)
class Ebgan:
    """EBGAN-PT (Zhao et al. 2016, arXiv:1609.03126): D rebuilds real samples better than fake ones.

    L_D = E[e(x)] + E[max(0, m - e(G(z)))]
    L_G = E[e(G(z))] + pulling_away mean_{i != j} cos(s_i, s_j)^2
    with e the squared error of the autoencoder D, m = margin, and s_i its codes of fake samples

    e is the mean over a sample's numbers, so m does not depend on the size of images; the paper's m, 10
    to 80, go with other scales. pulling_away=0 is EBGAN without PT. The settings are not recorded here:
    the paper searches a grid of them.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Zhao et al. 2016, arXiv:1609.03126"
    margin: Positive = 1.0
    features: Count = 32
    pulling_away: NonNegative = 0.1
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        chosen = loss("energy", margin=self.margin, features=self.features, pulling_away=self.pulling_away)
        return Objective(chosen, d_steps=self.d_steps)


@register("began")
@dataclass(frozen=True)
class Began:
    """BEGAN (Berthelot et al. 2017, arXiv:1703.10717): D's two errors are kept in balance.

    L_D = E[e(x)] - k E[e(G(z))]
    L_G = E[e(G(z))]
    k <- min(1, max(0, k + lambda_k (gamma E[e(x)] - E[e(G(z))]))) after each D step, from k = 0,
    with e the absolute error of the autoencoder D

    The paper shows gamma = .3, .5 and .7: large for diversity, small for quality. Its learning rate
    begins between 5e-5 and 1e-4 and is halved when E[e(x)] + |gamma E[e(x)] - E[e(G(z))]| stalls.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Berthelot et al. 2017, arXiv:1703.10717"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-4,
            "d_lr": 1e-4,
            "batch_size": 16,
            "latent_size": 64,
            "latent": "uniform",
        }
    )
    gamma: Annotated[float, Gt(0), Le(1)] = 0.75
    lambda_k: NonNegative = 0.001
    features: Count = 64
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        chosen = loss("boundary_equilibrium", gamma=self.gamma, lambda_k=self.lambda_k, features=self.features)
        return Objective(chosen, d_steps=self.d_steps)
