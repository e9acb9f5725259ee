"""Consensus optimisation: both players are to agree where neither moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.plugins import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


@register("consensus")
@dataclass(frozen=True)
class Consensus:
    """Consensus optimisation (Mescheder et al. 2017, arXiv:1705.10461, algorithm 2).

    gamma/2 * (||grad_D L_D||^2 + ||grad_G L_G||^2), added to L_D and to L_G alike

    Each gradient is that of a player's own loss in its own parameters; the term is differentiated in both
    players'. 10 is the paper's gamma; 1 is enough for the Dirac GAN. With convolutions the last bits of a cell
    (about 1e-8) may depend on the cohort that it trains in.
    """

    gamma: NonNegative = 10.0

    per_cell: ClassVar[tuple[str, ...]] = ("gamma",)
    version: ClassVar[int] = 1

    def of_gradients(self, d_gradient: Tensor, g_gradient: Tensor) -> Tensor:
        """Return the penalty `(cells,)` of flat gradients `(cells, size)`."""
        return self.gamma / 2 * (d_gradient.square().sum(-1) + g_gradient.square().sum(-1))
