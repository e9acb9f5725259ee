"""The loss of BEGAN, whose balance each cell remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Gt, Le

from ganbench.losses import register
from ganbench.plugins import Count, NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Memory


@register("boundary_equilibrium")
@dataclass(frozen=True)
class BoundaryEquilibrium:
    """Boundary equilibrium GAN, BEGAN (Berthelot et al. 2017, arXiv:1703.10717, section 3.4).

    L_D = E[e(x)] - k E[e(G(z))]
    L_G = E[e(G(z))]
    k <- min(1, max(0, k + lambda_k (gamma E[e(x)] - E[e(G(z))]))) after each D step, from k = 0
    where D is an autoencoder and e its reconstruction error, the mean over a sample's numbers of |x - D(x)|
    (error="absolute", the paper's) or of its square. gamma, the ratio E[e(G(z))] / E[e(x)] that k seeks, trades
    diversity (large) for quality (small).

    The paper takes E[e(G(z))] for k from G's samples; here k follows what D saw, before its step. L_D has no value
    of its own where real and fake cannot be told apart: in balance it is (1 - k gamma) E[e(x)].
    """

    gamma: Annotated[float, Gt(0), Le(1)] = 0.75
    lambda_k: NonNegative = 0.001
    features: Count = 64
    error: Literal["squared", "absolute"] = "absolute"

    critic: ClassVar[str] = "autoencoder"
    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "energy"
    divergence: ClassVar[str] = "Wasserstein-1 between reconstruction errors (lower bound)"
    source: ClassVar[str] = "Berthelot et al. 2017, arXiv:1703.10717"
    version: ClassVar[int] = 1

    def start(self, like: Tensor) -> Memory:
        """Begin with k = 0: D learns to rebuild real samples first."""
        return {"k": like.new_zeros(like.shape)}

    def remember(self, memory: Memory, real: Tensor, fake: Tensor) -> Memory:
        """Move k by what the errors of the D step owe to gamma."""
        owed = self.gamma * real[..., 0].detach().mean(-1) - fake[..., 0].detach().mean(-1)
        return {"k": (memory["k"] + self.lambda_k * owed).clamp(0, 1)}

    def discriminator(self, real: Tensor, fake: Tensor, memory: Memory) -> Tensor:
        """L_D from the errors of real and fake samples."""
        return real[..., 0].mean(-1) - memory["k"] * fake[..., 0].mean(-1)

    def generator(self, real: Tensor, fake: Tensor, memory: Memory) -> Tensor:
        """L_G from the errors of fake samples."""
        return fake[..., 0].mean(-1)
