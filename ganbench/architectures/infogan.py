"""InfoGAN's network for MNIST, on which "Are GANs Created Equal?" compared objectives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ganbench.architectures import register
from ganbench.architectures.layers import (
    Activation,
    Norm,
    activation,
    biased,
    map_norm,
    row_norm,
    spectral_restraints,
    why_not,
)
from ganbench.plugins import Count, Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn


@register("infogan")
@dataclass(frozen=True)
class InfoGAN:
    """InfoGAN's MNIST network (Chen et al. 2016, arXiv:1606.03657), as Lucic et al. 2018 (arXiv:1711.10337) use it.

    G: latent -> linear 16 w, norm, ReLU -> linear 2 w x s/4 x s/4, norm, ReLU
       -> transposed 4 x 4 convolution of stride 2, w, norm, ReLU -> the same to the image's channels -> tanh
    D: 4 x 4 convolution of stride 2, w, leaky ReLU .2 -> the same, 2 w, norm, leaky ReLU
       -> linear 16 w, norm, leaky ReLU -> linear -> logit

    for images of side s, a multiple of 4, with w = `width` = 64 in both papers. A batch norm after a linear layer
    normalises each number on its own, and there is no instance norm there. Differences: both papers' images are in
    [0, 1] (a sigmoid), ours in [-1, 1] (tanh); both have batch norm in D, which leaves a penalty on each sample's
    gradient undefined (d_norm: batch restores it); weights start as torch's layers do.

    A vector critic is D with more numbers at its end. The autoencoder is D to such a code and G back from it,
    without a norm: one sample's error must not depend on the others.
    """

    width: Count = 64
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
        return why_not("infogan", shape, range(8, 65, 4))

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to images `(batch, *shape)`."""
        from torch import nn

        norm, w, quarter, bias = self.g_norm, self.width, shape[-1] // 4, biased(self.g_norm)
        pixels = 2 * w * quarter * quarter
        return nn.Sequential(
            *(nn.Linear(latent_size, 16 * w, bias=bias), *row_norm(norm, 16 * w), activation(self.g_activation)),
            *(nn.Linear(16 * w, pixels, bias=bias), *row_norm(norm, pixels), activation(self.g_activation)),
            nn.Unflatten(1, (2 * w, quarter, quarter)),
            nn.ConvTranspose2d(2 * w, w, 4, stride=2, padding=1, bias=bias),
            *map_norm(norm, w),
            activation(self.g_activation),
            nn.ConvTranspose2d(w, shape[0], 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: images `(batch, *shape)` to logits `(batch, 1)`."""
        return self.vector_critic(shape, 1)

    def vector_critic(self, shape: Shape, features: int) -> nn.Module:
        """Build a D of many numbers: images `(batch, *shape)` to features `(batch, features)`."""
        from torch import nn

        norm, w, quarter, bias = self.d_norm, self.width, shape[-1] // 4, biased(self.d_norm)
        return nn.Sequential(
            *(nn.Conv2d(shape[0], w, 4, stride=2, padding=1), activation(self.d_activation)),
            nn.Conv2d(w, 2 * w, 4, stride=2, padding=1, bias=bias),
            *map_norm(norm, 2 * w),
            activation(self.d_activation),
            nn.Flatten(),
            nn.Linear(2 * w * quarter * quarter, 16 * w, bias=bias),
            *row_norm(norm, 16 * w),
            activation(self.d_activation),
            nn.Linear(16 * w, features),
        )

    def autoencoder(self, shape: Shape, features: int) -> nn.Module:
        """Build a D that reconstructs: images `(batch, *shape)` to as many again and codes `(batch, features)`."""
        from ganbench.architectures.autoencoder import Autoencoder

        encoder = self.vector_critic(shape, features)
        return Autoencoder(encoder, replace(self, g_norm="none").generator(shape, features))
