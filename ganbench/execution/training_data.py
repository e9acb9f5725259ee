"""The real samples that a cohort trains on, where it trains on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.registry import Part

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganbench.training.streamed import Streamed

Real = tuple["Tensor | Streamed", "Tensor | None"]  # samples as stored, and their labels
SHARE_OF_MEMORY = 0.25  # that the real samples may take: larger ones are streamed


def training_data(dataset: Part, root: Path, device: torch.device) -> Real:
    """Read the train split of a prepared dataset to where it is trained on, or stream it there if it is too large."""
    import torch

    from ganbench.training.streamed import Streamed

    split = dataset.create().load(root, "train")
    labels = None if split.labels is None else torch.from_numpy(split.labels).to(device)
    if split.samples.nbytes > SHARE_OF_MEMORY * _memory(device):
        return Streamed(split.samples, device), labels
    return torch.from_numpy(split.samples).to(device), labels


def _memory(device: torch.device) -> int:
    """Return the bytes that are free on a GPU, or that the machine has."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
