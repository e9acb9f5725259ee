"""DCGAN: strided convolutions, for images of 8 to 64 pixels a side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.architectures import register
from ganbench.plugins import Count, NonNegative, Shape

if TYPE_CHECKING:
    from torch import nn

Norm = Literal["batch", "instance", "layer", "none"]


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
    defined, and one D must serve all objectives. "layer" is over channels and pixels (WGAN-GP's choice).
    Weights start as torch's layers do; init_std=0.02 is the paper's N(0, .02), made for networks with batch
    norm: a D without norm starts almost flat under it, and learns late.
    """

    width: Count = 32
    g_norm: Norm = "batch"
    d_norm: Norm = "none"
    init_std: NonNegative = 0.0

    version: ClassVar[int] = 1

    def supports(self, shape: Shape) -> str | None:
        """Return why samples of `shape` cannot be built, or None."""
        if len(shape) != 3:
            return f"dcgan makes images (channels, side, side), not samples of shape {shape}; try mlp"
        channels, height, width = shape
        if height != width:
            return f"dcgan makes square images, not {height} x {width}; try mlp, or crop"
        if not 8 <= height <= 64 or _base(height) > 7:
            sides = ", ".join(str(side) for side in range(8, 65) if _base(side) <= 7)
            return f"dcgan makes images of side {sides}, not {height}; try mlp, or resize"
        return None if channels > 0 else "an image needs at least one channel"

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        base, widths = _base(shape[-1]), self._widths(shape[-1])
        bias = self.g_norm == "none"  # a norm would subtract it again
        layers: list[nn.Module] = [
            nn.Linear(latent_size, widths[-1] * base * base, bias=bias),
            nn.Unflatten(1, (widths[-1], base, base)),
        ]
        for inputs, outputs in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [*_norm(self.g_norm, inputs), nn.ReLU()]
            layers.append(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias))
        layers += [*_norm(self.g_norm, widths[0]), nn.ReLU()]
        layers += [nn.ConvTranspose2d(widths[0], shape[0], 4, stride=2, padding=1), nn.Tanh()]
        return self._started(nn.Sequential(*layers))

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        base, widths = _base(shape[-1]), self._widths(shape[-1])
        layers = [nn.Conv2d(shape[0], widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for inputs, outputs in pairwise(widths):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=self.d_norm == "none"))
            layers += [*_norm(self.d_norm, outputs), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), nn.Linear(widths[-1] * base * base, features)]
        return self._started(nn.Sequential(*layers))

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))

    def _widths(self, side: int) -> list[int]:
        return [self.width * 2**i for i in range((side // _base(side)).bit_length() - 1)]

    def _started(self, network: nn.Module) -> nn.Module:
        from torch import nn

        for module in network.modules():
            if self.init_std and isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=self.init_std)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        return network


def _base(side: int) -> int:
    """Halve `side` to 7 or less, and at least twice, as far as it is even."""
    halvings = 0
    while side % 2 == 0 and (side > 7 or halvings < 2):
        side, halvings = side // 2, halvings + 1
    return side


def _norm(name: Norm, channels: int) -> list[nn.Module]:
    from torch import nn

    if name == "batch":
        return [nn.BatchNorm2d(channels)]
    if name == "instance":
        return [nn.InstanceNorm2d(channels, affine=True)]
    return [nn.GroupNorm(1, channels)] if name == "layer" else []
