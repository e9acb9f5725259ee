"""Who is at work on a search: a process keeps a lock in the store while it lives, and tells of itself in its claims."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from ganbench.locks import alone, held

BEAT = 30.0  # seconds between two signs of life
SILENT = 180.0  # seconds without one, after which a process of another store or machine counts as ended


class Beating(Protocol):
    """What claims are kept in."""

    def beat(self) -> None:
        """Renew the claims of this process."""

    def release(self) -> None:
        """Give them up."""


class Claims(Protocol):
    """Which process a claim belongs to, and whether that is still at work."""

    token: str

    def dead(self, token: str, told: float) -> bool:
        """Say whether the process behind a token, last heard of at a time, has ended."""


class Presence:
    """This process, among those that share a search through one folder or one database."""

    def __init__(self, folder: Path) -> None:
        """Take a name that no other process has; nothing is written yet."""
        self._folder = folder
        self.token = secrets.token_hex(8)

    def dead(self, token: str, told: float) -> bool:
        """Say whether the process behind a token has ended: at once in one store, else by its silence."""
        if (self._folder / f".{token}.lock").exists() and not held(self._folder / token):
            return True
        return time.time() - told > SILENT

    @contextmanager
    def at_work(self, studies: Sequence[Beating]) -> Iterator[None]:
        """Hold the lock and renew the claims until the end of the block, which gives both up."""
        ended, lock = Event(), self._folder / f".{self.token}.lock"
        self._clear()

        def beat() -> None:
            while not ended.wait(BEAT):
                with suppress(OSError):
                    lock.touch()  # by which others tell a lock that was left behind
                for study in studies:
                    study.beat()

        with alone(self._folder / self.token):
            thread = Thread(target=beat, name="claims", daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()
                for study in studies:
                    study.release()
                lock.unlink(missing_ok=True)  # nobody else locks this name

    def _clear(self) -> None:
        """Remove the locks of processes that were killed, once their silence alone says so."""
        for lock in self._folder.glob(".*.lock"):
            token = lock.name[1 : -len(".lock")]
            with suppress(OSError):
                silent = time.time() - lock.stat().st_mtime > SILENT
                if silent and re.fullmatch(r"[0-9a-f]{16}", token) and not held(self._folder / token):
                    lock.unlink()
