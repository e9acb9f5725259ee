"""The lock of an Optuna journal, held by the kernel."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from ganbench.locks import alone


class KernelLock:
    """A journal's lock that goes with its process, even a killed one; Optuna's own would then block for 30 seconds."""

    def __init__(self, journal: Path) -> None:
        """Lock a file beside the journal."""
        self._journal = journal
        self._held: AbstractContextManager[bool] | None = None

    def acquire(self) -> bool:
        """Wait for it."""
        self._held = alone(self._journal)
        self._held.__enter__()
        return True

    def release(self) -> None:
        """Give it back."""
        assert self._held is not None
        self._held.__exit__(None, None, None)
        self._held = None
