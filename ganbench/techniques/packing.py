"""Packing: D judges several samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.plugins import Count
from ganbench.techniques import register

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise, Shape


@register("packing")
@dataclass(frozen=True)
class Packing:
    """PacGAN: D sees packs of m samples, all real or all fake (Lin et al. 2018, arXiv:1712.04086).

    D(x_1, ..., x_m): the channels of m images, or the numbers of m points, side by side

    A pack of look-alikes gives a collapsed G away. A batch of B samples becomes B/m packs, so D sees as many
    samples as without packing, and says B/m logits. Only its first layer grows.
    """

    m: Count = 2

    version: ClassVar[int] = 1
    steady: ClassVar[bool] = True

    def seen(self, samples: Tensor, noise: Noise, step: int) -> Tensor:
        """Return packs `(cells, batch / m, m * channels, ...)` of neighbours in the batch."""
        cells, batch, *shape = samples.shape
        return samples.reshape(cells, batch // self.m, *self.input_shape(tuple(shape)))

    def input_shape(self, shape: Shape) -> Shape:
        """Return the shape of a pack."""
        return (self.m * shape[0], *shape[1:])

    def input_batch(self, batch_size: int) -> int:
        """Return the number of packs in a batch."""
        return batch_size // self.m

    def refusal(self, shape: Shape, batch_size: int, classes: int | None) -> str | None:
        """Say that a batch cannot be divided into packs."""
        if batch_size % self.m:
            return f"a batch of {batch_size} samples cannot be divided into packs of {self.m}"
        return None
