"""Files that a publisher offers: checked against the published checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

CHUNK = 1 << 20


def absent(folder: Path, checksums: Mapping[str, str]) -> list[str]:
    """Return the names of the files that do not lie in a folder."""
    return [name for name in checksums if not (folder / name).is_file()]


def check(folder: Path, checksums: Mapping[str, str]) -> None:
    """Compare files with their published MD5 sums; ValueError names every one that differs, and what to do."""
    wrong = []
    for name, published in checksums.items():
        digest = hashlib.md5(usedforsecurity=False)
        with (folder / name).open("rb") as file:
            while part := file.read(CHUNK):
                digest.update(part)
        if digest.hexdigest() != published:
            wrong.append(f"  {folder / name}: {digest.hexdigest()}, published {published}")
    if wrong:
        told = "these files are not the published ones, by their MD5 sums; delete them to fetch them again:"
        raise ValueError("\n".join([told, *wrong]))
