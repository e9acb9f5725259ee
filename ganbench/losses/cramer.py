"""The Cramer distance of D's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.losses import register
from ganbench.losses.pairs import mean_of_others, squared_distances
from ganbench.plugins import Count

if TYPE_CHECKING:
    from torch import Tensor

# Inside every root, so that the gradient is 0 and not NaN at distance zero; far below what float32 tells apart there.
EPSILON = 1e-8


@register("cramer")
@dataclass(frozen=True)
class Cramer:
    """Cramer GAN (Bellemare et al. 2017, arXiv:1705.10743, algorithm 1).

    L_D = E[f(G(z))] - E[f(x)],  f(u) = E|h(u) - h(G(z'))| - |h(u)|
    L_G = 2 E|h(x) - h(G(z))| - E|h(G(z)) - h(G(z'))|
    with features h, L2 norms and z' independent of z. L_G is the energy distance without E|h(x) - h(x')|, which G
    cannot change; f, the witness, has |h(u)| in the place of E|h(u) - h(x')|, so that one real sample is enough.

    The paper draws one z' per z; here every other fake sample of the batch is a z', which has the same expectation,
    less variance, and no second batch. The recipe adds the gradient penalty of f, weight 10. The paper's 256
    features are wider than the networks that small data need; here there are 32. Where real and fake cannot be
    told apart, L_D = 0.
    """

    features: Count = 32

    critic: ClassVar[str] = "vector"
    least_batch: ClassVar[int] = 2
    needs_real: ClassVar[bool] = True
    equilibrium: ClassVar[float] = 0.0
    family: ClassVar[str] = "kernel"
    divergence: ClassVar[str] = "energy distance of D's features (D ascends a surrogate)"
    source: ClassVar[str] = "Bellemare et al. 2017, arXiv:1705.10743"
    version: ClassVar[int] = 1

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the features of real and fake samples."""
        f_of_fake = mean_of_others(_distances(fake, fake)) - _norms(fake).mean(-1)
        return f_of_fake - self.witness(real, real, fake).mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the features of real and fake samples."""
        return 2 * _distances(real, fake).mean((-2, -1)) - mean_of_others(_distances(fake, fake))

    def witness(self, features: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """f of each sample: its mean distance to fake samples, minus its distance to the origin."""
        return _distances(features, fake).mean(-1) - _norms(features)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return (squared_distances(a, b) + EPSILON).sqrt()


def _norms(a: Tensor) -> Tensor:
    return (a.square().sum(-1) + EPSILON).sqrt()
