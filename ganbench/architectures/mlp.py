"""Fully connected networks, for points and small images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ganbench.architectures import register
from ganbench.architectures.layers import Activation, RowNorm, activation, biased, row_norm, spectral_restraints
from ganbench.plugins import Count, NonNegative, Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn


@register("mlp")
@dataclass(frozen=True)
class MLP:
    """Fully connected networks, without normalisation unless asked, as in Goodfellow et al. 2014 (arXiv:1406.2661).

    G: latent -> depth x (width, g_norm, g_activation) -> sample; tanh at the end for images, linear for points
    D: sample -> depth x (width, d_norm, d_activation) -> logit, or features

    The autoencoder is D to its features and G back from them, without a norm: one sample's error must not depend on
    the others. `slope` is that of the leaky ReLU, in both networks. Weights start as torch's linear layers do.
    "layer" norm is over the numbers of a hidden layer; "spectral" divides every weight by its largest singular
    value, as the penalty spectral_norm does.
    """

    width: Count = 128
    depth: Count = 3
    g_activation: Activation = "relu"
    slope: NonNegative = 0.2
    d_activation: Activation = "leaky_relu"
    g_norm: RowNorm = "none"
    d_norm: RowNorm = "none"

    version: ClassVar[int] = 1

    @property
    def restraints(self) -> tuple[Normalisation, ...]:
        """Return the normalisations of weights that the norms ask for."""
        return spectral_restraints(self.g_norm, self.d_norm)

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None: any points and images can."""
        if len(shape) in (1, 3) and min(shape) > 0:
            return None
        return f"mlp makes points (n,) and images (channels, height, width), not samples of shape {shape}"

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to samples `(batch, *shape)`."""
        from torch import nn

        layers = [*self._hidden(latent_size, self.g_norm, self.g_activation), nn.Linear(self.width, math.prod(shape))]
        if len(shape) == 3:
            layers += [nn.Tanh(), nn.Unflatten(1, shape)]
        return nn.Sequential(*layers)

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: samples `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: samples `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        hidden = self._hidden(math.prod(shape), self.d_norm, self.d_activation)
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(self.width, features))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: samples `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))

    def _hidden(self, inputs: int, norm: RowNorm, activated: Activation) -> list[nn.Module]:
        from torch import nn

        layers: list[nn.Module] = []
        for size in (inputs, *(self.width,) * (self.depth - 1)):
            layers += [nn.Linear(size, self.width, bias=biased(norm)), *row_norm(norm, self.width)]
            layers.append(activation(activated, self.slope))
        return layers
