"""The relativistic loss on pairs of a real and a fake sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.losses import register
from ganbench.losses.softplus import softplus
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

    kind: Literal["logistic", "hinge", "least_squares"] = "logistic"
    margin: Positive = 1.0

    needs_real: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse a margin that would change nothing."""
        if self.kind == "logistic" and self.margin != 1:
            raise ValueError("kind='logistic' has no margin: leave it out, or take another kind")

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return {"logistic": math.log(2), "hinge": self.margin, "least_squares": self.margin**2}[self.kind]

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return self._h(real - fake).mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of real and fake samples."""
        return self._h(fake - real).mean(-1)

    def _h(self, u: Tensor) -> Tensor:
        if self.kind == "logistic":
            return softplus(-u)
        if self.kind == "hinge":
            return (self.margin - u).relu()
        return (u - self.margin).square()
