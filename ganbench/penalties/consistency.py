"""Consistency regularisation: D is to say the same of a sample and of its augmented copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.plugins import NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic, Noise


@register("consistency")
@dataclass(frozen=True)
class Consistency:
    """Consistency regularisation of D on logits (CR, Zhang et al. 2020, arXiv:1910.12027).

    real * E[(D(x) - D(T(x)))^2] + fake * E[(D(G(z)) - D(T(G(z))))^2]

    fake=0 is CR; fake > 0 is its balanced form (bCR, Zhao et al. 2020, arXiv:2002.04724, who take 10 for both).
    T of an image: mirrored with probability 1/2 (flip=False where a mirrored sample means another thing, as with
    digits), and shifted by up to an eighth of its side each way, the border repeated. T of a point: N(0, std^2)
    added to each number. Each sample has its own T.
    """

    real: NonNegative = 10.0
    fake: NonNegative = 0.0
    flip: bool = True
    std: NonNegative = 0.05

    per_cell: ClassVar[tuple[str, ...]] = ("real",)
    version: ClassVar[int] = 1

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return the penalty `(cells,)`."""
        total = self.real * self._apart(critic, real, noise)
        return total + self.fake * self._apart(critic, fake, noise) if self.fake else total

    def _apart(self, critic: Critic, samples: Tensor, noise: Noise) -> Tensor:
        return (critic(samples) - critic(self._augmented(samples, noise))).square().mean(-1)

    def _augmented(self, samples: Tensor, noise: Noise) -> Tensor:
        from ganbench.techniques.augmentation import mirrored, shifted

        if samples.ndim != 5:
            return samples + self.std * noise.normal(tuple(samples.shape[1:]))
        return shifted(mirrored(samples, noise) if self.flip else samples, noise, border="repeated")
