"""Where the training of unfinished cells stands: kept in the store every so many seconds, and when asked to stop."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ganbench.store import CHECKPOINT, Store
from ganbench.store_files import opened

if TYPE_CHECKING:
    from torch import Tensor

EVERY = 60.0  # seconds
G, D = "snapshot/g/", "snapshot/d/"  # what snapshots of the players are called in a checkpoint


def step_of(store: Store, key: str, scored: Sequence[int] = ()) -> int:
    """Return the G steps after which a cell's training was last kept; 0 where there is nothing to go on with.

    There is nothing either where it lacks a snapshot of one of the steps before that are to be `scored`.
    """
    path = store.cell_folder(key) / CHECKPOINT
    if not path.exists():
        return 0
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            step, there = max(0, int(file.metadata()["step"])), set(file.keys())
    except (SafetensorError, OSError, KeyError, ValueError, TypeError):
        return 0  # damaged: the cell starts anew
    return step if all(at > step or f"{G}{at}" in there for at in scored) else 0


def _seconds(path: Path) -> float:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        return float(file.metadata()["seconds"])


class Paused:
    """The players of cells whose training is paused, by scored step: read where it is kept, else from the results."""

    def __init__(self, store: Store) -> None:
        """Take the store of the cells."""
        self._store = store

    def snapshot_steps(self, key: str) -> list[int]:
        """List the steps of which there is a snapshot."""
        path = self._kept(key)
        if path is None:
            return self._store.snapshot_steps(key)
        with opened(path) as file:
            return sorted(int(name.removeprefix(G)) for name in file.keys() if name.startswith(G))  # noqa: SIM118

    def snapshot(self, key: str, step: int) -> Tensor:
        """Return the scored generator's flat parameters `(size,)` at one step."""
        path = self._kept(key)
        if path is None:
            return self._store.snapshot(key, step)
        with opened(path) as file:
            found: Tensor = file.get_tensor(f"{G}{step}")
        return found

    def d_snapshot(self, key: str, step: int) -> Tensor | None:
        """Return D's flat parameters at one step, where they were kept."""
        path = self._kept(key)
        if path is None:
            return self._store.d_snapshot(key, step)
        with opened(path) as file:
            name = f"{D}{step}"
            found: Tensor | None = file.get_tensor(name) if name in file.keys() else None  # noqa: SIM118 - no mapping
        return found

    def _kept(self, key: str) -> Path | None:
        path = self._store.cell_folder(key) / CHECKPOINT
        return path if path.exists() else None


class StoredCheckpoints:
    """What `train_cohort` keeps of the cells of these keys.

    `spent` are a cell's seconds of training before, `asked_to_stop` says whether this process has been.
    """

    def __init__(
        self,
        store: Store,
        keys: Sequence[str],
        resumes: bool,
        seconds: float = EVERY,
        limit: float | None = None,
        until: int | None = None,
    ) -> None:
        """Take the store, whether what it keeps is to be gone on with, and the seconds between two checkpoints.

        `limit` are the seconds that a cell may train, `until` is the G step at which training pauses.
        """
        self._store, self._keys, self._resumes, self._seconds = store, keys, resumes, seconds
        self._limit = math.inf if limit is None else limit
        self.until = until
        self._began = self._last = time.monotonic()
        self.asked_to_stop, self.spent = False, 0.0

    @property
    def over(self) -> bool:
        """Whether each cell has had its share of the cohort's time."""
        return self.spent + (time.monotonic() - self._began) / len(self._keys) >= self._limit

    def due(self) -> bool:
        """Say whether the time has passed, or this process is asked to stop."""
        return self.asked_to_stop or self.over or time.monotonic() - self._last >= self._seconds

    def warming_up(self) -> None:
        """Stop at once where this process was asked to: the warm-up starts again."""
        if self.asked_to_stop:
            sys.exit(0)

    def write(self, cells: Sequence[dict[str, Tensor]]) -> None:
        """Keep where the cells stand; where this process was asked to stop, it then does."""
        from safetensors.torch import save

        seconds = self.spent + (time.monotonic() - self._began) / len(cells)
        for key, saved in zip(self._keys, cells, strict=True):
            content = save(saved, metadata={"step": str(int(saved["step"])), "seconds": f"{seconds:.3f}"})
            self._store.write_checkpoint(key, content)
        self._last = time.monotonic()
        if self.asked_to_stop:
            sys.exit(0)

    def read(self) -> list[dict[str, Tensor]]:
        """Return where the cells stand, or nothing where they are to start anew."""
        from safetensors.torch import load_file

        if not self._resumes:
            return []
        paths = [self._store.cell_folder(key) / CHECKPOINT for key in self._keys]
        try:
            found, seconds = [load_file(path) for path in paths], [_seconds(path) for path in paths]
        except FileNotFoundError:  # somebody had no more use for one of them: they start anew, to the same end
            return []
        self.spent = sum(seconds) / len(paths)
        return found

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Answer SIGTERM by one more checkpoint, while training goes on inside."""

        def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            self.asked_to_stop = True

        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
