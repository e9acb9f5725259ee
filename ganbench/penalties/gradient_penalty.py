"""The gradient penalty of WGAN-GP, with WGAN-LP's and DRAGAN's forms of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.penalties.input_gradient import EPSILON, squared_gradient_norm
from ganbench.penalties.points import At, points
from ganbench.plugins import Count, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic, Noise


@register("gradient_penalty")
@dataclass(frozen=True)
class GradientPenalty:
    """Gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, WGAN-GP).

    weight * E[(||grad D(x_hat)|| - target)^2], with each sample's own L2 norm and, by `at`, x_hat =
    "interpolates":  alpha x + (1 - alpha) G(z), one alpha ~ U(0, 1) per sample
    "real":          x
    "fake":          G(z)
    "perturbed":     x + alpha 1/2 std(x) U, U ~ U(0, 1) per pixel, std over the batch
                     (DRAGAN, Kodali et al. 2017, arXiv:1705.07215, as in its authors' code)

    one_sided=True: weight * E[max(0, ||grad D(x_hat)|| - target)^2] (WGAN-LP, Petzka et al. 2018,
    arXiv:1709.08894). target=0: the zero-centred penalty (Thanh-Tung et al. 2019, arXiv:1902.03984).
    every=n: added at every n-th D step, n-fold (lazy regularisation, Karras et al. 2020, arXiv:1912.04958).
    """

    weight: NonNegative = 10.0
    target: NonNegative = 1.0
    one_sided: bool = False
    at: At = "interpolates"
    every: Count = 1

    per_cell: ClassVar[tuple[str, ...]] = ("weight",)
    version: ClassVar[int] = 1

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return the penalty `(cells,)`."""
        norm = (squared_gradient_norm(critic, points(self.at, real, fake, noise)) + EPSILON).sqrt()
        excess = (norm - self.target).relu() if self.one_sided else norm - self.target
        return self.weight * excess.square().mean(-1)
