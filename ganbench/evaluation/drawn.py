"""Samples of a stored generator, written as a grid, as one picture each, as an array or as a table of points."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.generators import open_generator
from ganbench.evaluation.sources import ARRAYS, KEY
from ganbench.paths import write_whole
from ganbench.registry import Part
from ganbench.suite.errors import wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 512  # pixels of a grid, about


@dataclass(frozen=True)
class Drawn:
    """Samples uint8 `(n, c, h, w)` or float32 `(n, d)`, classes asked for `(n,)` or None, and what they are of."""

    samples: NDArray[Any]
    labels: NDArray[Any] | None
    step: int
    seed: int
    key: str

    @property
    def images(self) -> bool:
        """Whether the samples are pictures."""
        return self.samples.ndim == 4


def draw(
    folder: Path,
    count: int,
    step: int | None = None,
    seed: int | None = None,
    label: int | None = None,
    device: str = "cpu",
    dataset: Part | None = None,
) -> Drawn:
    """Draw from a cell's folder as suites do, of one class where there is a `label`; None: the last step, own seed.

    Raises StoreError when there is no generator that can be drawn from, SuiteError for a device that is not there.
    """
    from ganbench.evaluation.evaluate import to_uint8
    from ganbench.execution import slots

    try:
        where = slots.find(device, 1)[0]
    except ValueError as error:
        raise wrong("--device", str(error)) from None
    checkpoint = open_generator(folder, dataset).seeded(seed)
    at = checkpoint.step(step)
    samples, labels = checkpoint.draw(count, at, where, label)
    samples = to_uint8(samples) if samples.ndim == 4 else samples.float()
    asked = None if labels is None else labels.numpy()
    return Drawn(samples.numpy(), asked, at, checkpoint.cell.seed, folder.resolve().name)


def write(drawn: Drawn, out: Path | None = None, folder: bool | None = None) -> Path:
    """Write samples where and as `out` says by its suffix: `.png`, `.npz`, `.npy`, `.csv`, none for a folder.

    Without `out` it is a grid in the current folder, or a folder there. SuiteError when the samples cannot be written
    in that form, or the folder is not empty.
    """
    if out is None:
        out = Path(f"samples-{drawn.key[:8]}-{drawn.step}" + ("" if folder else ".png"))
    suffix = out.suffix.lower()
    if folder or (folder is None and (out.is_dir() or not suffix)):
        return _write_folder(drawn, out)
    if folder is False and suffix != ".png":
        raise wrong(f"--grid -o {out}", "a grid is a .png")
    if suffix == ".png":
        return _write_grid(drawn, out)
    if suffix in ARRAYS:
        return _write_array(drawn, out)
    if suffix == ".csv":
        return _write_table(drawn, out)
    raise wrong(f"-o {out}", f"unknown suffix {suffix!r} (allowed: .png, .npz, .npy, .csv for points, none: a folder)")


def _write_grid(drawn: Drawn, out: Path) -> Path:
    from ganbench.sample_picture import image_grid, sample_picture

    columns = math.ceil(math.sqrt(len(drawn.samples)))
    picture = image_grid(drawn.samples, columns, WIDTH) if drawn.images else sample_picture(drawn.samples)
    if picture is None:
        raise wrong(f"-o {out}", f"points of {drawn.samples.shape[1]} dimensions are no picture; take .csv or .npz")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_whole(out, buffer.getvalue())
    return out


def _write_folder(drawn: Drawn, out: Path) -> Path:
    from PIL import Image

    if not drawn.images:
        raise wrong(f"-o {out}", "points are no pictures to fill a folder with; take .csv, .npz or .png")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise wrong(f"-o {out}", "exists and is not an empty folder: other pictures would be mixed with these")
    out.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(drawn.samples) - 1))
    for place, image in enumerate(drawn.samples.transpose(0, 2, 3, 1)):
        Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0]).save(out / f"{place:0{digits}}.png")
    return out


def _write_array(drawn: Drawn, out: Path) -> Path:
    import numpy as np

    rows = drawn.samples.transpose(0, 2, 3, 1) if drawn.images else drawn.samples
    buffer = io.BytesIO()
    if out.suffix.lower() == ".npy":
        np.save(buffer, rows, allow_pickle=False)
    else:
        named = {KEY: rows} if drawn.labels is None else {KEY: rows, "labels": drawn.labels}
        np.savez(buffer, allow_pickle=False, **named)
    write_whole(out, buffer.getvalue())
    return out


def _write_table(drawn: Drawn, out: Path) -> Path:
    if drawn.images:
        raise wrong(f"-o {out}", "pictures are no table; take .png, .npz or a folder")
    names = [f"x{place}" for place in range(drawn.samples.shape[1])]
    rows = [list(map(repr, map(float, point))) for point in drawn.samples]
    if drawn.labels is not None:
        names.append("label")
        rows = [[*row, str(int(asked))] for row, asked in zip(rows, drawn.labels, strict=True)]
    write_whole(out, ("\n".join(",".join(row) for row in (names, *rows)) + "\n").encode())
    return out
