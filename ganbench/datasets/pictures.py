"""Folders of pictures: which files there are, in which split and class, and how one is decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.plugins import SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
HELD_OUT = 10  # one picture in so many is for testing where there is no test folder


@dataclass(frozen=True)
class Listing:
    """The pictures of both splits in a fixed order, and the class of each as an index into `classes`.

    `classes` is empty when the pictures lie in no class folders.
    """

    train: tuple[Path, ...]
    test: tuple[Path, ...]
    classes: tuple[str, ...]

    def files(self, split: SplitName) -> tuple[Path, ...]:
        """Return the pictures of one split."""
        return self.train if split == "train" else self.test

    def labels(self, split: SplitName) -> NDArray[np.int64] | None:
        """Return the class of each picture of one split, `(n,)`, or None without class folders."""
        import numpy as np

        if not self.classes:
            return None
        return np.array([self.classes.index(path.parent.name) for path in self.files(split)], dtype=np.int64)


def listing(folder: Path) -> Listing:
    """List `folder/[train|test]/[class]/picture`; FileNotFoundError or ValueError says what is wrong."""
    if not folder.is_dir():
        raise FileNotFoundError(f"image_folder: there is no folder {folder}")
    has_train = (folder / "train").is_dir()
    train, classes = _pictures(folder / "train" if has_train else folder)
    if has_train and (folder / "test").is_dir():
        test, test_classes = _pictures(folder / "test")
        if test_classes != classes:
            differing = ", ".join(sorted({*classes} ^ {*test_classes}))
            raise ValueError(f"image_folder: the class folders of {folder}/train and test differ: {differing}")
        return Listing(train, test, classes)
    return _hold_out(train, classes)


def _pictures(folder: Path) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    loose = tuple(path for path in inside if _is_picture(path))
    by_class = {
        path.name: tuple(file for file in sorted(path.iterdir()) if _is_picture(file))
        for path in inside
        if path.is_dir()
    }
    by_class = {name: files for name, files in by_class.items() if files}
    if loose and by_class:
        raise ValueError(
            f"image_folder: {folder} holds both pictures and class folders ({', '.join(by_class)}); "
            "move the loose pictures into a class or give one of the folders"
        )
    files = loose or tuple(file for files in by_class.values() for file in files)
    if not files:
        raise FileNotFoundError(f"image_folder: no pictures ({', '.join(sorted(SUFFIXES))}) in {folder}")
    return files, tuple(by_class)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _hold_out(files: tuple[Path, ...], classes: tuple[str, ...]) -> Listing:
    import numpy as np

    order = np.random.RandomState(0).permutation(len(files))
    held = set(order[: max(len(files) // HELD_OUT, min(1, len(files) - 1))].tolist())
    train = tuple(path for index, path in enumerate(files) if index not in held)
    test = tuple(path for index, path in enumerate(files) if index in held)
    return Listing(train, test, classes)


def fingerprint(folder: Path, found: Listing) -> str:
    """Return 16 hex digits of the pictures' relative names and sizes: quick, wherever the folder lies."""
    digest = hashlib.sha256()
    for path in sorted((*found.train, *found.test)):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
    return digest.hexdigest()[:16]


def decode_all(files: Sequence[Path], side: int, grey: bool, crop: bool = True) -> NDArray[np.uint8]:
    """Decode pictures to uint8 `(n, channels, side, side)`; ValueError names all that are broken.

    `crop` keeps the centre of the longer side; without it the picture is squashed into the square.
    """
    import numpy as np
    from PIL import Image

    decoded = np.empty((len(files), 1 if grey else 3, side, side), dtype=np.uint8)
    broken = []
    for index, path in enumerate(files):
        try:
            decoded[index] = _decode(path, side, grey, crop)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            reason = str(error).replace(str(path), path.name)
            broken.append(f"  {path}: {reason}")
    if broken:
        raise ValueError("\n".join([f"image_folder: {len(broken)} pictures cannot be read:", *broken]))
    return decoded


def _decode(path: Path, side: int, grey: bool, crop: bool) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        picture = ImageOps.exif_transpose(file).convert("L" if grey else "RGB")
    width, height = picture.size
    scale = side / min(width, height)
    # rounding must not make the shorter side smaller than the crop
    size = (max(side, round(width * scale)), max(side, round(height * scale))) if crop else (side, side)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    pixels = np.asarray(picture.crop((left, top, left + side, top + side)), dtype=np.uint8)
    return pixels[None] if grey else pixels.transpose(2, 0, 1)
