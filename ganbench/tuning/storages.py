"""Where studies are kept: in a journal file, or in a database that machines share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from ganbench.sent import hidden
from ganbench.suite.errors import wrong
from ganbench.tuning.journal_lock import KernelLock

TRIES = 4  # to open a database


def open_storage(place: Path | str) -> BaseStorage:
    """Open a journal file (a path) or a database (a URL); SuiteError says why that cannot be."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(place), cast(Any, KernelLock(place))))
    for left in reversed(range(TRIES)):
        try:
            return RDBStorage(place)
        except Exception as error:  # whatever a database's driver raises
            if not left:
                told = hidden(str(error).splitlines()[0], place)
                raise wrong("--storage", f"cannot be opened: {type(error).__name__}: {told}") from None
            time.sleep(0.2)  # another machine may be making the tables
    raise AssertionError("unreachable")
