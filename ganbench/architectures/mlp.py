"""Fully connected networks, for points and small images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.architectures import register
from ganbench.plugins import Count, NonNegative, Shape

if TYPE_CHECKING:
    from torch import nn


@register("mlp")
@dataclass(frozen=True)
class MLP:
    """Fully connected networks without normalisation, as in Goodfellow et al. 2014 (arXiv:1406.2661).

    G: latent -> depth x (width, g_activation) -> sample; tanh at the end for images, linear for points
    D: sample -> depth x (width, leaky ReLU)   -> logit, or features

    The autoencoder is D to its features and G back from them. `slope` is that of the leaky ReLU, in both networks.
    Weights start as torch's linear layers do.
    """

    width: Count = 128
    depth: Count = 3
    g_activation: Literal["relu", "leaky_relu"] = "relu"
    slope: NonNegative = 0.2

    version: ClassVar[int] = 1

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None: any points and images can."""
        if len(shape) in (1, 3) and min(shape) > 0:
            return None
        return f"mlp makes points (n,) and images (channels, height, width), not samples of shape {shape}"

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to samples `(batch, *shape)`."""
        from torch import nn

        slope = self.slope if self.g_activation == "leaky_relu" else 0.0
        layers = [*self._hidden(latent_size, slope), nn.Linear(self.width, math.prod(shape))]
        if len(shape) == 3:
            layers += [nn.Tanh(), nn.Unflatten(1, shape)]
        return nn.Sequential(*layers)

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: samples `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: samples `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        hidden = self._hidden(math.prod(shape), self.slope)
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(self.width, features))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: samples `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        return Autoencoder(self.vector_critic(shape, features), self.generator(shape, features))

    def _hidden(self, inputs: int, slope: float) -> list[nn.Module]:
        from torch import nn

        layers: list[nn.Module] = []
        for size in (inputs, *(self.width,) * (self.depth - 1)):
            layers += [nn.Linear(size, self.width), nn.LeakyReLU(slope) if slope else nn.ReLU()]
        return layers
