"""DCGAN: strided convolutions, for images of 8 to 64 pixels a side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
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
from ganbench.plugins import Count, NonNegative, Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn

SIDES = [side for side in range(8, 65) if halved(side) <= 7]


@register("dcgan")
@dataclass(frozen=True)
class DCGAN:
    """DCGAN (Radford et al. 2015, arXiv:1511.06434), at any side of 8 to 64 that halves to a small base.

    G: latent -> linear, base x base x C -> norm, ReLU -> doublings (transposed 4 x 4 convolution, norm, ReLU)
       -> tanh, without a norm after the last
    D: halvings (4 x 4 convolution of stride 2, norm but not on the first, leaky ReLU .2) -> linear -> logit

    A vector critic is D with more numbers at its end. The autoencoder is D to such a code and G back from it,
    without a norm: one sample's error must not depend on the others.

    `width` is the number of channels at the largest size; it doubles with every halving of the side.
    g_norm and d_norm: the paper has "batch" in both. Here D has none by default: under batch norm a logit
    depends on the whole batch, so that a penalty on each sample's gradient (gradient_penalty, r1, r2) is not
    defined, and one D must serve all objectives. "layer" is over channels and pixels (WGAN-GP's choice); "spectral"
    divides every weight by its largest singular value, as the penalty spectral_norm does.
    Weights start as torch's layers do; init_std=0.02 is the paper's N(0, .02), made for networks with batch
    norm: a D without norm starts almost flat under it, and learns late.
    """

    width: Count = 32
    g_norm: Norm = "batch"
    d_norm: Norm = "none"
    init_std: NonNegative = 0.0
    g_activation: Activation = "relu"
    d_activation: Activation = "leaky_relu"

    version: ClassVar[int] = 1

    @property
    def restraints(self) -> tuple[Normalisation, ...]:
        """Return the normalisations of weights that the norms ask for."""
        return spectral_restraints(self.g_norm, self.d_norm)

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        return why_not("dcgan", shape, SIDES)

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        base, widths = halved(shape[-1]), self._widths(shape[-1])
        bias = biased(self.g_norm)
        layers: list[nn.Module] = [
            nn.Linear(latent_size, widths[-1] * base * base, bias=bias),
            nn.Unflatten(1, (widths[-1], base, base)),
        ]
        for inputs, outputs in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [*map_norm(self.g_norm, inputs), activation(self.g_activation)]
            layers.append(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias))
        layers += [*map_norm(self.g_norm, widths[0]), activation(self.g_activation)]
        layers += [nn.ConvTranspose2d(widths[0], shape[0], 4, stride=2, padding=1), nn.Tanh()]
        return self._started(nn.Sequential(*layers))

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        base, widths = halved(shape[-1]), self._widths(shape[-1])
        layers = [nn.Conv2d(shape[0], widths[0], 4, stride=2, padding=1), activation(self.d_activation)]
        for inputs, outputs in pairwise(widths):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=biased(self.d_norm)))
            layers += [*map_norm(self.d_norm, outputs), activation(self.d_activation)]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * base * base, features)]
        return self._started(nn.Sequential(*layers))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))

    def _widths(self, side: int) -> list[int]:
        return [self.width * 2**i for i in range((side // halved(side)).bit_length() - 1)]

    def _started(self, network: nn.Module) -> nn.Module:
        from torch import nn

        for module in network.modules():
            if self.init_std and isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=self.init_std)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        return network
