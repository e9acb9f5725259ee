"""DiffAugment: D sees all samples through random augmentations that let G's gradient pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.techniques import register

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise, Shape


@register("diff_augment")
@dataclass(frozen=True)
class DiffAugment:
    """Differentiable augmentation of real and fake images in both steps (Zhao et al. 2020, arXiv:2006.10738).

    color:        brightness x + b, b ~ U(-.5, .5);
                  saturation c + s (x - c), s ~ U(0, 2), c the mean of each pixel's channels;
                  contrast   m + t (x - m), t ~ U(.5, 1.5), m the mean of the image
    translation:  by up to 1/8 of each side, 0 comes in
    cutout:       a box of half of each side, its centre anywhere, becomes 0

    In this order, with numbers of its own for each sample and each time it is seen, as in the authors' code. They
    are meant for images in [-1, 1], where 0 is grey; nothing is clamped. With one channel saturation does nothing.
    """

    color: bool = True
    translation: bool = True
    cutout: bool = True

    version: ClassVar[int] = 1
    steady: ClassVar[bool] = True

    def seen(self, samples: Tensor, noise: Noise, step: int) -> Tensor:
        """Return the augmented samples."""
        from ganbench.techniques.augmentation import cut_out, per_sample, shifted

        if self.color:
            samples = samples + (per_sample(samples, noise) - 0.5)
            grey = samples.mean(2, keepdim=True)
            samples = grey + (samples - grey) * (per_sample(samples, noise) * 2)
            mean = samples.mean((2, 3, 4), keepdim=True)
            samples = mean + (samples - mean) * (per_sample(samples, noise) + 0.5)
        if self.translation:
            samples = shifted(samples, noise, border="zero")
        return cut_out(samples, noise) if self.cutout else samples

    def refusal(self, shape: Shape, batch_size: int, classes: int | None) -> str | None:
        """Say that points cannot be augmented."""
        return None if len(shape) == 3 else "its augmentations are made for images, not for points"
