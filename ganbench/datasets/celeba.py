"""CelebA, where torchvision leaves it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from ganbench.datasets import pixels, published, register
from ganbench.locks import alone
from ganbench.plugins import Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARCHIVE = "img_align_celeba.zip"
PARTITION = "list_eval_partition.txt"
# The MD5 sums that torchvision has.
FILES = {ARCHIVE: "00d2c5bc6d35e252742224ab0c1e8fcb", PARTITION: "d32c9cbf5e040fd4025c592c306e6668"}
NUMBERS: dict[SplitName, str] = {"train": "0", "test": "2"}  # 1 is for validation, which nothing here asks for
WIDTH, HEIGHT = 178, 218
BATCH = 256  # pictures decoded before they are averaged down
HOME = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


@register("celeba")
@dataclass(frozen=True)
class CelebA:
    """Aligned faces of celebrities, without labels (Liu et al. 2015): 162,770 to train on, 19,962 to test.

    Of the 178 x 218 pixels the centre 178 x 178 is kept (rows 20 to 197) and averaged down to `side`, each new pixel
    over its own area. Read from `celeba` under the data folder, out of `img_align_celeba.zip` or the folder of that
    name that torchvision unpacks. Decoded once, in minutes: the pixels are kept in the cache folder, 2.2 GB at side 64,
    and held in memory to train on.
    """

    version: ClassVar[int] = 1

    side: Annotated[int, Ge(32), Le(128)] = 64

    @property
    def shape(self) -> Shape:
        """Three channels, square."""
        return (3, self.side, self.side)

    @property
    def classes(self) -> None:
        """No labels."""
        return None

    def missing(self, root: Path) -> str | None:
        """Say what torchvision would download, or None when the pictures and the list of the splits are there."""
        folder = root / "celeba"
        if (folder / PARTITION).is_file() and ((folder / ARCHIVE).is_file() or _unpacked(folder).is_dir()):
            return None
        return f"CelebA (1.4 GB) would be downloaded to {folder}"

    def prepare(self, root: Path) -> None:
        """Download CelebA through torchvision when it is missing, and decode it into the cache.

        RuntimeError says what to put where when the download fails, ValueError what is wrong with the files.
        """
        if self.missing(root) is not None:
            with alone(root / "CelebA"):
                _download(root / "celeba")
        splits: tuple[SplitName, ...] = ("train", "test")
        absent = [split for split in splits if not self._kept(split).exists()]
        if absent:
            names = _names(root / "celeba")
            with _opened(root / "celeba") as read:
                for split in absent:
                    pixels.keep(self._kept(split), decode(names[split], read, self.side))

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split: uint8 `(n, 3, side, side)`; FileNotFoundError when it is absent."""
        import numpy as np

        absent = self.missing(root)
        if absent is not None:
            raise FileNotFoundError(f"CelebA is not under {root}: {absent}")
        self.prepare(root)
        return Split(np.load(self._kept(split), allow_pickle=False))

    def _kept(self, split: SplitName) -> Path:
        content = f"{FILES[ARCHIVE][:8]}-{FILES[PARTITION][:8]}"
        return pixels.kept_at("celeba", f"{content}-{self.side}-{split}-{self.version}")


def decode(names: Sequence[str], read: Callable[[str], bytes], side: int) -> NDArray[np.uint8]:
    """Decode, crop and average pictures down: uint8 `(n, 3, side, side)`; ValueError names all that are broken."""
    import numpy as np

    decoded = np.empty((len(names), 3, side, side), dtype=np.uint8)
    broken: list[str] = []
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        whole = np.zeros((len(some), 3, WIDTH, WIDTH), dtype=np.uint8)
        for index, name in enumerate(some):
            try:
                whole[index] = _face(read(name))
            except (OSError, SyntaxError, ValueError, KeyError) as error:
                broken.append(f"  {name}: {error}")
        decoded[start : start + BATCH] = pixels.average_down(whole, side)
    if broken:
        shown = broken if len(broken) <= 20 else [*broken[:20], f"  and {len(broken) - 20} more"]
        raise ValueError("\n".join([f"celeba: {len(broken)} pictures cannot be read:", *shown]))
    return decoded


def _face(content: bytes) -> NDArray[np.uint8]:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        if picture.size != (WIDTH, HEIGHT):
            raise ValueError(f"{picture.width} x {picture.height} pixels, not {WIDTH} x {HEIGHT}")
        colours = np.asarray(picture.convert("RGB"), dtype=np.uint8)
    top = (HEIGHT - WIDTH) // 2
    return colours[top : top + WIDTH].transpose(2, 0, 1)


@contextmanager
def _opened(folder: Path) -> Iterator[Callable[[str], bytes]]:
    """Give what reads a picture's file by its name: from where they are unpacked, else from the archive, checked."""
    unpacked = _unpacked(folder)
    if unpacked.is_dir():
        yield lambda name: (unpacked / name).read_bytes()
        return
    published.check(folder, {ARCHIVE: FILES[ARCHIVE]})
    with zipfile.ZipFile(folder / ARCHIVE) as archive:
        yield lambda name: archive.read(f"{unpacked.name}/{name}")


def _unpacked(folder: Path) -> Path:
    return folder / ARCHIVE.removesuffix(".zip")


def _names(folder: Path) -> dict[SplitName, list[str]]:
    """Read which picture is in which split, a name and a number per line, after a look at the checksum."""
    published.check(folder, {PARTITION: FILES[PARTITION]})
    rows = [line.split() for line in (folder / PARTITION).read_text().splitlines() if line.strip()]
    return {split: [name for name, number in rows if number == wanted] for split, wanted in NUMBERS.items()}


def _download(folder: Path) -> None:
    """Fetch the archive and the list by torchvision; Google Drive often refuses, and then a person has to."""
    from torchvision.datasets import CelebA as Theirs
    from torchvision.datasets.utils import download_file_from_google_drive

    folder.mkdir(parents=True, exist_ok=True)
    try:
        for place, checksum, name in Theirs.file_list:
            if name in FILES and not (folder / name).is_file():
                download_file_from_google_drive(place, folder, name, checksum)
    except Exception as error:  # gdown raises what it likes, and its absence a RuntimeError of torchvision's
        raise RuntimeError(
            f"CelebA could not be downloaded ({error}). Put two files into {folder} yourself, both from {HOME}:\n"
            f"  {ARCHIVE} (1.4 GB, MD5 {FILES[ARCHIVE]})\n  {PARTITION} (2.8 MB, MD5 {FILES[PARTITION]})"
        ) from error
