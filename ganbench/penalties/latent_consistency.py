"""Latent consistency: neighbouring latents look alike to D and unlike to G."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.plugins import NonNegative, Positive

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic, Noise


@register("latent_consistency")
@dataclass(frozen=True)
class LatentConsistency:
    """Latent consistency regularisation (zCR, Zhao et al. 2020, arXiv:2002.04724, algorithm 2).

    added to L_D:  d_weight * E[(D(G(z)) - D(G(z + delta)))^2], G frozen
    added to L_G: -g_weight * E[||G(z) - G(z + delta)||^2],     delta ~ N(0, sigma^2), each player's own draw

    The norm is the mean over a sample's numbers, so that one g_weight serves images of every size; their sum
    would be 3,072 times as large for 32 x 32 x 3. G's term has no lower bound: G is paid for variety, and
    a large g_weight makes it scatter. Weights and sigma are the paper's for unconditional images. With bCR
    (`consistency` with fake > 0) this is the paper's ICR.
    """

    d_weight: NonNegative = 5.0
    g_weight: NonNegative = 0.5
    sigma: Positive = 0.03

    per_cell: ClassVar[tuple[str, ...]] = ("d_weight", "g_weight")
    version: ClassVar[int] = 1

    def d_term(self, critic: Critic, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return D's term `(cells,)`; freezing G is the caller's."""
        near = generate(self._moved(latents, noise))
        return self.d_weight * (critic(fake) - critic(near)).square().mean(-1)

    def g_term(self, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return G's term `(cells,)`."""
        near = generate(self._moved(latents, noise))
        return -self.g_weight * (fake - near).square().flatten(1).mean(-1)

    def _moved(self, latents: Tensor, noise: Noise) -> Tensor:
        return latents + self.sigma * noise.normal(tuple(latents.shape[1:]))
