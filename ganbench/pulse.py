"""The pulse of a run: what it is doing now, in a file of the store, for whoever looks on from elsewhere.

    STORE/pulse.json   written every two seconds while a run is at work, and gone when it has ended

It holds no result: nothing is lost with it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from ganbench.execution.messages import Message, Task
from ganbench.paths import write_whole
from ganbench.plain_data import as_json
from ganbench.store import Store
from ganbench.suite.cohorts import Cohort

FILE = "pulse.json"
EVERY = 2.0  # seconds


@dataclass(frozen=True)
class Slot:
    """What one slot is doing: `step` of `steps` in `phase`, since `began` (`time.time()`)."""

    device: str
    name: str = ""
    phase: str = "idle"
    step: int = 0
    steps: int = 0
    alive: int = 0
    cells: int = 0
    began: float = 0.0


@dataclass(frozen=True)
class Beat:
    """A run at one moment: `done` of `work`, and how many of its `cells` have ended their training in which way.

    While it gets ready `doing` says with what.
    """

    suite: str
    host: str
    pid: int
    began: float
    told: float
    work: float
    done: float
    cells: int
    outcomes: Mapping[str, int]
    slots: Sequence[Slot]
    doing: str = ""

    @property
    def left(self) -> float | None:
        """Guess the seconds that are left; None while nothing has been done."""
        passed = self.told - self.began
        return passed / self.done * (self.work - self.done) if self.done else None


@dataclass
class Pulse:
    """Writes the beats of one run."""

    store: Store
    suite: str
    cohorts: Sequence[Cohort]
    devices: Sequence[str]
    began: float = field(default_factory=time.time)
    _slots: dict[int, Slot] = field(default_factory=dict)
    _done: dict[str, float] = field(default_factory=dict)
    _outcomes: dict[str, int] = field(default_factory=dict)
    _last: float = -EVERY
    _told: bool = True

    def heard(self, slot: int, task: Task, message: Message) -> None:
        """Take note of what a worker says."""
        cohort = getattr(task, "cohort", None)
        if not isinstance(cohort, Cohort):
            return
        before = self._slots.get(slot, Slot(self.devices[slot]))
        if message.kind == "began":
            self._slots[slot] = Slot(message.text)
        if message.kind == "trained":
            self._outcomes[message.text] = self._outcomes.get(message.text, 0) + 1
        if message.kind in ("progress", "scoring"):
            phase = "training" if message.kind == "progress" else "scoring"
            began = before.began if (before.name, before.phase) == (task.name, phase) else time.time()
            size = len(cohort.cells)
            doing = Slot(before.device, task.name, phase, message.step, message.steps, message.alive, size, began)
            self._slots[slot] = doing
        if message.kind == "progress" and message.steps:
            self._done[cohort.cells[0].key] = cohort.work * message.step / message.steps
        if message.kind in ("done", "error", "died", "hung", "lost"):
            self._slots[slot] = Slot(before.device)
        if message.kind in ("done", "error", "died", "hung"):
            self._done[cohort.cells[0].key] = cohort.work

    def beat(self) -> None:
        """Write what is going on, unless that was done just now; a disk that is full shall not end a run."""
        if not self._told or time.monotonic() - self._last < EVERY:
            return
        self._last = time.monotonic()
        found = Beat(
            self.suite,
            socket.gethostname(),
            os.getpid(),
            self.began,
            time.time(),
            sum(cohort.work for cohort in self.cohorts),
            sum(self._done.values()),
            sum(len(cohort.cells) for cohort in self.cohorts if cohort.trains),
            self._outcomes,
            [self._slots.get(slot, Slot(device)) for slot, device in enumerate(self.devices)],
        )
        try:
            write(self.store, found)
        except OSError:
            self._told = False  # whoever looks on sees its age

    def end(self) -> None:
        """Take the file away."""
        with suppress(OSError):
            (self.store.root / FILE).unlink(missing_ok=True)


def write(store: Store, beat: Beat) -> None:
    """Write a beat in place of the one before; OSError where that cannot be."""
    write_whole(store.root / FILE, as_json(asdict(beat)))


def read(store: Store) -> Beat | None:
    """Return the last beat of the run that is at work in a store, or that was when it was killed; None without one."""
    try:
        found: dict[str, Any] = json.loads((store.root / FILE).read_text())
        return Beat(**{**found, "slots": [Slot(**slot) for slot in found["slots"]]})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None  # of another version of ganbench
