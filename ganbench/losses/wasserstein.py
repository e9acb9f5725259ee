"""The Wasserstein loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register

if TYPE_CHECKING:
    from torch import Tensor


@register("wasserstein")
@dataclass(frozen=True)
class Wasserstein:
    """Wasserstein loss, WGAN (Arjovsky et al. 2017, arXiv:1701.07875).

    L_D = E[D(G(z))] - E[D(x)]
    L_G = -E[D(G(z))]

    L_D has no lower bound of its own: D must be held back, by weight_clip (WGAN) or by gradient_penalty
    (WGAN-GP). Where real and fake cannot be told apart, L_D = 0.
    """

    needs_real: ClassVar[bool] = False
    equilibrium: ClassVar[float] = 0.0
    family: ClassVar[str] = "Wasserstein"
    divergence: ClassVar[str] = "Wasserstein-1 (lower bound; times D's Lipschitz constant)"
    source: ClassVar[str] = "Arjovsky et al. 2017, arXiv:1701.07875"
    version: ClassVar[int] = 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return fake.mean(-1) - real.mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        return -fake.mean(-1)
