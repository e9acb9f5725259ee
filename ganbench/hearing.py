"""What the parent makes of what its workers say: progress, records of dead ones, and when a run is to end early."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from ganbench.execution.messages import Halt, Message, Task
from ganbench.execution.tasks import CohortRun
from ganbench.listener import Listener
from ganbench.live_tracking import LiveTracking
from ganbench.pulse import Pulse
from ganbench.untracked import Untracked

RUN_OVER = "the time for the whole run is over: what is in training is kept, and the same command goes on from there"


@dataclass
class Ear:
    """Hears the workers of a run: passes it on, and records what a dead worker cannot.

    `errors` collects what went wrong beside the cells. Raises Halt for an error that all others would meet, for the
    first failed cell of a run that is to `fail_fast`, and after `until` (a time of `time.monotonic`).
    """

    listener: Listener
    tracking: LiveTracking | Untracked
    pulse: Pulse
    errors: list[str]
    fail_fast: bool = False
    until: float = math.inf
    trained: set[str] = field(default_factory=set)

    def hear(self, slot: int, task: Task, message: Message) -> None:
        """Hear one message of the worker in a slot."""
        self.pulse.heard(slot, task, message)
        if message.kind == "error":
            self.errors.append(f"{task.name}: {message.text}\n{message.detail}".rstrip())
        if isinstance(task, CohortRun):
            self._keep_books(task, message)
        self.listener.heard(slot, task, message)
        self._halt_if_asked(task, message)

    def tick(self) -> None:
        """Do what is due about once a second."""
        self.pulse.beat()
        if time.monotonic() > self.until:
            raise Halt(RUN_OVER)

    def _keep_books(self, task: CohortRun, message: Message) -> None:
        if message.kind == "trained":
            self.trained.add(message.key)
        if message.kind in ("died", "hung"):
            self.errors.append(f"{task.name}: {message.text}")
            task.bury(self.trained, "failed" if message.kind == "died" else "timed_out", message.text)
        if message.kind == "scored":
            self.tracking.finished([message.key])
        if message.kind in ("done", "error", "died", "hung"):
            self.tracking.finished(cell.key for cell in task.cohort.cells)

    def _halt_if_asked(self, task: Task, message: Message) -> None:
        if message.halts:
            raise Halt("the run is stopped: no other cell would fare better")
        failed = message.kind in ("error", "died", "hung") or (message.kind == "trained" and message.text == "failed")
        if self.fail_fast and failed:
            raise Halt(f"stopped at the first failure ({task.name}), as asked by --fail-fast")
