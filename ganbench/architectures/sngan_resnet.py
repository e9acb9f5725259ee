"""The residual networks of SNGAN, for images of 32, 48, 64 and 128 pixels a side."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ganbench.architectures import register
from ganbench.architectures.layers import (
    Activation,
    Norm,
    activation,
    map_norm,
    spectral_restraints,
    why_not,
)
from ganbench.plugins import Count, Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn


class Layout(NamedTuple):
    """The channels after G's linear layer and after every block, as multiples of the width, and D's halvings."""

    base: int
    g: tuple[int, ...]
    d: tuple[int, ...]
    halvings: int


LAYOUTS = {
    32: Layout(4, (4, 4, 4, 4), (2, 2, 2, 2), 2),
    48: Layout(6, (8, 4, 2, 1), (1, 2, 4, 8, 16), 4),
    64: Layout(4, (16, 8, 4, 2, 1), (1, 2, 4, 8, 16), 5),
    128: Layout(4, (16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5),
}


@register("sngan_resnet")
@dataclass(frozen=True)
class SNGANResNet:
    """SNGAN's residual networks (Miyato et al. 2018, arXiv:1802.05957, tables 3 to 5), by the side of the image.

    G: latent -> linear to base x base -> blocks that double the side -> norm, ReLU, 3 x 3 convolution, tanh
    D: blocks, the first of which halve the side -> ReLU -> sum over all pixels -> linear -> logit

    | side | base | channels of G            | channels of D                      |
    | ---- | ---- | ------------------------ | ---------------------------------- |
    | 32   | 4    | 256, 3 x 256             | 128, 128 (halving), 128, 128       |
    | 48   | 6    | 512, 256, 128, 64        | 64, 128, 256, 512 (halving), 1024  |
    | 64   | 4    | 1024, 512, 256, 128, 64  | 64, 128, 256, 512, 1024 (halving)  |
    | 128  | 4    | 1024, 1024, 512, ..., 64 | 64, 128, ..., 1024 (halving), 1024 |

    with `width` = 64; another width scales them all. A block is x -> skip(x) + main(x), main = norm, ReLU, 3 x 3
    convolution, norm, ReLU, 3 x 3 convolution, and skip a 1 x 1 convolution where size or channels change. G doubles
    before the first convolution (nearest), D halves after the second (mean of 2 x 2), and D's first block has
    neither norm nor ReLU in front. Side 64 is that of the authors' code (github.com/pfnet-research/sngan_projection).
    A skip's 1 x 1 convolution is applied at the smaller size: it commutes with the resizing.

    Weights start as in that code: Glorot uniform, times sqrt 2 in main, biases zero. d_norm: "spectral" is the
    paper's, on every weight; an objective that has spectral_norm on D itself does not have it twice. An objective
    that holds D back in its own way (gradient penalty, clipping) is meant for d_norm: none, or layer.

    A vector critic is D with more numbers at its end. The autoencoder is D to such a code and G back from it,
    without a norm: one sample's error must not depend on the others.
    """

    width: Count = 64
    g_norm: Norm = "batch"
    d_norm: Norm = "spectral"
    g_activation: Activation = "relu"
    d_activation: Activation = "relu"

    version: ClassVar[int] = 1

    @property
    def restraints(self) -> tuple[Normalisation, ...]:
        """Return the normalisations of weights that the norms ask for."""
        return spectral_restraints(self.g_norm, self.d_norm)

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        return why_not("sngan_resnet", shape, LAYOUTS)

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        layout = LAYOUTS[shape[-1]]
        channels = [self.width * multiple for multiple in layout.g]
        last = nn.Conv2d(channels[-1], shape[0], 3, padding=1)
        return nn.Sequential(
            _glorot(nn.Linear(latent_size, channels[0] * layout.base**2)),
            nn.Unflatten(1, (channels[0], layout.base, layout.base)),
            *(self._doubling(inputs, outputs) for inputs, outputs in pairwise(channels)),
            *(*map_norm(self.g_norm, channels[-1]), activation(self.g_activation), _glorot(last), nn.Tanh()),
        )

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        layout = LAYOUTS[shape[-1]]
        channels = [self.width * multiple for multiple in layout.d]
        sizes = enumerate(pairwise(channels), start=1)
        return nn.Sequential(
            self._first(shape[0], channels[0]),
            *(self._judging(inputs, outputs, at < layout.halvings) for at, (inputs, outputs) in sizes),
            activation(self.d_activation),
            nn.AvgPool2d(shape[-1] // 2**layout.halvings, divisor_override=1),
            nn.Flatten(),
            _glorot(nn.Linear(channels[-1], features)),
        )

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))

    def _doubling(self, inputs: int, outputs: int) -> nn.Module:
        from torch import nn

        from ganbench.architectures.residual import Residual

        main = nn.Sequential(
            *(*map_norm(self.g_norm, inputs), activation(self.g_activation), nn.Upsample(scale_factor=2)),
            _convolution(inputs, outputs),
            *(*map_norm(self.g_norm, outputs), activation(self.g_activation)),
            _convolution(outputs, outputs),
        )
        return Residual(main, nn.Sequential(_pointwise(inputs, outputs), nn.Upsample(scale_factor=2)))

    def _first(self, inputs: int, outputs: int) -> nn.Module:
        from torch import nn

        from ganbench.architectures.residual import Residual

        main = nn.Sequential(
            _convolution(inputs, outputs),
            *(*map_norm(self.d_norm, outputs), activation(self.d_activation)),
            *(_convolution(outputs, outputs), nn.AvgPool2d(2)),
        )
        return Residual(main, nn.Sequential(nn.AvgPool2d(2), _pointwise(inputs, outputs)))

    def _judging(self, inputs: int, outputs: int, halving: bool) -> nn.Module:
        from torch import nn

        from ganbench.architectures.residual import Residual

        smaller = [nn.AvgPool2d(2)] if halving else []
        main = nn.Sequential(
            *(*map_norm(self.d_norm, inputs), activation(self.d_activation), _convolution(inputs, inputs)),
            *(*map_norm(self.d_norm, inputs), activation(self.d_activation), _convolution(inputs, outputs)),
            *smaller,
        )
        same = inputs == outputs and not halving
        return Residual(main, None if same else nn.Sequential(*smaller, _pointwise(inputs, outputs)))


def _convolution(inputs: int, outputs: int) -> nn.Module:
    from torch import nn

    return _glorot(nn.Conv2d(inputs, outputs, 3, padding=1), math.sqrt(2))


def _pointwise(inputs: int, outputs: int) -> nn.Module:
    from torch import nn

    return _glorot(nn.Conv2d(inputs, outputs, 1))


def _glorot(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> nn.Module:
    from torch import nn

    nn.init.xavier_uniform_(layer.weight, gain)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
