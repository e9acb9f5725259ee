"""Samples that were made elsewhere: folders of pictures and arrays in files, as a dataset stores its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ganbench.datasets import pictures
from ganbench.plugins import Shape
from ganbench.registry import unknown
from ganbench.suite.errors import wrong

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

ARRAYS = (".npz", ".npy")
KEY = "arr_0"  # what numpy.savez calls an array that was given no name
LISTED = 3  # files that a message names
RESIZED = "the shorter side to {side} by Pillow's Lanczos, centre cropped"
CHOSEN = "numpy RandomState(0).permutation, the first rows"


@dataclass(frozen=True)
class Samples:
    """What is scored: samples `(n, *shape)`, uint8 or in [-1, 1] or points, and their labels `(n,)` if classes were
    asked for.

    `origin` says where they come from, as plain data; `resize` what was done to their size, empty for nothing;
    `seed` drives what metrics draw; `posterior` is what the generator's D believes, as metrics take it.
    """

    samples: Tensor
    origin: Mapping[str, Any] = field(default_factory=dict)
    labels: Tensor | None = None
    resize: str = ""
    seed: int = 0
    posterior: Callable[[Tensor], Tensor] | None = None


def picture_files(folder: Path) -> tuple[Path, ...]:
    """List the pictures in a folder and below, sorted by path; SuiteError when there is none."""
    found = tuple(
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in pictures.SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not found:
        suffixes = ", ".join(sorted(pictures.SUFFIXES))
        raise wrong(folder, f"no pictures ({suffixes}) in it or below, and no checkpoint")
    return found


def read_pictures(folder: Path, shape: Shape, resize: bool, count: int | None) -> Samples:
    """Read the pictures of a folder and below it as uint8 `(n, *shape)`, grey or in colour as the shape says.

    With a `count` that many are read, always the same ones. SuiteError when the shape is no square picture's, a size
    differs and `resize` is not asked for, or a file is broken.
    """
    import torch

    if len(shape) != 3 or shape[1] != shape[2] or shape[0] not in (1, 3):
        raise wrong(folder, f"pictures cannot be compared with a dataset of samples of shape {shape}")
    found = picture_files(folder)
    files = _chosen(found, count, folder)
    side = shape[1]
    odd = _of_another_size(files, side)
    if odd and not resize:
        raise wrong(folder, _differing(odd, len(files), side))
    try:
        pixels = pictures.decode_all(files, side, grey=shape[0] == 1)
    except ValueError as error:
        raise wrong(folder, str(error).removeprefix("image_folder: ")) from None
    origin = {"kind": "pictures", "path": str(folder), "count": len(found)}
    return Samples(torch.from_numpy(pixels), origin, resize=RESIZED.format(side=side) if odd else "")


def read_array(path: Path, shape: Shape, key: str | None, count: int | None) -> Samples:
    """Read `.npy` or `.npz` (by `key`, else `arr_0`, else the only array) and check it as `from_array` does."""
    import numpy as np

    with path.open("rb") as file:
        if key is not None and path.suffix.lower() != ".npz":
            raise wrong(path, "--key names an array of an .npz, and this file holds one array")
        rows = _member(file, path, key) if path.suffix.lower() == ".npz" else _loaded(np.load, file, path)
    return from_array(rows, shape, count, str(path))


def from_array(rows: NDArray[Any], shape: Shape, count: int | None, name: str) -> Samples:
    """Check an array: pictures uint8 `(n, c, h, w)`, `(n, h, w, c)` or grey `(n, h, w)`, points floats `(n, d)`.

    Which of the layouts it is follows from the dataset's `shape`; where all dimensions are equal it is the first.
    `name` is what messages call it. SuiteError when it is none of them.
    """
    import numpy as np
    import torch

    images = len(shape) == 3
    layouts = {"(n, channels, height, width)": shape}
    if images:
        channels, height, width = shape
        layouts["(n, height, width, channels)"] = (height, width, channels)
        if channels == 1:
            layouts["(n, height, width)"] = (height, width)
    layout = next((said for said, row in layouts.items() if tuple(rows.shape[1:]) == row), None) if rows.ndim else None
    if layout is None:
        allowed = " or ".join(str(("n", *row)).replace("'", "") for row in layouts.values())
        raise wrong(name, f"an array of shape {rows.shape}, and the dataset's samples are {allowed}")
    if images and rows.dtype != np.uint8:
        raise wrong(
            name,
            f"pictures of type {rows.dtype}, and uint8 from 0 to 255 is needed; of floats x in [-1, 1] that is "
            "((x + 1) / 2 * 255 + 0.5).clip(0, 255).astype('uint8')",
        )
    if not images and not np.issubdtype(rows.dtype, np.floating):
        raise wrong(name, f"points of type {rows.dtype}, and floats are needed")
    everything = len(rows)
    rows = rows[_order(everything, count, name)]
    if layout == "(n, height, width, channels)":
        rows = rows.transpose(0, 3, 1, 2)
    rows = np.ascontiguousarray(rows.reshape(len(rows), *shape), dtype=np.uint8 if images else np.float32)
    origin = {"kind": "array", "path": name, "count": everything, **({"layout": layout} if images else {})}
    return Samples(torch.from_numpy(rows), origin)


def _loaded(load: Any, file: BinaryIO, path: Path) -> Any:
    try:
        return load(file, allow_pickle=False)
    except Exception as error:  # a damaged or foreign file makes numpy and zipfile raise half a dozen kinds
        raise wrong(path, f"cannot be read as an array: {error}") from None


def _member(file: BinaryIO, path: Path, key: str | None) -> NDArray[np.generic]:
    import numpy as np

    archive = _loaded(np.load, file, path)
    names = list(getattr(archive, "files", ()))
    if key is None:
        key = KEY if KEY in names else names[0] if len(names) == 1 else None
    if key is None:
        raise wrong(path, f"it holds {len(names)} arrays ({', '.join(names) or 'none'}); name one with --key")
    if key not in names:
        raise wrong(path, f"--key: {unknown('array', key, names)}")
    found: NDArray[np.generic] = _loaded(lambda *_, **__: archive[key], file, path)
    return found


def _order(available: int, count: int | None, name: object) -> NDArray[np.int64] | slice:
    """Say which rows are scored: all in their order, or `count` of them, always the same."""
    import numpy as np

    if count is None or count == available:
        return slice(None)
    if count > available:
        raise wrong(name, f"it has {available} samples, and --samples asks for {count}")
    return np.random.RandomState(0).permutation(available)[:count]


def _chosen(files: Sequence[Path], count: int | None, folder: Path) -> list[Path]:
    order = _order(len(files), count, folder)
    return list(files[order]) if isinstance(order, slice) else [files[int(place)] for place in order]


def _of_another_size(files: Sequence[Path], side: int) -> dict[Path, tuple[int, int]]:
    """Return width and height of the pictures that are not `side` x `side`, from their headers.

    Files without a header are left out: decoding them says what is wrong.
    """
    from PIL import Image

    found: dict[Path, tuple[int, int]] = {}
    for path in files:
        try:
            with Image.open(path) as file:
                if file.size != (side, side):
                    found[path] = file.size
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
    return found


def _differing(odd: Mapping[Path, tuple[int, int]], among: int, side: int) -> str:
    common, times = Counter(odd.values()).most_common(1)[0]
    shown = ", ".join(f"{path.name} ({size[0]} x {size[1]})" for path, size in [*odd.items()][:LISTED])
    return (
        f"{len(odd)} of {among} pictures are not {side} x {side} as the dataset's are: {shown}"
        f"{', ...' if len(odd) > LISTED else ''}; most often they are {common[0]} x {common[1]} ({times}). "
        f"--resize makes them fit ({RESIZED.format(side=side)}), or take a dataset of that side"
    )
