"""A task on another machine: this runs there, in a process that an engine such as Ray or Slurm has started."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ganbench.execution import local
from ganbench.execution.mail import EVERY, Box, is_to_stop
from ganbench.execution.messages import PATIENCE, Halt, Message, Task
from ganbench.execution.tasks import CohortRun
from ganbench.records import Outcome


def work(task: Task, device: str, box: Box, patience: float = PATIENCE) -> None:
    """Do a task in a worker process of this machine, and post what it says; its last word is `done` or `left`.

    It stops, and keeps what it has, when the head asks for it or is gone, and on Halt or KeyboardInterrupt.
    """
    clerk = _Clerk(box)
    try:
        local.run([task], [device], clerk.hear, tick=clerk.tick, patience=patience)
    except (Halt, KeyboardInterrupt):
        box.post(Message("left"))
        return
    box.post(Message("done"))


@dataclass
class _Clerk:
    """Posts what the workers of one task say, and buries the cells that none can train."""

    box: Box
    trained: set[str] = field(default_factory=set)
    posted: float = 0.0

    def hear(self, slot: int, task: Task, message: Message) -> None:  # noqa: ARG002 - there is one slot
        if message.kind == "trained":
            self.trained.add(message.key)
        if message.kind in ("died", "hung") and isinstance(task, CohortRun):
            outcome: Outcome = "failed" if message.kind == "died" else "timed_out"
            for cell in task.bury(self.trained, outcome, message.text):
                self._post(Message("trained", key=cell.key, text=outcome))
            message = Message("error", text=message.text)
        if message.kind != "done":  # a part of the task may be done, and others be left
            self._post(message)

    def tick(self) -> None:
        """Post a sign of life when it is time, and see whether one is to go on."""
        if time.monotonic() - self.posted > EVERY:
            self._post(Message("alive"))
            if is_to_stop(self.box):
                raise Halt("asked to stop")

    def _post(self, message: Message) -> None:
        self.posted = time.monotonic()
        self.box.post(message)
