"""The hinge loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register
from ganbench.plugins import Positive

if TYPE_CHECKING:
    from torch import Tensor


@register("hinge")
@dataclass(frozen=True)
class Hinge:
    """Hinge loss (Lim and Ye 2017, arXiv:1705.02894; Tran et al. 2017, arXiv:1702.08896).

    L_D = E[max(0, m - D(x))] + E[max(0, m + D(G(z)))]
    L_G = -E[D(G(z))]
    with m = margin. Where real and fake cannot be told apart, L_D = 2 m.
    """

    margin: Positive = 1.0

    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "hinge"
    divergence: ClassVar[str] = "total variation (lower bound)"
    source: ClassVar[str] = "Lim and Ye 2017, arXiv:1705.02894; Tran et al. 2017, arXiv:1702.08896"
    version: ClassVar[int] = 1

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return 2 * self.margin

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return (self.margin - real).relu().mean(-1) + (self.margin + fake).relu().mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        return -fake.mean(-1)
