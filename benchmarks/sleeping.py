"""A cohort that sleeps where it would train, for `orchestration.py`: 625 workers import this, and nothing heavy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from unittest.mock import patch

from ganbench.execution.messages import Message, Tell
from ganbench.execution.tasks import CohortRun
from ganbench.records import Status
from ganbench.store import Store

SECONDS = 2.0


@dataclass(frozen=True)
class DryRun(CohortRun):
    """Leaves a status of each cell, and says what a cohort says that is trained and scored."""

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - as a task's
        """Sleep, say so now and then, store the cells."""
        cells, store = self.cohort.cells, Store(self.surroundings.store)
        steps = cells[0].train.g_steps
        for step in range(4):
            time.sleep(SECONDS / 4)
            tell(Message("progress", step * steps // 4, steps, len(cells)))
        for cell in cells:
            with patch("os.fsync"):  # which waits for the disk
                store.write_training(cell.key, cell.as_json(), Status("completed", steps))
            tell(Message("trained", key=cell.key, text="completed"))
            tell(Message("scored", key=cell.key))
        tell(Message("done"))
