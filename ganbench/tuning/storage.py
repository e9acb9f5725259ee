"""Where studies are kept: a journal in the store, or a database that several machines share."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from ganbench.locks import alone
from ganbench.sent import hidden
from ganbench.suite.errors import wrong

TRIES = 4  # to open a database
PIECE = 1 << 16  # bytes that are looked through at a time, from the end


def open_storage(place: Path | str) -> BaseStorage:
    """Open a journal file (a path) or a database (a URL); SuiteError says why that cannot be."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(place), cast(Any, _KernelLock(place))))
    for left in reversed(range(TRIES)):
        try:
            return RDBStorage(place)
        except Exception as error:  # whatever a database's driver raises
            if not left:
                told = hidden(str(error).splitlines()[0], place)
                raise wrong("--storage", f"cannot be opened: {type(error).__name__}: {told}") from None
            time.sleep(0.2)  # another machine may be making the tables
    raise AssertionError("unreachable")


class _KernelLock:
    """A journal's lock that goes with its process, even a killed one; Optuna's own would then block for 30 seconds.

    Whoever writes next cuts off what a process that was killed, or had a full disk, left of a line: Optuna would append
    to it, and nobody could read the journal any more.
    """

    def __init__(self, journal: Path) -> None:
        """Lock a file beside the journal."""
        self._journal = journal
        self._held: AbstractContextManager[bool] | None = None

    def acquire(self) -> bool:
        """Wait for it."""
        self._held = alone(self._journal)
        self._held.__enter__()
        _cut_to_whole_lines(self._journal)
        return True

    def release(self) -> None:
        """Give it back."""
        assert self._held is not None
        self._held.__exit__(None, None, None)
        self._held = None


def _cut_to_whole_lines(journal: Path) -> None:
    if not journal.exists():
        return
    with journal.open("r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        kept = b""
        while end and b"\n" not in kept:
            start = max(0, end - PIECE)
            file.seek(start)
            kept, end = file.read(end - start), start
        whole = end + kept.rfind(b"\n") + 1
        if whole < size:
            file.truncate(whole)
