"""What runs the tasks of a run: worker processes of this machine, or other machines that see the same store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

from ganbench.execution.messages import Listen, Task

ExecutorName = Literal["local", "ray", "slurm"]


class Executor(Protocol):
    """Runs tasks where there is room for them."""

    @property
    def devices(self) -> Sequence[str]:
        """Name the device of each slot: as many tasks run at once."""

    def run(
        self,
        tasks: Iterable[Task],
        listen: Listen,
        stopping: Callable[[], None] = lambda: None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Run every task, the first ones first; what a task's worker can no longer do is tried by another.

        `listen(slot, task, message)` hears all that workers say, `tick()` is called about once a second. On
        KeyboardInterrupt or Halt (which `listen` and `tick` may raise), told by `stopping`, workers are asked to keep
        what they have, and waited for, before it is raised again.
        """
