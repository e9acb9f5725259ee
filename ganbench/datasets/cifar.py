"""CIFAR-10 and CIFAR-100, where torchvision leaves them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ganbench.datasets import published, register
from ganbench.locks import alone
from ganbench.plugins import Shape, Split, SplitName

Files = Mapping[SplitName, Mapping[str, str]]

# The MD5 sums of the files inside the archives, as torchvision has them.
CIFAR10: Files = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}
CIFAR100: Files = {
    "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
    "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
}
SIDE = 32


@register("cifar10")
@dataclass(frozen=True)
class Cifar10:
    """60,000 colour pictures of 10 classes, 32 x 32 (Krizhevsky 2009); 10,000 are for testing.

    Read from `cifar-10-batches-py` under the data folder, where torchvision leaves it, after a look at the published
    checksums; that folder may be read-only.
    """

    version: ClassVar[int] = 1

    @property
    def shape(self) -> Shape:
        """Three channels, 32 x 32."""
        return (3, SIDE, SIDE)

    @property
    def classes(self) -> int:
        """Ten: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck."""
        return 10

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all files are there."""
        return _missing(root / "cifar-10-batches-py", CIFAR10, "CIFAR-10 (170 MB, 356 MB unpacked)")

    def prepare(self, root: Path) -> None:
        """Download CIFAR-10 through torchvision when it is missing; ValueError when a checksum is wrong."""
        _prepare(root, root / "cifar-10-batches-py", CIFAR10, "CIFAR10")

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 3, 32, 32)` with labels.

        FileNotFoundError when it is absent, ValueError when a checksum is wrong.
        """
        return _load(root / "cifar-10-batches-py", CIFAR10[split], b"labels", self.missing(root))


@register("cifar100")
@dataclass(frozen=True)
class Cifar100:
    """60,000 colour pictures of 100 classes, 32 x 32 (Krizhevsky 2009); 10,000 are for testing.

    The fine labels are the classes. Read from `cifar-100-python` under the data folder, where torchvision leaves it,
    after a look at the published checksums; that folder may be read-only.
    """

    version: ClassVar[int] = 1

    @property
    def shape(self) -> Shape:
        """Three channels, 32 x 32."""
        return (3, SIDE, SIDE)

    @property
    def classes(self) -> int:
        """A hundred, in the order of the alphabet."""
        return 100

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all files are there."""
        return _missing(root / "cifar-100-python", CIFAR100, "CIFAR-100 (169 MB, 355 MB unpacked)")

    def prepare(self, root: Path) -> None:
        """Download CIFAR-100 through torchvision when it is missing; ValueError when a checksum is wrong."""
        _prepare(root, root / "cifar-100-python", CIFAR100, "CIFAR100")

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 3, 32, 32)` with labels.

        FileNotFoundError when it is absent, ValueError when a checksum is wrong.
        """
        return _load(root / "cifar-100-python", CIFAR100[split], b"fine_labels", self.missing(root))


def _missing(folder: Path, files: Files, described: str) -> str | None:
    return f"{described} would be downloaded to {folder}" if _absent(folder, files) else None


def _absent(folder: Path, files: Files) -> list[str]:
    return [name for checksums in files.values() for name in published.absent(folder, checksums)]


def _prepare(root: Path, folder: Path, files: Files, name: str) -> None:
    """Let the class of torchvision that has the name download what is not there."""
    if _absent(folder, files):
        from torchvision import datasets

        with alone(root / name):
            if _absent(folder, files):
                getattr(datasets, name)(root, download=True)
    for checksums in files.values():
        published.check(folder, checksums)


def _load(folder: Path, checksums: Mapping[str, str], labelled: bytes, absent: str | None) -> Split:
    import numpy as np

    if absent is not None:
        raise FileNotFoundError(f"{folder} is not complete: {absent}")
    published.check(folder, checksums)
    pictures, labels = [], []
    for name in checksums:
        with (folder / name).open("rb") as file:
            batch = _NumpyOnly(file, encoding="bytes").load()
        pictures.append(np.asarray(batch[b"data"], dtype=np.uint8))
        labels.append(np.asarray(batch[labelled], dtype=np.int64))
    return Split(np.concatenate(pictures).reshape(-1, 3, SIDE, SIDE), np.concatenate(labels))


class _NumpyOnly(pickle.Unpickler):
    """Reads pickles of plain data and numpy arrays; UnpicklingError where anything else is asked for.

    A pickle may name any function to be called. The published files name these three alone.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the three things that an array is made of."""
        import numpy as np

        known = {
            ("numpy.core.multiarray", "_reconstruct"): _empty_array,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): _bytes,
        }
        if (module, name) in known:
            return known[module, name]
        raise pickle.UnpicklingError(f"refused to load {module}.{name}: only arrays of numpy are expected here")


def _empty_array(kind: Any, shape: tuple[int, ...], letter: bytes) -> Any:
    """Make what the state of a pickled array is then put into, as numpy's private `_reconstruct` does."""
    import numpy as np

    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"refused to build {kind}: only arrays of numpy are expected here")
    return np.empty(shape, dtype=letter.decode("ascii"))


def _bytes(kind: bytes, align: int, copy: int) -> Any:  # noqa: ARG001 - numpy warns of these as Python 2 wrote them
    """Return the one type that the arrays of CIFAR have."""
    import numpy as np

    if kind != b"u1":
        raise pickle.UnpicklingError(f"refused an array of {kind!r}: only bytes are expected here")
    return np.dtype(np.uint8)
