"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, how it is, and what to do about it where something is to be done.

    A `note` is worth knowing and stops nothing; a `problem` will stop a run, or cost it results.
    """

    what: str
    level: Level
    said: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def checked(what: str, check: Check) -> Iterator[Finding]:
    """Yield what a check finds; that it breaks is a finding, too."""
    try:
        yield from check()
    except Exception as error:  # whatever is wrong with this machine, the other checks go on
        said = " ".join(str(error).split())[:300]
        told = f"{type(error).__name__}: {said}" if said else type(error).__name__
        yield Finding(what, "problem", f"could not be checked ({told})")


def sized(count: float) -> str:
    """Write bytes as a person reads them, in powers of ten."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def nearest(folder: Path) -> Path:
    """Return a folder, or what is there of the path to it."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def listed(names: Iterable[object], most: int = 3) -> str:
    """Name the first few, and count the others."""
    every = [str(name) for name in names]
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
