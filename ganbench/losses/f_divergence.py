"""The variational bounds of f-GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.losses import register
from ganbench.losses.variational_bounds import BOUNDS, Kind

if TYPE_CHECKING:
    from torch import Tensor


@register("f_divergence")
@dataclass(frozen=True)
class FDivergence:
    """Variational bound of an f-divergence, f-GAN (Nowozin et al. 2016, arXiv:1606.00709, tables 2 and 6).

    L_D = -(E[T(D(x))] - E[f*(T(D(G(z))))])
    L_G = -E[f*(T(D(G(z))))] with game="minimax", -E[T(D(G(z)))] with game="non_saturating" (section 3.2)
    kind                  f(u), u = p_real / p_fake         T(v)            f*(T(v))
    "kl"                  u log u                           v               exp(v - 1)
    "reverse_kl"          -log u                            -exp(-v)        v - 1
    "pearson"             (u - 1)^2                         v               v^2 / 4 + v
    "neyman"              (1 - u)^2 / u                     1 - exp(-v)     2 - 2 exp(-v / 2)
    "squared_hellinger"   (sqrt(u) - 1)^2                   1 - exp(-v)     exp(v) - 1
    "jensen_shannon"      u log u - (u + 1) log((u + 1)/2)  log 2 - sp(-v)  sp(v) - log 2
    "gan"                 u log u - (u + 1) log(u + 1)      -sp(-v)         sp(v)
    "gan" is minimax or non_saturating, by its game. T increases, so that large logits mean real: the exp(v) that
    some codes have in T turns that round. "pearson" keeps its parabola below v = -2, as the paper does.

    Where exp(v) is used, logits v > 20 enter as 20 + log(1 + v - 20), and where exp(-v) is, v < -20 likewise: the
    exponential goes on as its tangent, finite and never flat. As any increasing T will do, L_D still is the bound
    of the same divergence. Where real and fake cannot be told apart, L_D = -f(1): 0, but 2 log 2 for "gan".
    """

    kind: Kind = "kl"
    game: Literal["minimax", "non_saturating"] = "non_saturating"

    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "f-divergence"
    source: ClassVar[str] = "Nowozin et al. 2016, arXiv:1606.00709"
    version: ClassVar[int] = 1

    @property
    def divergence(self) -> str:
        """What -L_D bounds from below."""
        return f"{BOUNDS[self.kind].divergence} (lower bound)"

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        return 0.0 - BOUNDS[self.kind].least

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        bound = BOUNDS[self.kind]
        return bound.conjugate(fake).mean(-1) - bound.output(real).mean(-1)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        bound = BOUNDS[self.kind]
        return -(bound.conjugate if self.game == "minimax" else bound.output)(fake).mean(-1)

    def posterior(self, logits: Tensor) -> Tensor:
        """p_real / (p_real + p_fake), where D is at its best: u / (1 + u) with u = (f')^-1(T(D))."""
        return BOUNDS[self.kind].log_ratio(logits).sigmoid()
