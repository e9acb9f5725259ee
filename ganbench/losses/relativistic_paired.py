"""The relativistic loss on pairs of a real and a fake sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register
from ganbench.losses.relativistic import Kind, h, h_of_zero, refuse_idle_margin
from ganbench.plugins import Positive

if TYPE_CHECKING:
    from torch import Tensor


@register("relativistic_paired")
@dataclass(frozen=True)
class RelativisticPaired:
    """Relativistic loss on pairs, RpGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4).

    L_D = E[h(D(x) - D(G(z)))]
    L_G = E[h(D(G(z)) - D(x))]
    kind="logistic":       h(u) = log(1 + exp(-u))
    kind="hinge":          h(u) = max(0, m - u), the margin-ranking loss
    kind="least_squares":  h(u) = (u - m)^2
    with m = margin, which the logistic kind does not have. The i-th real sample is paired with the i-th fake
    one. Where real and fake cannot be told apart, L_D = h(0).
    """

    kind: Kind = "logistic"
    margin: Positive = 1.0

    needs_real: ClassVar[bool] = True
    family: ClassVar[str] = "relativistic"
    divergence: ClassVar[str] = "a relativistic paired divergence (lower bound; arXiv:1901.02474)"
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse a margin that would change nothing."""
        refuse_idle_margin(self.kind, self.margin)

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return h_of_zero(self.kind, self.margin)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return h(self.kind, self.margin, real - fake).mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of real and fake samples."""
        return h(self.kind, self.margin, fake - real).mean(-1)
