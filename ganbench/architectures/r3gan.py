"""R3GAN's networks: residual, without normalisation, for images of 8 to 128 pixels a side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from ganbench.architectures import register
from ganbench.architectures.layers import Activation, activation, why_not
from ganbench.plugins import Count, Shape

if TYPE_CHECKING:
    from torch import nn

BASE = 4  # the side at which both networks begin and end
EXPANSION, GROUP = 2, 16  # the inverted bottleneck's, and the channels that one group of its convolution sees
GAIN = math.sqrt(2 / (1 + 0.2**2))  # keeps the variance through a leaky ReLU .2


@register("r3gan")
@dataclass(frozen=True)
class R3GANNetwork:
    """R3GAN's networks, configuration E (Huang et al. 2024, arXiv:2501.05441), for sides 8, 16, 32, 64 and 128.

    G: latent -> linear, each number times a learned 4 x 4 map -> stages -> 1 x 1 convolution -> tanh
       stage: [1 x 1 convolution if channels change, upsampling] -> `blocks` blocks
    D: 1 x 1 convolution -> stages -> one learned 4 x 4 map against each channel -> linear -> logit
       stage: `blocks` blocks -> [2 x 2 average, 1 x 1 convolution if channels change]
    block: x -> x + 1 x 1 (C) of leaky ReLU of grouped 3 x 3 (2 C) of leaky ReLU of 1 x 1 (2 C)

    As in the paper: the blocks, biases only in front of a leaky ReLU and on no other layer, groups of 16 channels,
    C = `width` = 768 up to side 32, C/2 at 64 and C/4 at 128, two blocks a stage, and the fix-up start: variance
    kept by every layer, the blocks' first two divided by L^(1/4) for L blocks in all, their last zero, so that every
    block begins as the identity. At side 32 with 64 latents that is the paper's 20.73 M and 20.68 M parameters.
    Simplified: bilinear resampling is torch's (the authors filter with [1, 2, 1]), images end in tanh (the authors'
    G is linear there), no labels inside the networks, and no half precision of their own.

    There is no norm to choose, and a penalty that divides weights by their norm cannot start from zeros. Where groups
    of 16 do not divide a narrow stage, they are larger. A vector critic is D with more numbers at its end, and the
    autoencoder is D to such a code and G back from it. The objective that these networks were made for is r3gan.
    """

    width: Count = 768
    blocks: Count = 2
    g_activation: Activation = "leaky_relu"
    d_activation: Activation = "leaky_relu"

    version: ClassVar[int] = 1
    zero_weights: ClassVar[bool] = True

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        why = why_not("r3gan", shape, (8, 16, 32, 64, 128))
        if why is None and self.width * 32 % max(shape[-1], 32):
            return f"r3gan has width / {shape[-1] // 32} channels at side {shape[-1]}, which {self.width} does not give"
        return why

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        widths = self._widths(shape[-1])
        first = widths[0]
        basis = nn.ConvTranspose2d(first, first, BASE, groups=first, bias=False)
        nn.init.normal_(basis.weight)
        layers = [_started(nn.Linear(latent_size, first, bias=False)), nn.Unflatten(1, (first, 1, 1)), basis]
        layers += self._blocks(first, len(widths), self.g_activation)
        for inputs, outputs in pairwise(widths):
            layers += [*_pointwise(inputs, outputs), nn.Upsample(scale_factor=2, mode="bilinear")]
            layers += self._blocks(outputs, len(widths), self.g_activation)
        return nn.Sequential(*layers, _started(nn.Conv2d(widths[-1], shape[0], 1, bias=False)), nn.Tanh())

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        widths = self._widths(shape[-1])[::-1]
        last = widths[-1]
        layers = [_started(nn.Conv2d(shape[0], widths[0], 1, bias=False))]
        for inputs, outputs in pairwise(widths):
            layers += self._blocks(inputs, len(widths), self.d_activation)
            layers += [nn.AvgPool2d(2), *_pointwise(inputs, outputs)]
        layers += self._blocks(last, len(widths), self.d_activation)
        basis = _started(nn.Conv2d(last, last, BASE, groups=last, bias=False))
        return nn.Sequential(*layers, basis, nn.Flatten(), _started(nn.Linear(last, features, bias=False)))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, self.generator(shape, features))

    def _widths(self, side: int) -> list[int]:
        """List the channels of every size, the smallest first."""
        sizes = [BASE * 2**doublings for doublings in range((side // BASE).bit_length())]
        return [self.width * 32 // max(size, 32) for size in sizes]

    def _blocks(self, channels: int, stages: int, activated: Activation) -> Iterator[nn.Module]:
        from torch import nn

        from ganbench.architectures.residual import Residual

        inner, gain = EXPANSION * channels, GAIN * (stages * self.blocks) ** -0.25
        groups = math.gcd(inner, max(inner // GROUP, 1))
        for _ in range(self.blocks):
            expand = _started(nn.Conv2d(channels, inner, 1), gain)
            mix = _started(nn.Conv2d(inner, inner, 3, padding=1, groups=groups), gain)
            shrink = _started(nn.Conv2d(inner, channels, 1, bias=False), 0.0)
            yield Residual(nn.Sequential(expand, activation(activated), mix, activation(activated), shrink))


def _pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    from torch import nn

    return [_started(nn.Conv2d(inputs, outputs, 1, bias=False))] if inputs != outputs else []


def _started(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> nn.Module:
    """Draw a layer's weights so that it multiplies the variance of its inputs by gain squared."""
    from torch import nn

    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
