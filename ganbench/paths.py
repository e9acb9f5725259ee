"""Where data and derived files live: the user's cache, unless GANBENCH_DATA or GANBENCH_CACHE say so."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def cache_root() -> Path:
    """Return the folder for what can be computed again: `GANBENCH_CACHE`, or the user's cache."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("GANBENCH_CACHE") or user_cache_path("ganbench"))


def data_root() -> Path:
    """Return the folder of datasets: `GANBENCH_DATA`, or `data` in the cache; it may be read-only."""
    return Path(os.environ.get("GANBENCH_DATA") or cache_root() / "data")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader, a crash or a full disk sees the old content or the new, never half."""
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path`, whole, once it is written; nothing when that fails.

    OSError names the file, which that of a full disk does not by itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
