"""MNIST and two sets in its form, where torchvision leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from ganbench.datasets import idx, register
from ganbench.locks import alone
from ganbench.plugins import Shape, Split, SplitName


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
        return _missing(root, "MNIST", "MNIST (12 MB, 66 MB unpacked)")

    def prepare(self, root: Path) -> None:
        """Download MNIST through torchvision when it is missing."""
        _prepare(root, "MNIST")

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 1, side, side)` with labels; FileNotFoundError when it is absent."""
        return _load(root, "MNIST", split, self.side, self.missing(root))


@register("fashion_mnist")
@dataclass(frozen=True)
class FashionMnist:
    """70,000 pictures of clothes, 28 x 28 grey pixels (Xiao et al. 2017, arXiv:1708.07747); 10,000 are for testing.

    `side=32` pads with black, as for `mnist`. Read from `FashionMNIST/raw` under the data folder, where torchvision
    leaves it; that folder may be read-only.
    """

    version: ClassVar[int] = 1

    side: Literal[28, 32] = 32

    @property
    def shape(self) -> Shape:
        """One grey channel, square."""
        return (1, self.side, self.side)

    @property
    def classes(self) -> int:
        """Ten: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot."""
        return 10

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all four files are there."""
        return _missing(root, "FashionMNIST", "Fashion-MNIST (31 MB, 86 MB unpacked)")

    def prepare(self, root: Path) -> None:
        """Download Fashion-MNIST through torchvision when it is missing."""
        _prepare(root, "FashionMNIST")

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 1, side, side)` with labels; FileNotFoundError when it is absent."""
        return _load(root, "FashionMNIST", split, self.side, self.missing(root))


@register("kmnist")
@dataclass(frozen=True)
class Kmnist:
    """70,000 cursive Japanese characters, 28 x 28 grey pixels (Clanuwat et al. 2018, arXiv:1812.01718).

    10,000 are for testing. `side=32` pads with black, as for `mnist`. Read from `KMNIST/raw` under the data folder,
    where torchvision leaves it; that folder may be read-only.
    """

    version: ClassVar[int] = 1

    side: Literal[28, 32] = 32

    @property
    def shape(self) -> Shape:
        """One grey channel, square."""
        return (1, self.side, self.side)

    @property
    def classes(self) -> int:
        """Ten: o, ki, su, tsu, na, ha, ma, ya, re, wo."""
        return 10

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all four files are there."""
        return _missing(root, "KMNIST", "Kuzushiji-MNIST (21 MB, 76 MB unpacked)")

    def prepare(self, root: Path) -> None:
        """Download Kuzushiji-MNIST through torchvision when it is missing."""
        _prepare(root, "KMNIST")

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 1, side, side)` with labels; FileNotFoundError when it is absent."""
        return _load(root, "KMNIST", split, self.side, self.missing(root))


def _missing(root: Path, name: str, described: str) -> str | None:
    raw = root / name / "raw"
    return None if idx.complete(raw) else f"{described} would be downloaded to {raw}"


def _prepare(root: Path, name: str) -> None:
    """Let the class of torchvision that has the name, and its checksums, download what is not there."""
    if idx.complete(root / name / "raw"):
        return
    from torchvision import datasets

    with alone(root / name):
        if not idx.complete(root / name / "raw"):
            getattr(datasets, name)(root, download=True)


def _load(root: Path, name: str, split: SplitName, side: int, absent: str | None) -> Split:
    if absent is not None:
        raise FileNotFoundError(f"{name} is not under {root}: {absent}")
    return idx.load(root / name / "raw", split, side)
