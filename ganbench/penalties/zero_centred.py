"""The zero-centred gradient penalties R1 and R2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.penalties.input_gradient import squared_gradient_norm
from ganbench.plugins import Count, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic, Noise


@register("r1")
@dataclass(frozen=True)
class R1:
    """R1: zero-centred gradient penalty on real samples (Mescheder et al. 2018, arXiv:1801.04406).

    gamma/2 * E[||grad D(x)||^2]

    The half belongs to it: code that writes gamma without it calls 10 what is 20 here. Samples are in
    [-1, 1]; with [0, 1] the same gamma weighs four times as much. 10 is the paper's gamma, for photographs of
    256 x 256; on points and small images .1 to 10 work, and 1 damps the Dirac GAN critically.

    every=n: added at every n-th D step, n-fold (lazy regularisation, Karras et al. 2020, arXiv:1912.04958, with
    n = 16; they also slow Adam down by n/(n + 1), which is left to the training settings here).
    """

    gamma: NonNegative = 10.0
    every: Count = 1

    per_cell: ClassVar[tuple[str, ...]] = ("gamma",)
    version: ClassVar[int] = 1

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:  # noqa: ARG002
        """Return the penalty `(cells,)`."""
        return self.gamma / 2 * squared_gradient_norm(critic, real).mean(-1)


@register("r2")
@dataclass(frozen=True)
class R2:
    """R2: zero-centred gradient penalty on fake samples (Mescheder et al. 2018, arXiv:1801.04406).

    gamma/2 * E[||grad D(G(z))||^2]

    With the half, on samples in [-1, 1], with the paper's gamma, and lazy by `every`, all as in r1.
    """

    gamma: NonNegative = 10.0
    every: Count = 1

    per_cell: ClassVar[tuple[str, ...]] = ("gamma",)
    version: ClassVar[int] = 1

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:  # noqa: ARG002
        """Return the penalty `(cells,)`."""
        return self.gamma / 2 * squared_gradient_norm(critic, fake).mean(-1)
