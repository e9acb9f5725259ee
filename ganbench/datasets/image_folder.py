"""A folder of one's own pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.datasets import pictures, register
from ganbench.paths import cache_root, write_whole
from ganbench.plugins import Count, Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register("image_folder")
@dataclass(frozen=True)
class ImageFolder:
    """Pictures in `path/CLASS/`, `path/{train,test}/CLASS/`, or either without classes.

    The shorter side is resized to `side` (Lanczos) and the centre cropped; with `crop="none"` the whole picture is
    squashed into the square. `flip=true` adds the mirror image of every picture to the train split, in its class: they
    are then part of what is to be learnt, in training and in the scores' reference alike. Without a test folder a
    tenth of the pictures, always the same ones, is held out. Decoded once: the pixels are kept in the cache folder.
    A relative `path` starts at the current folder, `~` is the user's home.
    """

    version: ClassVar[int] = 1

    path: str = field(metadata={"in_key": False})
    side: Count = 32
    grey: bool = False
    crop: Literal["centre", "none"] = "centre"
    flip: bool = False

    @property
    def folder(self) -> Path:
        """Where the pictures lie."""
        return Path(self.path).expanduser()

    @property
    def shape(self) -> Shape:
        """`(1, side, side)` in grey, else `(3, side, side)`."""
        return (1 if self.grey else 3, self.side, self.side)

    @property
    def classes(self) -> int | None:
        """The number of class folders; None without at least two, or when the folder does not exist."""
        try:
            found = len(pictures.listing(self.folder).classes)
        except FileNotFoundError:
            return None
        return found if found > 1 else None

    def missing(self, root: Path) -> str | None:
        """Say that there is no such folder, or no picture in it: nothing here can be downloaded."""
        try:
            pictures.listing(self.folder)
        except FileNotFoundError as error:
            return str(error)
        return None

    def files(self, root: Path) -> tuple[Path, ...]:
        """Return the pictures of both splits."""
        found = pictures.listing(self.folder)
        return (*found.train, *found.test)

    def fingerprint(self, root: Path) -> str:
        """Return what tells this content from another: a hash of the sorted names and sizes of the files."""
        return pictures.fingerprint(self.folder, pictures.listing(self.folder))

    def prepare(self, root: Path) -> None:
        """Decode every picture into the cache; ValueError names all the files that cannot be read."""
        found = pictures.listing(self.folder)
        splits: tuple[SplitName, ...] = ("train", "test")
        absent = [split for split in splits if not self._cached(found, split).exists()]
        if not absent:
            return
        everything = [path for split in absent for path in found.files(split)]
        pixels = pictures.decode_all(everything, self.side, self.grey, self.crop == "centre")
        for split in absent:
            own, pixels = pixels[: len(found.files(split))], pixels[len(found.files(split)) :]
            write_whole(self._cached(found, split), _npy(own))

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, channels, side, side)` in the order of the names, labelled by folder.

        With `flip`, the train split's mirror images follow in the same order.
        """
        import numpy as np

        self.prepare(root)
        found = pictures.listing(self.folder)
        labels = found.labels(split) if len(found.classes) > 1 else None
        pixels = np.load(self._cached(found, split), allow_pickle=False)
        if self.flip and split == "train":
            pixels = np.concatenate([pixels, pixels[..., ::-1]])
            labels = None if labels is None else np.tile(labels, 2)
        return Split(pixels, labels)

    def _cached(self, found: pictures.Listing, split: SplitName) -> Path:
        content = pictures.fingerprint(self.folder, found)
        colours = "grey" if self.grey else "rgb"
        squashed = "-squashed" if self.crop == "none" else ""
        return cache_root() / "image_folder" / f"{content}-{self.side}-{colours}{squashed}-{split}.npy"


def _npy(pixels: NDArray[np.uint8]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, pixels, allow_pickle=False)
    return buffer.getvalue()
