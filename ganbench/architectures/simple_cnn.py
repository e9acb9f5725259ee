"""A small convolutional network that can be read at a glance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ganbench.architectures import register
from ganbench.architectures.layers import (
    Activation,
    Norm,
    activation,
    biased,
    halved,
    map_norm,
    spectral_restraints,
    why_not,
)
from ganbench.plugins import Count, Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn

SIDES = [side for side in range(8, 65) if halved(side) <= 7]


@register("simple_cnn")
@dataclass(frozen=True)
class SimpleCNN:
    """A plain network of 3 x 3 convolutions with as many channels at every size, for images of 8 to 64 pixels a side.

    G: latent -> linear, base x base x width -> doublings (norm, ReLU, nearest upsampling, convolution)
       -> norm, ReLU, convolution, tanh
    D: halvings (convolution, norm but not on the first, leaky ReLU .2, 2 x 2 average) -> linear -> logit

    It is nobody's network: it is here to ask whether a ranking of objectives holds on another one than dcgan, at
    about the same cost, and as an architecture to copy. Upsampling before a convolution leaves no checkerboard,
    which strided transposed convolutions do (Odena et al. 2016, distill.pub/2016/deconv-checkerboard); the one
    width makes small sizes as cheap as large ones are in dcgan. Weights start as torch's layers do.

    A vector critic is D with more numbers at its end. The autoencoder is D to such a code and G back from it,
    without a norm: one sample's error must not depend on the others.
    """

    width: Count = 32
    g_norm: Norm = "batch"
    d_norm: Norm = "none"
    g_activation: Activation = "relu"
    d_activation: Activation = "leaky_relu"

    version: ClassVar[int] = 1

    @property
    def restraints(self) -> tuple[Normalisation, ...]:
        """Return the normalisations of weights that the norms ask for."""
        return spectral_restraints(self.g_norm, self.d_norm)

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        return why_not("simple_cnn", shape, SIDES)

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        width, side = self.width, halved(shape[-1])
        layers: list[nn.Module] = [nn.Linear(latent_size, width * side**2), nn.Unflatten(1, (width, side, side))]
        while side < shape[-1]:
            layers += [*map_norm(self.g_norm, width), activation(self.g_activation)]
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1, bias=biased(self.g_norm))]
            side *= 2
        layers += [*map_norm(self.g_norm, width), activation(self.g_activation)]
        return nn.Sequential(*layers, nn.Conv2d(width, shape[0], 3, padding=1), nn.Tanh())

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        width, side = self.width, shape[-1]
        layers = [nn.Conv2d(shape[0], width, 3, padding=1), activation(self.d_activation), nn.AvgPool2d(2)]
        side //= 2
        while side > halved(shape[-1]):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=biased(self.d_norm)), *map_norm(self.d_norm, width)]
            layers += [activation(self.d_activation), nn.AvgPool2d(2)]
            side //= 2
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * side**2, features))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))
