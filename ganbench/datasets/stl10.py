"""STL-10, where torchvision leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.datasets import pixels, published, register
from ganbench.locks import alone
from ganbench.plugins import Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The MD5 sums of the files inside the archive, as torchvision has them.
FILES = {
    "train_X.bin": "918c2871b30a85fa023e0c44e0bee87f",
    "train_y.bin": "5a34089d4802c674881badbb80307741",
    "test_X.bin": "7f263ba9f9e0b06b93213547f721ac82",
    "test_y.bin": "36f9794fa4beb8a2c72628de14fa638e",
    "unlabeled_X.bin": "5242ba1fed5e4be9e1e742405eb56ca4",
}
SIDE = 96


@register("stl10")
@dataclass(frozen=True)
class Stl10:
    """Colour pictures of 10 classes, 96 x 96, averaged down to `side` (Coates et al. 2011).

    5,000 to train on, 8,000 to test. `unlabelled=true` adds the 100,000 unlabelled pictures to the train split, and no
    picture has a label then. A new pixel is the average over its own area. Read from `stl10_binary` under the data
    folder, where torchvision leaves it, after a look at the published checksums; the pixels are kept in the cache
    folder: 90 MB at side 48, 781 MB with the unlabelled ones.
    """

    version: ClassVar[int] = 1

    side: Literal[96, 64, 48, 32] = 48
    unlabelled: bool = False

    @property
    def shape(self) -> Shape:
        """Three channels, square."""
        return (3, self.side, self.side)

    @property
    def classes(self) -> int | None:
        """Ten: airplane, bird, car, cat, deer, dog, horse, monkey, ship, truck; None with the unlabelled ones."""
        return None if self.unlabelled else 10

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when all files that are read are there."""
        folder = root / "stl10_binary"
        if not published.absent(folder, {**self._files("train"), **self._files("test")}):
            return None
        return f"STL-10 (2.6 GB, 5.8 GB unpacked) would be downloaded to {folder}"

    def prepare(self, root: Path) -> None:
        """Download STL-10 through torchvision when it is missing, and average it down into the cache.

        ValueError when a checksum is wrong.
        """
        if self.missing(root) is not None:
            from torchvision.datasets import STL10

            with alone(root / "STL10"):
                if self.missing(root) is not None:
                    STL10(root, download=True)
        splits: tuple[SplitName, ...] = ("train", "test")
        for split in splits:
            if not self._kept(split).exists():
                pixels.keep(self._kept(split), self._decoded(root / "stl10_binary", split))

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 3, side, side)` with labels; FileNotFoundError when it is absent."""
        import numpy as np

        absent = self.missing(root)
        if absent is not None:
            raise FileNotFoundError(f"STL-10 is not under {root}: {absent}")
        self.prepare(root)
        pictures = np.load(self._kept(split), allow_pickle=False)
        if self.unlabelled:
            return Split(pictures)
        name = f"{split}_y.bin"
        published.check(root / "stl10_binary", {name: FILES[name]})
        labels = np.fromfile(root / "stl10_binary" / name, dtype=np.uint8)
        return Split(pictures, labels.astype(np.int64) - 1)  # in the file the classes are 1 to 10

    def _pictures(self, split: SplitName) -> tuple[str, ...]:
        with_unlabelled = self.unlabelled and split == "train"
        return (f"{split}_X.bin", *(["unlabeled_X.bin"] if with_unlabelled else []))

    def _files(self, split: SplitName) -> dict[str, str]:
        return {name: FILES[name] for name in (*self._pictures(split), f"{split}_y.bin")}

    def _kept(self, split: SplitName) -> Path:
        content = "-".join(FILES[name][:8] for name in self._pictures(split))
        return pixels.kept_at("stl10", f"{content}-{self.side}-{self.version}")

    def _decoded(self, folder: Path, split: SplitName) -> NDArray[np.uint8]:
        import numpy as np

        published.check(folder, self._files(split))
        found = []
        for name in self._pictures(split):
            # the pixels of a channel lie column by column
            raw = np.memmap(folder / name, dtype=np.uint8, mode="r").reshape(-1, 3, SIDE, SIDE)
            found.append(pixels.average_down(raw.transpose(0, 1, 3, 2), self.side))
        return np.concatenate(found)
