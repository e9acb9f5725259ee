"""The files of a store: reading, parsing and removing them, with errors that say which file and what to do.

Names are text, and no Path, where thousands of files are read: putting a Path together takes as long as opening one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class StoreError(Exception):
    """A store that cannot be read or written; the message says which file and what to do."""


def names_in(folder: str) -> frozenset[str]:
    """List what is in a folder by one look at it; nothing where there is no such folder."""
    try:
        with os.scandir(folder) as found:
            return frozenset(entry.name for entry in found)
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise StoreError(f"{folder} cannot be read ({error.strerror or error})") from None


def read_json(path: str) -> dict[str, Any] | None:
    """Read a file of one JSON object; None where there is no such file."""
    text = _read(path)
    if text is None:
        return None
    found: dict[str, Any] = _parsed(text, path)
    return found


def read_lines(path: str) -> list[dict[str, Any]]:
    """Read a file of one JSON object per line; nothing where there is no such file."""
    text = _read(path)
    # One list is parsed faster than its lines one by one.
    found: list[dict[str, Any]] = _parsed(f"[{','.join(text.splitlines())}]", path) if text else []
    return found


def built(kind: type[T], found: Mapping[str, Any], path: str | Path) -> T:
    """Make what a file describes, which another version may have written."""
    try:
        return kind(**found)
    except TypeError as error:
        raise StoreError(f"{path} was written by another version of ganbench ({error})") from None


def clear(folder: Path, but: str = "") -> None:
    """Remove a cell's files but one, the status first."""
    if not folder.exists():
        return
    (folder / "status.json").unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != but:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Tell of what the file system refuses as StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror or error}); what was finished before is safe in the store"
        ) from error


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - no Path, see above
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror or error})") from None


def _parsed(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise StoreError(f"{path} is not valid JSON ({error}); delete its folder to run the cell again") from None
