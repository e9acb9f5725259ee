"""The files of a store, read as if anybody had made them: what is wrong is told, and nothing leads out of the store.

Names are text, and no Path, where thousands of files are read: putting a Path together takes as long as opening one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
ANEW = "delete its folder to run the cell again"


class StoreError(Exception):
    """A store that cannot be read or written; the message says which file and what to do."""


def plain_key(key: str) -> str:
    """Return a key as it is; StoreError where it could lead out of the store: its lists may hold any text."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise StoreError(
            f"{str(key)[:100]!r} is no key of a cell or of its scores: this store's list of cells is damaged"
        )
    return key


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file of tensors; StoreError where its head, or what is asked of it inside, is not as it should be."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            yield file
    except SafetensorError as error:
        raise StoreError(f"{path} cannot be read: {error}; {ANEW}") from None


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Tell of what the file system refuses while something is written as StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror or error}); what was finished before is safe in the store"
        ) from error


def clear(folder: Path, but: str = "") -> None:
    """Remove a cell's files but one, the status first; of a link the link alone, not what it points to."""
    if folder.is_symlink():
        folder.unlink()
    if not folder.exists():
        return
    (folder / "status.json").unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != but:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def refuse_links(*folders: Path) -> None:
    """Raise StoreError where one of the folders is a link: what lies elsewhere is read, and not changed."""
    for folder in folders:
        if folder.is_symlink():
            raise StoreError(f"{folder} is a link to {folder.readlink()}: replace it by a copy to change what is in it")


def built(kind: type[T], found: Mapping[str, Any], path: str | Path) -> T:
    """Build what a file holds; StoreError where its fields are others."""
    try:
        return kind(**found)
    except TypeError as error:
        raise StoreError(f"{path} was written by another version of ganbench ({error})") from None


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
    """Return the object in a file, None where there is no file; StoreError where it holds something else."""
    text = _read(path)
    return None if text is None else _object(_parsed(text, path), path)


def read_lines(path: str) -> list[dict[str, Any]]:
    """Return the object of each line of a file, nothing where there is no file."""
    text = _read(path)
    # One list is parsed faster than its lines one by one.
    found = _parsed(b"[" + b",".join(text.splitlines()) + b"]", path) if text else []
    return [_object(line, path) for line in found]


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - no Path, see above
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror or error})") from None


def _parsed(text: bytes, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or too deep
        raise StoreError(f"{path} is not valid JSON ({error}); {ANEW}") from None


def _object(found: object, path: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise StoreError(f"{path} is not what ganbench writes: expected a JSON object; {ANEW}")
    return found
