"""Small data sets in the formats of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Writer = Callable[..., Path]


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    return b"\0\0\x08" + bytes([values.ndim]) + np.array(values.shape, ">i4").tobytes() + values.tobytes()


def drawn(labels: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
    """Draw 28 x 28 pictures whose class is the row of a bright bar, with noise."""
    stream = np.random.RandomState(seed)
    pictures = stream.randint(0, 60, (len(labels), 28, 28))
    for picture, label in zip(pictures, labels, strict=True):
        picture[4 + 2 * label : 6 + 2 * label, 4:24] += 180
    return pictures.astype(np.uint8)


@pytest.fixture
def small_mnist(tmp_path: Path) -> Writer:
    """Write a set in MNIST's form, 400 pictures to train on and 200 to test, under a name of torchvision's."""

    def write(name: str = "MNIST") -> Path:
        raw = tmp_path / "data" / name / "raw"
        raw.mkdir(parents=True)
        for seed, (prefix, count) in enumerate((("train", 400), ("t10k", 200))):
            labels = np.random.RandomState(10 + seed).randint(0, 10, count)
            (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(drawn(labels, seed)))
            (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels.astype(np.uint8)))
        return tmp_path / "data"

    return write
