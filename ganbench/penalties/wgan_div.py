"""The gradient penalty of WGAN-div."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt

from ganbench.penalties import register
from ganbench.penalties.input_gradient import EPSILON, squared_gradient_norm
from ganbench.penalties.points import At, points
from ganbench.plugins import Count, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic, Noise


@register("wgan_div")
@dataclass(frozen=True)
class WganDiv:
    """Penalty of the Wasserstein divergence, WGAN-div (Wu et al. 2018, arXiv:1712.01026, equation 6).

    k * E[||grad D(x_hat)||^p], with each sample's own L2 norm, and x_hat by `at` as in gradient_penalty

    The paper's D is large on fake samples: it maximises E D(G(z)) - E D(x) - k E||grad D||^p. Ours is large on
    real ones, as in every other loss here, which turns D's sign and leaves the norm: together with `wasserstein`
    this is the paper's objective. The paper finds points between samples best ("interpolates"). Some code
    raises the sum of squares to the power p, which is 2p here. every=n: at every n-th D step, n-fold.
    """

    k: NonNegative = 2.0
    p: Annotated[float, Gt(1)] = 6.0
    at: At = "interpolates"
    every: Count = 1

    per_cell: ClassVar[tuple[str, ...]] = ("k",)
    version: ClassVar[int] = 1

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return the penalty `(cells,)`."""
        squared = squared_gradient_norm(critic, points(self.at, real, fake, noise)) + EPSILON
        return self.k * squared.pow(self.p / 2).mean(-1)
