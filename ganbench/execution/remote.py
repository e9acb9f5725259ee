"""A task on another machine: this runs there, in a process that an engine such as Ray or Slurm has started."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType

from ganbench.execution import local
from ganbench.execution.mail import EVERY, Box, is_to_stop
from ganbench.execution.messages import PATIENCE, Halt, Message, Task
from ganbench.execution.provenance import provenance
from ganbench.execution.tasks import CohortRun, Preparation
from ganbench.records import Outcome
from ganbench.store import StoreError


def work(task: Task, device: str, box: Box, patience: float = PATIENCE, where: str = "", share: float = 1.0) -> None:
    """Do a task in a worker process of this machine, and post what it says; its last word is `done` or `left`.

    `where` names the place for the reader (default: this host and the device), `share` is the part of the device's
    memory that the task may use. It stops, and keeps what it has, when the head asks for it or is gone, and on Halt or
    KeyboardInterrupt. Raises StoreError where this machine does not see the files of the run, or cannot write there.
    """
    _must_see(task, box)
    clerk, last = _Clerk(box), Message("done")
    try:
        clerk.post(Message("began", text=where or f"{socket.gethostname()}, {device}"))
        try:
            clerk.obey()
            with _no_main_module():
                local.run([_here(task)], [device], clerk.hear, tick=clerk.tick, patience=patience, share=share)
        except (Halt, KeyboardInterrupt):
            last = Message("left")
        clerk.post(last)
    except OSError as error:
        raise StoreError(f"{socket.gethostname()} cannot write {box.path} ({error.strerror or error})") from None


def _must_see(task: Task, box: Box) -> None:
    surroundings = task.surroundings if isinstance(task, CohortRun | Preparation) else None
    plugins = () if surroundings is None else surroundings.plugins
    for path, what in (
        (box.path.parent, "the store"),
        *((Path(plugin), "a plugin of the suite") for plugin in plugins),
    ):
        if not path.exists():
            raise StoreError(
                f"{socket.gethostname()} does not see {path}: {what} must be at the same path on every machine"
            )


def _here(task: Task) -> Task:
    """Return the task with the provenance of this machine; set up this process for it."""
    if not isinstance(task, CohortRun | Preparation):
        return task
    surroundings = task.surroundings
    # Some datasets and scores ask for these folders themselves.
    os.environ["GANBENCH_DATA"] = str(surroundings.data_root)
    os.environ["GANBENCH_CACHE"] = str(surroundings.cache)
    with suppress(Exception):  # the worker process loads them as well, and tells what they raise
        surroundings.load_plugins()
    if surroundings.provenance is None:
        return task
    return replace(task, surroundings=replace(surroundings, provenance={**surroundings.provenance, **_provenance()}))


@cache
def _provenance() -> dict[str, str]:
    return provenance()


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide the engine's main module, which every worker process would import."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@dataclass
class _Clerk:
    """Posts what the workers of one task say, and buries the cells that none can train."""

    box: Box
    trained: set[str] = field(default_factory=set)
    ticked: float = 0.0
    latest: Message | None = None

    def hear(self, slot: int, task: Task, message: Message) -> None:  # noqa: ARG002 - there is one slot
        if message.kind in ("progress", "scoring"):
            self.latest = message  # the others are of no interest when it is time to post one
        if message.kind in ("alive", "progress", "scoring"):
            return
        if message.kind == "trained":
            self.trained.add(message.key)
        if message.kind in ("died", "hung") and isinstance(task, CohortRun):
            outcome: Outcome = "failed" if message.kind == "died" else "timed_out"
            for cell in task.bury(self.trained, outcome, message.text):
                self.post(Message("trained", key=cell.key, text=outcome))
            message = Message("error", text=message.text)
        if message.kind != "done":  # a part of the task may be done, and others be left
            self.post(message)

    def tick(self) -> None:
        """Post how it goes when it is time, and see whether one is to go on."""
        if time.monotonic() - self.ticked > EVERY:
            self.ticked = time.monotonic()
            self.post(self.latest or Message("alive"))
            self.latest = None
            self.obey()

    def obey(self) -> None:
        """Raise Halt where one is asked to stop."""
        if is_to_stop(self.box):
            raise Halt("asked to stop")

    def post(self, message: Message) -> None:
        self.box.post(message)
