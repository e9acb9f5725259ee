"""Instance noise: D sees all samples through noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from ganbench.plugins import NonNegative
from ganbench.techniques import register

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise


@register("instance_noise")
@dataclass(frozen=True)
class InstanceNoise:
    """Instance noise (Sonderby et al. 2017, arXiv:1610.04490; Arjovsky and Bottou 2017, arXiv:1701.04862).

    D sees x + std_t N(0, 1) and G(z) + std_t N(0, 1), in both players' steps,
    std_t = std * max(0, 1 - t/until) after t G steps; until=0: std_t = std

    The noise gives real and fake samples a common support, so that D cannot tell them apart for sure. Images are
    in [-1, 1]; std is in their units.
    """

    std: NonNegative = 0.1
    until: Annotated[int, Ge(0)] = 0

    version: ClassVar[int] = 1

    @property
    def steady(self) -> bool:
        """Whether it does the same at every step."""
        return not self.until

    def seen(self, samples: Tensor, noise: Noise, step: int) -> Tensor:
        """Return the samples with noise."""
        std = self.std * max(0.0, 1 - step / self.until) if self.until else self.std
        return samples + std * noise.normal(tuple(samples.shape[1:])) if std else samples
