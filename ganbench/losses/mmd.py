"""The maximum mean discrepancy of D's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.losses import register
from ganbench.losses.pairs import mean_of_others, squared_distances
from ganbench.plugins import Count

if TYPE_CHECKING:
    from torch import Tensor

ALPHAS = (0.2, 0.5, 1.0, 2.0, 5.0)
SIGMAS = (1.0, 2.0, 4.0, 8.0, 16.0)


@register("mmd")
@dataclass(frozen=True)
class MMD:
    """MMD GAN (Li et al. 2017, arXiv:1705.08584; Binkowski et al. 2018, arXiv:1801.01401).

    L_D = -MMD^2(h(x), h(G(z)))
    L_G = MMD^2(h(x), h(G(z)))
    MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j), the unbiased
    estimate, which may be negative, of features h with the sum of kernels
    kernel="rational_quadratic":  k(x, y) = sum_a (1 + |x - y|^2 / (2 a))^-a,    a in .2, .5, 1, 2, 5 (Binkowski)
    kernel="rbf":                 k(x, y) = sum_s exp(-|x - y|^2 / (2 s^2)),     s in 1, 2, 4, 8, 16 (Li)

    The witness of a sample u is mean_i k(u, x_i) - mean_j k(u, y_j). D must be held back: Li clips its weights (and
    makes it an autoencoder, which is left out here), Binkowski adds the gradient penalty of the witness. Other
    codes keep the diagonals (biased), or average the kernels. Where real and fake cannot be told apart, L_D = 0.
    """

    kernel: Literal["rational_quadratic", "rbf"] = "rational_quadratic"
    features: Count = 16

    critic: ClassVar[str] = "vector"
    least_batch: ClassVar[int] = 2
    needs_real: ClassVar[bool] = True
    equilibrium: ClassVar[float] = 0.0
    family: ClassVar[str] = "kernel"
    divergence: ClassVar[str] = "squared MMD of D's features (unbiased)"
    source: ClassVar[str] = "Li et al. 2017, arXiv:1705.08584; Binkowski et al. 2018, arXiv:1801.01401"
    version: ClassVar[int] = 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the features of real and fake samples."""
        return -self.generator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the features of real and fake samples."""
        within = mean_of_others(self._k(real, real)) + mean_of_others(self._k(fake, fake))
        return within - 2 * self._k(real, fake).mean((-2, -1))

    def witness(self, features: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Each sample's mean kernel with real samples, minus that with fake ones."""
        return self._k(features, real).mean(-1) - self._k(features, fake).mean(-1)

    def _k(self, a: Tensor, b: Tensor) -> Tensor:
        squared = squared_distances(a, b)
        if self.kernel == "rbf":
            terms = [(squared / (-2 * sigma**2)).exp() for sigma in SIGMAS]
        else:
            # By the logarithm: the derivative of a power would take another power, three times the cost.
            terms = [(-alpha * (squared / (2 * alpha)).log1p()).exp() for alpha in ALPHAS]
        return sum(terms[1:], terms[0])
