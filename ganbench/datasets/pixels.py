"""Pixels of many pictures: averaged down to a smaller side, and kept decoded in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.paths import cache_root, whole_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 256  # pictures averaged at a time


def average_down(pictures: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Average square pictures `(n, channels, s, s)` to `(n, channels, side, side)`: each new pixel over its own area.

    A pixel that two new ones share counts in each by the part that lies there. Rounded to the nearest; ValueError
    when `side` is larger than the pictures'.
    """
    import numpy as np

    old = pictures.shape[-1]
    if side == old:
        return pictures
    weights = _shares(old, side)
    small = np.empty((*pictures.shape[:2], side, side), dtype=np.uint8)
    for start in range(0, len(pictures), BATCH):
        some = pictures[start : start + BATCH].astype(np.float32)
        small[start : start + BATCH] = np.rint(weights @ some @ weights.T)
    return small


def _shares(old: int, new: int) -> NDArray[np.float32]:
    """Return how much of each new pixel each old one makes along one side: `(new, old)`, rows that sum to one."""
    import numpy as np

    if new > old:
        raise ValueError(f"pictures of side {old} cannot be averaged to {new}")
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: NDArray[np.float32] = (shared.clip(0) * (new / old)).astype(np.float32)
    return shares


def kept_at(folder: str, name: str) -> Path:
    """Name the file that keeps decoded pixels in the user's cache."""
    return cache_root() / folder / f"{name}.npy"


def keep(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Put pixels into a file of the cache, whole or not at all."""
    import numpy as np

    with whole_file(path) as file:
        np.save(file, pictures, allow_pickle=False)
