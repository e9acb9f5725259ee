"""The files beside the page: every figure as SVG (and PDF) with its numbers as CSV, every table as LaTeX."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert

from ganbench.reporting.contents import Contents, distinct, plain
from ganbench.reporting.latex import tabular
from ganbench.reporting.parts import Figure
from ganbench.reporting.svg import alone

WRITTEN = ".written.json"  # the names of the files in a folder that a report wrote
DIGITS = 6
EXACT = 2**53  # above, a float holds no exact whole number


def write_exports(contents: Contents, out: Path, pdf: bool) -> None:
    """Write `figures/NAME.svg`, `.csv` and with `pdf` also `.pdf`, and `tables/NAME.tex`, into a report's folder.

    What an earlier report wrote there and this one does not is deleted; files of others stay.
    """
    _replace(out / "figures", dict(_figures(contents.figures, pdf)))
    _replace(out / "tables", {f"{table.name}.tex": tabular(table).encode() for table in contents.tables})


def file_names(figures: Iterable[Figure]) -> dict[str, str]:
    """Return by figure what its files are called, without their endings."""
    taken: set[str] = set()
    return {figure.name: distinct(plain(figure.name), taken) for figure in figures}


def csv(data: pd.DataFrame) -> str:
    """Write numbers to six significant digits, whole ones such as steps in full."""
    return data.apply(_whole).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


def write_text(path: Path, text: str) -> Path:
    """Replace a file as a whole, so that a browser never reads half a page."""
    return _write(path, text.encode("utf-8"))


def _figures(figures: list[Figure], pdf: bool) -> Iterator[tuple[str, bytes]]:
    names = file_names(figures)
    for figure in figures:
        drawn = alone(figure.svg, figure.alt, figure.caption)
        yield f"{names[figure.name]}.svg", drawn.encode()
        yield f"{names[figure.name]}.csv", csv(figure.data).encode()
        if pdf:
            yield f"{names[figure.name]}.pdf", vl_convert.svg_to_pdf(drawn)


def _whole(column: pd.Series[float]) -> pd.Series[Any]:
    known = column.dropna()
    if not pd.api.types.is_float_dtype(column) or not (known % 1 == 0).all() or (known.abs() > EXACT).any():
        return column
    return column.astype("Int64")  # which has a place for what is missing


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Fill a folder with files, and delete those of the report before.

    Names are listed before anything is written: a report that is killed leaves no file that the next one would take
    for someone else's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _written(folder)
    _list(folder, {*before, *files})
    for name, content in files.items():
        _write(folder / name, content)
    for name in before - set(files):
        (folder / name).unlink(missing_ok=True)
    _list(folder, set(files))


def _written(folder: Path) -> set[str]:
    """Read which files a report wrote; a name that leads out of the folder is none of them."""
    with suppress(OSError, ValueError):
        names = json.loads((folder / WRITTEN).read_text(encoding="utf-8"))
        return {name for name in names if isinstance(name, str) and plain(name) == name and (folder / name).is_file()}
    return set()


def _list(folder: Path, names: set[str]) -> None:
    write_text(folder / WRITTEN, json.dumps(sorted(names), indent=0) + "\n")


def _write(path: Path, content: bytes) -> Path:
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
        file.write(content)
    temporary = Path(file.name)
    temporary.chmod(0o644)
    temporary.replace(path)
    return path
