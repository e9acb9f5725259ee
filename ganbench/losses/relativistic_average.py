"""The relativistic loss against the average of the other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register
from ganbench.losses.relativistic import Kind, h, h_of_zero, refuse_idle_margin
from ganbench.plugins import Positive

if TYPE_CHECKING:
    from torch import Tensor


@register("relativistic_average")
@dataclass(frozen=True)
class RelativisticAverage:
    """Relativistic average loss, RaGAN (Jolicoeur-Martineau 2018, arXiv:1807.00734, section 4).

    L_D = E[h(D(x) - E D(G(z)))] + E[h(E D(x) - D(G(z)))]
    L_G = E[h(D(G(z)) - E D(x))] + E[h(E D(G(z)) - D(x))]
    with h and margin as in relativistic_paired: kind="logistic" (RaSGAN), "hinge" (RaHingeGAN) or
    "least_squares" (RaLSGAN). The inner E are means over the batch, with gradient.

    The paper has no factor 1/2; its author's code and ESRGAN's halve both losses. Where real and fake cannot be
    told apart, L_D = 2 h(0).
    """

    kind: Kind = "logistic"
    margin: Positive = 1.0

    needs_real: ClassVar[bool] = True
    family: ClassVar[str] = "relativistic"
    divergence: ClassVar[str] = "a relativistic average divergence (biased estimate; arXiv:1901.02474)"
    source: ClassVar[str] = "Jolicoeur-Martineau 2018, arXiv:1807.00734"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse a margin that would change nothing."""
        refuse_idle_margin(self.kind, self.margin)

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return 2 * h_of_zero(self.kind, self.margin)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return self._above_average(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of real and fake samples."""
        return self._above_average(fake, real)

    def _above_average(self, upper: Tensor, lower: Tensor) -> Tensor:
        over = h(self.kind, self.margin, upper - lower.mean(-1, keepdim=True))
        under = h(self.kind, self.margin, upper.mean(-1, keepdim=True) - lower)
        return over.mean(-1) + under.mean(-1)
