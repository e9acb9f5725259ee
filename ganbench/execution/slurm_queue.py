"""What Slurm says of jobs: asked by its commands, for all jobs of a run at once and not too often."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from ganbench.suite.errors import wrong

EVERY = 5.0  # seconds between two questions: Slurm serves all users of a cluster with one process
LARGEST_ARRAY = 1001  # Slurm's default

WAITING = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"}
AT_WORK = {"RUNNING", "CONFIGURING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}
# Reasons to wait that do not pass by themselves.
FOR_EVER = {
    "AccountNotAllowed",
    "BadConstraints",
    "InvalidAccount",
    "InvalidQOS",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "QOSNotAllowed",
}
GONE = "gone"


@dataclass(frozen=True)
class State:
    """A job's state in Slurm's words, or `gone` where it has forgotten it, and why it waits."""

    name: str
    reason: str = ""


@dataclass
class Queue:
    """This user's jobs; `asked` is how often Slurm has been."""

    asked: int = 0
    _last: float = field(default_factory=time.monotonic)
    _states: Mapping[str, State] = field(default_factory=dict)

    def state(self, job: str) -> State | None:
        """Return a job's state, as `ID` or `ID_INDEX`, as it was told last; None while Slurm has not been asked."""
        if time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self._ask()
        return self._states.get(job, State(GONE)) if self.asked else None

    def _ask(self) -> None:
        form = "%F|%K|%T|%r"
        command = ["squeue", f"--user={getpass.getuser()}", "--states=all", "--array", "--noheader", f"--format={form}"]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        except (subprocess.SubprocessError, OSError):
            return  # the next time will do: a busy Slurm is no news of a job
        states = {}
        for line in told.splitlines():
            job, index, name, reason = line.split("|", 3)
            states[f"{job}_{index}" if index.isdigit() else job] = State(name, reason)
        self.tell(states)

    def tell(self, states: Mapping[str, State]) -> None:
        """Take what Slurm says of all jobs that it has not forgotten."""
        self._states, self.asked = states, self.asked + 1


def cancel(job: str) -> None:
    """End a job, which may be over already."""
    subprocess.run(["scancel", "--quiet", job], capture_output=True, check=False)


def must_be_there() -> None:
    """Raise SuiteError where submitit or Slurm's commands are not installed."""
    if find_spec("submitit") is None:
        raise wrong("--executor slurm", "needs the extra: pip install 'ganbench[slurm]'")
    if missing := [name for name in ("sbatch", "srun", "squeue", "scancel") if shutil.which(name) is None]:
        said = f"{', '.join(missing)} not found: run this on a login node of a Slurm cluster, with its commands on PATH"
        raise wrong("--executor slurm", said)


def largest_array() -> int:
    """Return how many jobs one array may have."""
    try:
        told = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, check=True, timeout=60)
    except (subprocess.SubprocessError, OSError):
        return LARGEST_ARRAY - 1
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", told.stdout)
    return max(1, int(found[1] if found else LARGEST_ARRAY) - 1)  # the highest index is one less


@contextmanager
def outside_of_jobs() -> Iterator[None]:
    """Hide what Slurm tells a job of itself: a run may be led from within one, whose jobs are others."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith("SLURM_") and name != "SLURM_CONF"}
    if "SLURM_JOB_ID" not in hidden:
        hidden = {}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


def words_of(told: str) -> str:
    """Return what a command of Slurm told, in one line without its own name."""
    lines = [re.sub(r"^\w+: (error: )?", "", line.strip()) for line in told.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line)) or "it gave no reason"
