"""What one update sees: which real samples and latents are drawn, and how samples are stored."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.training.streamed import Streamed


@dataclass(frozen=True)
class Draw:
    """What one update of every cell draws: rows of real samples `(cells, batch)`, latents `(cells, batch, size)`.

    `real` are the samples of these rows as stored, where they have been read already.
    """

    rows: Tensor
    latents: Tensor
    real: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """The samples of one update `(cells, batch, *shape)`, with the codes `(cells, batch, size)` of both kinds."""

    real: Tensor | None
    latents: Tensor
    codes: Tensor | None


def taken(data: Tensor | Streamed, rows: Tensor) -> Tensor:
    """Return the samples at positions of any shape, as stored: `(*rows.shape, *shape)`."""
    if isinstance(data, Streamed):
        return data[rows]
    # By far faster for pictures than an index of two dimensions.
    return data.index_select(0, rows.flatten()).view(*rows.shape, *data.shape[1:])


def to_samples(stored: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn stored samples into what networks see: uint8 images become floats in [-1, 1], points stay as they are."""
    return stored.to(dtype).div_(127.5).sub_(1) if stored.dtype == torch.uint8 else stored.to(dtype)
