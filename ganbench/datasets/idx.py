"""LeCun's IDX format, in which MNIST and what is shaped like it come, read without torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.plugins import Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = tuple(f"{split}-{content}-ubyte" for split in ("train", "t10k") for content in ("images-idx3", "labels-idx1"))
SIDE = 28


def complete(raw: Path) -> bool:
    """Say whether all four files lie in a folder."""
    return all((raw / name).is_file() for name in FILES)


def load(raw: Path, split: SplitName, side: int) -> Split:
    """Read one split of 28 x 28 pictures, with a black border up to `side`: uint8 `(n, 1, side, side)`, labelled."""
    import numpy as np

    prefix = "train" if split == "train" else "t10k"
    images, labels = (read(raw / f"{prefix}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
    if images.shape != (len(labels), SIDE, SIDE):
        raise ValueError(f"{raw}: {len(labels)} labels, but pictures of shape {images.shape}")
    border = (side - SIDE) // 2
    images = np.pad(images, ((0, 0), (border, border), (border, border)))
    return Split(images[:, None], labels.astype(np.int64))


def read(path: Path) -> NDArray[np.uint8]:
    """Read a file of bytes; ValueError when it is not one. torchvision's import would take every cohort two seconds.

    Two zeros, the type (8: bytes), the number of dimensions, their sizes as big-endian int32, the bytes.
    """
    import numpy as np

    raw = path.read_bytes()
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not a file of bytes in the IDX format")
    start = 4 + 4 * raw[3]
    shape = np.frombuffer(raw[:start], ">i4", offset=4)
    if len(raw) - start != shape.prod(dtype=np.int64):
        raise ValueError(f"{path} is cut short or too long: {len(raw) - start} bytes for the shape {tuple(shape)}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
