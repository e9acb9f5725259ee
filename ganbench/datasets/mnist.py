"""MNIST, where torchvision leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.datasets import register
from ganbench.plugins import Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = tuple(f"{split}-{content}-ubyte" for split in ("train", "t10k") for content in ("images-idx3", "labels-idx1"))


@register("mnist")
@dataclass(frozen=True)
class Mnist:
    """70,000 handwritten digits, 28 x 28 grey pixels (LeCun et al. 1998); 10,000 are for testing.

    `side=32` pads with black, so that networks built on powers of two fit. Read from `MNIST/raw` under the
    data folder, where torchvision leaves it; that folder may be read-only.
    """

    version: ClassVar[int] = 1

    side: Literal[28, 32] = 32

    @property
    def shape(self) -> Shape:
        """One grey channel, square."""
        return (1, self.side, self.side)

    def files(self, root: Path) -> tuple[Path, ...]:
        """Return the files that torchvision has left there."""
        return tuple(sorted((root / "MNIST" / "raw").glob("*-ubyte")))

    @property
    def classes(self) -> int:
        """Ten digits."""
        return 10

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all four files are there."""
        raw = root / "MNIST" / "raw"
        if all((raw / name).is_file() for name in FILES):
            return None
        return f"MNIST (12 MB, 66 MB unpacked) would be downloaded to {raw}"

    def prepare(self, root: Path) -> None:
        """Download MNIST through torchvision when it is missing."""
        if self.missing(root) is None:
            return
        from torchvision.datasets import MNIST

        root.mkdir(parents=True, exist_ok=True)
        MNIST(root, download=True)

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 1, side, side)` with labels; FileNotFoundError when it is absent."""
        absent = self.missing(root)
        if absent is not None:
            raise FileNotFoundError(f"MNIST is not under {root}: {absent}")
        import numpy as np

        prefix = root / "MNIST" / "raw" / ("train" if split == "train" else "t10k")
        images, labels = (_read(Path(f"{prefix}-{kind}-ubyte")) for kind in ("images-idx3", "labels-idx1"))
        border = (self.side - 28) // 2
        images = np.pad(images, ((0, 0), (border, border), (border, border)))
        return Split(images[:, None], labels.astype(np.int64))


def _read(path: Path) -> NDArray[np.uint8]:
    """Read bytes in LeCun's IDX format, without torchvision, whose import takes every cohort two seconds.

    Two zeros, the type (8: bytes), the number of dimensions, their sizes as big-endian int32, the bytes.
    """
    import numpy as np

    raw = path.read_bytes()
    if raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not a file of bytes in the IDX format")
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
