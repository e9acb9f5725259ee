"""What a Slurm job does on its node: one task, or what earlier jobs of it have left.

Slurm may end a job at any time and start it again: at its time limit, for a job of higher priority, after a node was
lost. What it has told stands in its box, and what it has kept in the store.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from types import FrameType

from ganbench.execution import fork_server, remote
from ganbench.execution.mail import Box, is_to_stop
from ganbench.execution.messages import Ends, Message, Task
from ganbench.execution.tasks import CohortRun, Preparation

# Slurm sends SIGTERM before it kills a job, and one of the others some time before the limit, as it is told to.
SIGNALS = signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2


class Evicted(BaseException):
    """Raised where Slurm is about to take the node away."""


@dataclass(frozen=True)
class Errand:
    """A task, the device it gets on the node, and the box in which it tells what happens."""

    task: Task
    device: str
    box: Box
    patience: float

    def __call__(self) -> None:
        """Do the task; its last word is `done`, `left` when it was asked to stop, or `lost` when it is to go on."""
        # Slurm may send them to all processes of the job: what is ignored now is ignored by those to come.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if not self.box.path.parent.exists():
            return  # its run is long over
        told = Box(self.box.path).read()
        self.box.post(Message("alive"))
        left = self._left(told)
        if left is None or is_to_stop(self.box):
            self.box.post(Message("left"))
            return
        fork_server.start(_scores(left))
        try:
            for number in SIGNALS:
                signal.signal(number, _evict)
            remote.work(left, self.device, Box(self.box.path), self.patience)
        except Evicted as evicted:
            self.box.post(Message("lost", text=f"{evicted}; what is kept is gone on with in another job"))
        finally:
            fork_server.stop()

    def _left(self, told: list[Message]) -> Task | None:
        """Return what earlier jobs have left of the task; None where it is in parts, which the head gives out."""
        if not told or not isinstance(self.task, CohortRun):
            return self.task
        ends = Ends()
        for message in told:
            ends.note(message)
        parts = self.task.rest(ends.trained, ends.scored, hung=False, innocent=True)
        return parts[0] if len(parts) == 1 else None


def _evict(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # a second one would interrupt what the first one has begun
    why = "Slurm ends its job" if number == signal.SIGTERM else "the time of its Slurm job is nearly over"
    raise Evicted(f"{why} ({signal.Signals(number).name})")


def _scores(task: Task) -> bool:
    if isinstance(task, CohortRun):
        return bool(task.cohort.scoring.settings.metrics)
    return not isinstance(task, Preparation) or bool(task.settings.metrics)
