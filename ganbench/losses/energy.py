"""The loss of the energy-based GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.losses import register
from ganbench.losses.pairs import mean_of_others
from ganbench.plugins import Count, NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor

# Inside the norm of a code, so that an empty code has no direction and a gradient of 0.
EPSILON = 1e-12


@register("energy")
@dataclass(frozen=True)
class Energy:
    """Energy-based GAN, EBGAN (Zhao et al. 2016, arXiv:1609.03126, equations 1 and 2).

    L_D = E[e(x)] + E[max(0, m - e(G(z)))]
    L_G = E[e(G(z))] + weight * mean_{i != j} (s_i . s_j / (|s_i| |s_j|))^2
    where D is an autoencoder, e its reconstruction error, m = margin, and s the codes of fake samples; the last is
    the pulling-away term, weight = pulling_away (0: EBGAN, the paper's .1: EBGAN-PT).

    e is the mean over a sample's numbers (error="squared" or "absolute"), so that m does not depend on the size
    of images: the paper's m, 10 (MNIST) to 80 (LSUN), go with other scales. Some codes forget the square of the
    pulling-away term, or apply the max to the batch's mean. Where real and fake cannot be told apart, any
    constant e between 0 and m is best, and L_D = m.
    """

    margin: Positive = 1.0
    features: Count = 32
    error: Literal["squared", "absolute"] = "squared"
    pulling_away: NonNegative = 0.0

    critic: ClassVar[str] = "autoencoder"
    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "energy"
    divergence: ClassVar[str] = "total variation (lower bound; loose, as D is an autoencoder)"
    source: ClassVar[str] = "Zhao et al. 2016, arXiv:1609.03126"
    version: ClassVar[int] = 1

    @property
    def least_batch(self) -> int:
        """Two samples where the pulling-away term compares them."""
        return 2 if self.pulling_away else 1

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return self.margin

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the errors (and codes) of real and fake samples."""
        return real[..., 0].mean(-1) + (self.margin - fake[..., 0]).relu().mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the errors and codes of fake samples."""
        error = fake[..., 0].mean(-1)
        if self.pulling_away == 0:
            return error
        code = fake[..., 1:]
        direction = code * (code.square().sum(-1, keepdim=True) + EPSILON).rsqrt()
        return error + self.pulling_away * mean_of_others((direction @ direction.mT).square())
