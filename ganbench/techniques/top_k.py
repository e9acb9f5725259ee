"""Top-k training: G learns from its best samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Gt, Le

from ganbench.plugins import Count
from ganbench.techniques import register

if TYPE_CHECKING:
    from torch import Tensor


@register("top_k")
@dataclass(frozen=True)
class TopK:
    """Top-k training of G (Sinha et al. 2020, arXiv:2002.06224).

    L_G sees the k fake samples with the largest logits of their batch of B,
    k = max(ceil(share B), round(decay^floor(t / every) B)) after t G steps

    k starts at B. The paper shrinks it by .99 at every epoch, down to half of B; `every` counts G steps instead,
    and 50 has k at its least after some 3,500 of them. Losses that pair or compare with real samples see the first
    k real ones of the batch.
    """

    share: Annotated[float, Gt(0), Le(1)] = 0.5
    decay: Annotated[float, Gt(0), Le(1)] = 0.99
    every: Count = 50

    version: ClassVar[int] = 1

    def kept(self, real: Tensor, fake: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return k logits of each kind `(cells, k)`."""
        batch = fake.shape[-1]
        k = max(math.ceil(self.share * batch), round(self.decay ** (step // self.every) * batch))
        return real[..., :k], fake.topk(k, dim=-1).values
