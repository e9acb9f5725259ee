"""The least-squares loss of LSGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.losses import register

if TYPE_CHECKING:
    from torch import Tensor


@register("least_squares")
@dataclass(frozen=True)
class LeastSquares:
    """Least-squares loss, LSGAN (Mao et al. 2017, arXiv:1611.04076, equation 2).

    L_D = 1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]
    L_G = 1/2 E[(D(G(z)) - c)^2]

    D's raw output is squared, as in the paper; on="probability" squares sigmoid(D) instead, the reading of
    Lucic et al. 2018 (arXiv:1711.10337). Where real and fake cannot be told apart, D = (a + b)/2 and
    L_D = (b - a)^2 / 4.
    """

    a: float = 0.0
    b: float = 1.0
    c: float = 1.0
    on: Literal["logit", "probability"] = "logit"

    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "least squares"
    source: ClassVar[str] = "Mao et al. 2017, arXiv:1611.04076"
    version: ClassVar[int] = 1

    @property
    def divergence(self) -> str:
        """What D bounds, or what the paper shows that G minimises where D is at its best."""
        if (self.b - self.c, self.b - self.a, self.on) == (1, 2, "logit"):
            return "Pearson chi^2(real + fake, 2 fake) (D at its best)"
        return "triangular discrimination (lower bound)"

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        best = (self.a + self.b) / 2
        if self.on == "probability":
            best = min(max(best, 0.0), 1.0)
        return ((best - self.b) ** 2 + (best - self.a) ** 2) / 2

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return self._half_square(real, self.b) + self._half_square(fake, self.a)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        return self._half_square(fake, self.c)

    def posterior(self, logits: Tensor) -> Tensor:
        """p_real / (p_real + p_fake) from D's output, at its best (b p_real + a p_fake) / (p_real + p_fake).

        A probability cannot follow targets outside [0, 1] all the way. ValueError where a = b: D's best is then the
        same for every sample.
        """
        if self.a == self.b:
            raise ValueError("a and b are equal: D at its best does not tell samples apart")
        return ((self._output(logits) - self.a) / (self.b - self.a)).clamp(0, 1)

    def _half_square(self, logits: Tensor, target: float) -> Tensor:
        return (self._output(logits) - target).square().mean(-1) / 2

    def _output(self, logits: Tensor) -> Tensor:
        return logits.sigmoid() if self.on == "probability" else logits
