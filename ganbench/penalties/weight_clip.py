"""Weight clipping, the first WGAN's way to hold D back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.plugins import Positive

if TYPE_CHECKING:
    from torch import Tensor


@register("weight_clip")
@dataclass(frozen=True)
class WeightClip:
    """Weight clipping (Arjovsky et al. 2017, arXiv:1701.07875, algorithm 1).

    w <- min(max(w, -c), c) for every parameter w of D, biases included, after each D step,
    so that the G step sees a clipped D.
    """

    c: Positive = 0.01

    per_cell: ClassVar[tuple[str, ...]] = ("c",)
    version: ClassVar[int] = 1

    def after_step(self, parameters: Tensor) -> None:
        """Clip the flat parameters `(cells, size)` in place."""
        import torch

        bound = torch.as_tensor(self.c, dtype=parameters.dtype, device=parameters.device).reshape(-1, 1)
        with torch.no_grad():
            parameters.clamp_(-bound, bound)
