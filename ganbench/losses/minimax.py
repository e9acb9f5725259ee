"""The minimax loss of the first GAN."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register
from ganbench.losses.softplus import softplus

if TYPE_CHECKING:
    from torch import Tensor


@register("minimax")
@dataclass(frozen=True)
class Minimax:
    """Minimax loss, the saturating one (Goodfellow et al. 2014, arXiv:1406.2661, equation 1).

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))]
    L_G = -E[sp(D(G(z)))]
    where sp(u) = log(1 + exp(u)) and D gives logits.

    There is no factor 1/2 on L_D. Where real and fake cannot be told apart, L_D = 2 log 2.
    """

    needs_real: ClassVar[bool] = False
    equilibrium: ClassVar[float] = 2 * math.log(2)
    family: ClassVar[str] = "logistic"
    divergence: ClassVar[str] = "Jensen-Shannon (lower bound)"
    source: ClassVar[str] = "Goodfellow et al. 2014, arXiv:1406.2661"
    version: ClassVar[int] = 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return softplus(-real).mean(-1) + softplus(fake).mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        return -softplus(fake).mean(-1)

    def posterior(self, logits: Tensor) -> Tensor:
        """p_real / (p_real + p_fake), which sigmoid(D) is where D is at its best."""
        return logits.sigmoid()
