"""Where a gradient penalty looks at D: on real samples, on fake ones, between or around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise

At = Literal["interpolates", "real", "fake", "perturbed"]


def points(at: At, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
    """Return one point for each pair of a real and a fake sample, with random numbers of its own."""
    if at == "real":
        return real
    if at == "fake":
        return fake
    batch, *shape = real.shape[1:]
    alpha = noise.uniform((batch, *(1 for _ in shape)))
    if at == "interpolates":
        return alpha * real + (1 - alpha) * fake
    std = real.std(dim=tuple(range(1, real.ndim)), correction=0, keepdim=True)
    return real + alpha * std / 2 * noise.uniform((batch, *shape))
