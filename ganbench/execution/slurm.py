"""Slurm as an engine: each task is a job, or one of an array, that goes on in another job when Slurm ends it early."""

from __future__ import annotations

import contextlib
import io
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.execution import slurm_queue
from ganbench.execution.mail import Box, is_to_stop
from ganbench.execution.messages import Halt, Message, Task
from ganbench.execution.slurm_node import Errand
from ganbench.execution.slurm_queue import Queue, State
from ganbench.execution.tasks import CohortRun
from ganbench.suite.errors import SuiteError, wrong
from ganbench.suite.slurm import Slurm

if TYPE_CHECKING:
    from submitit import SlurmExecutor

TRIES = 3  # jobs of a task, one after another, that get nowhere
WARNING = 90  # seconds before its limit in which a job keeps what it has
KEPT = 30 * 86400.0  # seconds for which the files of a run's jobs are kept
LOG_LINES = 3
# Ways to end early that say nothing of the task.
BLAMELESS = {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED", "TIMEOUT"}
PROGRESS = {"progress", "scoring", "trained", "scored"}


@dataclass
class SlurmJob:
    """A task that was given to Slurm, as the job `number`: `ID`, or `ID_INDEX` in an array."""

    engine: SlurmEngine
    errand: Errand
    number: str
    futile: int = 0
    cancelled: bool = False
    _words: Box = field(init=False)
    _told: list[Message] = field(default_factory=list)
    _over: int = 0
    _posted: float = 0.0

    def __post_init__(self) -> None:
        """Read the box apart from the head, to know what this job has told."""
        self._words = Box(self.errand.box.path)

    def ended(self) -> str | None:
        """Say whether and how it ended; see `ganbench.execution.head.Job`.

        Raises Halt where somebody cancelled it or no job gets anywhere, SuiteError where it would wait for ever.
        """
        state, begun = self.engine.queue.state(self.number), self.errand.box.path.exists()
        if self.cancelled and not begun:
            return "it was cancelled"
        if begun and self.engine.stopping(self.errand.box):
            return self._stopped(state)
        if state is None or state.name in slurm_queue.AT_WORK:
            self._over = 0
            return None
        if state.name in slurm_queue.WAITING:
            self._over = 0
            self._wait(state, begun)
            return None
        # Slurm ends a job for a moment before it puts it back, and files may be seen late: it is asked twice.
        self._over = self._over or self.engine.queue.asked
        return None if self.engine.queue.asked == self._over else self._ended(state)

    def cancel(self) -> None:
        """Take it out of the queue, or end it: it then keeps what it has."""
        self.cancelled = True
        slurm_queue.cancel(self.number)

    def _wait(self, state: State, begun: bool) -> None:
        """Have the head be patient with a job that Slurm has put back into its queue."""
        if state.reason in slurm_queue.FOR_EVER:
            said = f"job {self.number} would wait for ever ({state.reason}): see `slurm` in the suite, or --slurm"
            self.engine.end_run(wrong("--executor slurm", said))
        if begun and time.monotonic() - self._posted > self.errand.patience / 3:
            self._posted = time.monotonic()
            self.errand.box.post(Message("alive"))

    def _stopped(self, state: State | None) -> str | None:
        """Say whether a job that is asked to stop has; one that waits in the queue has nothing to keep."""
        self._told += self._words.read()
        if self._told and self._told[-1].kind in ("left", "done"):
            return ""
        if state is not None and state.name in slurm_queue.WAITING:
            self.cancel()
            return "it was cancelled"
        return None if state is None or state.name in slurm_queue.AT_WORK else "it was stopped"

    def _ended(self, state: State) -> str | None:
        self._told += self._words.read()
        told, kinds = self._told, {message.kind for message in self._told}
        if kinds & {"done", "left"}:
            return ""
        cohort = isinstance(self.errand.task, CohortRun)
        if state.name == "CANCELLED" and cohort and not self.cancelled:
            said = f"Slurm job {self.number} was cancelled: the run stops, and the same command goes on from there"
            self.engine.end_run(Halt(said))
            return said
        why = f"Slurm job {self.number} ended as {state.name}{self._log()}"
        evicted = bool(told) and told[-1].kind == "lost"
        if state.name not in BLAMELESS and not evicted and told:
            return why
        self.futile = 0 if kinds & PROGRESS else self.futile + 1
        if self.futile < TRIES and (cohort or told):
            self._go_on(state, evicted)
            return None
        if cohort:
            self.engine.end_run(Halt(f"{self.futile} jobs in a row got nowhere with {self.errand.task.name}: {why}"))
        return why

    def _go_on(self, state: State, evicted: bool) -> None:
        """Give the task to another job, which goes on from what is kept; where Slurm is busy, later."""
        slurm_queue.cancel(self.number)
        with contextlib.suppress(SuiteError):
            before, (self.number,) = self.number, self.engine.give([self.errand])
            self._over = 0
            if not evicted:
                text = f"Slurm job {before} ended as {state.name}; another goes on from what is kept"
                self.errand.box.post(Message("lost", text=text))
            self._words.read()
            self._told = []

    def _log(self) -> str:
        """Return where its log is, and the last lines of it."""
        path = self.engine.folder / f"{self.number}_0_log.err"
        if not path.exists():
            return f"; it left no log at {path}: do the nodes see this folder (GANBENCH_CACHE)?"
        lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
        return f": {' / '.join(lines[-LOG_LINES:])} (its log: {path})" if lines else f" (its log, empty: {path})"


@dataclass
class SlurmEngine:
    """Gives tasks to Slurm: a call is an array of jobs, as many at a time as there are `devices`.

    SuiteError where submitit or Slurm's commands are missing. What submitit writes for its jobs lies in a new folder of
    `root`, which all nodes must see.
    """

    slurm: Slurm
    devices: Sequence[str]
    name: str
    root: Path
    patience: float
    queue: Queue = field(default_factory=Queue)
    folder: Path = field(init=False)
    _ending: bool = False
    _looked: float = 0.0
    _stopping: bool = False

    def __post_init__(self) -> None:
        """Make the folder, and clear away those that were left alone for long."""
        slurm_queue.must_be_there()
        self.root.mkdir(parents=True, exist_ok=True)
        for old in self.root.iterdir():
            if time.time() - old.stat().st_mtime > KEPT:
                shutil.rmtree(old, ignore_errors=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir=self.root))

    def submit(self, given: Sequence[tuple[Task, Box]]) -> list[SlurmJob]:
        """Take tasks with their boxes, the first ones first; SuiteError with Slurm's words where it does not."""
        device = "cuda:0" if self.slurm.gpus else "cpu"
        errands = [Errand(task, device, box, self.patience) for task, box in given]
        return [SlurmJob(self, *entry) for entry in zip(errands, self.give(errands), strict=True)]

    def give(self, errands: Sequence[Errand]) -> list[str]:
        """Give errands to Slurm, as arrays of equal length where one would be too long; return their jobs' numbers."""
        largest = slurm_queue.largest_array() if len(errands) > 1 else 1
        arrays = math.ceil(len(errands) / largest)
        executor = self._executor(math.ceil(len(self.devices) / max(arrays, 1)))
        numbers: list[str] = []
        # Every second, third ... errand: those that come first are the longest.
        order = [position for first in range(arrays) for position in range(first, len(errands), arrays)]
        try:
            for first in range(arrays):
                numbers += self._array(executor, errands[first::arrays])
        except BaseException:
            for number in {number.partition("_")[0] for number in numbers}:
                slurm_queue.cancel(number)
            raise
        return [number for _, number in sorted(zip(order, numbers, strict=True))]

    def end_run(self, why: BaseException) -> None:
        """Raise what ends the run, once: the other jobs are then asked how they are."""
        if not self._ending:
            self._ending = True
            raise why

    def stopping(self, box: Box) -> bool:
        """Say whether the jobs of a run are asked to stop; for all of them one look a second is enough."""
        if time.monotonic() - self._looked >= 1:
            self._looked, self._stopping = time.monotonic(), is_to_stop(box)
        return self._stopping

    def _array(self, executor: SlurmExecutor, errands: Sequence[Errand]) -> list[str]:
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        try:
            # submitit prints what Slurm says, which is told below.
            with slurm_queue.outside_of_jobs(), contextlib.redirect_stderr(io.StringIO()):
                return [str(job.job_id) for job in executor.submit_array(list(errands))]
        except (FailedJobError, FailedSubmissionError) as error:
            raise wrong("--executor slurm", f"sbatch refuses: {slurm_queue.words_of(str(error))}") from None

    def _executor(self, at_once: int) -> SlurmExecutor:
        from submitit import SlurmExecutor

        executor = SlurmExecutor(self.folder)
        executor.update_parameters(**sbatch_options(self.slurm, self.name, at_once))
        return executor


def sbatch_options(slurm: Slurm, name: str, at_once: int) -> dict[str, Any]:
    """Return what submitit is told of jobs of which this many run at once."""
    asked = {
        "partition": slurm.partition,
        "account": slurm.account,
        "qos": slurm.qos,
        "constraint": slurm.constraint,
        "mem": slurm.memory,
        "gpus_per_node": slurm.gpus if slurm.gpus in (0, 1) else f"{slurm.gpus}:1",
        "setup": list(slurm.setup),
    }
    return {
        "job_name": f"ganbench-{name}",
        "time": slurm.time,
        "nodes": 1,
        "ntasks_per_node": 1,
        "cpus_per_task": slurm.cpus,
        "array_parallelism": at_once,
        "signal_delay_s": min(WARNING, slurm.time * 15),
        # After the loss of a node Slurm starts its jobs again.
        "additional_parameters": {"requeue": True, **slurm.sbatch},
        **{option: value for option, value in asked.items() if value},
    }
