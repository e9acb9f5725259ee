"""The head of a run on other machines: it gives out all tasks, reads what comes back, and gives out what got lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ganbench.execution.mail import Box, Room
from ganbench.execution.messages import Halt, Listen, Message, Resumable, Task

POLL = 0.2  # seconds


class Job(Protocol):
    """A task that an engine has taken."""

    def ended(self) -> str | None:
        """Return None while it waits or runs, nothing when it has ended well, else why it was lost."""

    def cancel(self) -> None:
        """End it at once."""


class Engine(Protocol):
    """What starts `ganbench.execution.remote.work` on other machines; it has a queue of its own."""

    @property
    def devices(self) -> Sequence[str]:
        """Name the device of each slot that there is, for the display."""

    def submit(self, given: Sequence[tuple[Task, Box]]) -> Sequence[Job]:
        """Take tasks with their boxes, the first ones first."""


@dataclass
class _Given:
    """A task that was given out."""

    task: Task
    box: Box
    job: Job
    slot: int | None = None
    heard: float = 0.0
    trained: set[str] = field(default_factory=set)
    scored: set[str] = field(default_factory=set)


@dataclass
class Head:
    """An executor for an engine; a worker that posts nothing for `patience` seconds is taken to be lost."""

    engine: Engine
    store: Path
    patience: float

    @property
    def devices(self) -> Sequence[str]:
        """Name the device of each slot."""
        return self.engine.devices

    def run(
        self,
        tasks: Iterable[Task],
        listen: Listen,
        stopping: Callable[[], None] = lambda: None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Run every task on the engine's machines; see `ganbench.execution.executor`."""
        room = Room(self.store)
        given = self._give(room, list(tasks))
        try:
            while given:
                room.beat()
                given = [kept for entry in given for kept in self._follow(entry, given, listen, room)]
                tick()
                time.sleep(POLL)
        except (KeyboardInterrupt, Halt):
            stopping()
            self._stop(room, given)
            raise
        except BaseException:
            for entry in given:
                entry.job.cancel()
            raise
        room.close()

    def _give(self, room: Room, tasks: Sequence[Task]) -> list[_Given]:
        boxes = [room.box() for _ in tasks]
        jobs = self.engine.submit(list(zip(tasks, boxes, strict=True)))
        return [_Given(*entry) for entry in zip(tasks, boxes, jobs, strict=True)]

    def _follow(self, entry: _Given, given: Sequence[_Given], listen: Listen, room: Room) -> list[_Given]:
        """Pass on what is new of one task; return what is to be followed on: itself, what replaces it, or nothing."""
        ended = entry.job.ended()
        for message in entry.box.read():
            if entry.slot is None:
                entry.slot = self._free_slot(given)
            entry.heard = time.monotonic()
            if message.kind == "trained":
                entry.trained.add(message.key)
            if message.kind == "scored" or (message.kind == "trained" and message.text in ("failed", "timed_out")):
                entry.scored.add(message.key)
            if message.kind == "left":
                ended = "it was stopped"
                continue
            listen(entry.slot, entry.task, message)
            if message.kind == "done":
                return []
        if ended is None and entry.heard and time.monotonic() - entry.heard > self.patience:
            entry.job.cancel()
            ended = f"it said nothing for {self.patience:.0f} s"
        return [entry] if ended is None else self._replace(entry, ended, listen, room)

    def _replace(self, entry: _Given, why: str, listen: Listen, room: Room) -> list[_Given]:
        rest: Sequence[Task] = ()
        if isinstance(entry.task, Resumable):
            rest = entry.task.rest(entry.trained, entry.scored, hung=False)
        said = f"its job was lost ({why or 'it ended without a word'})"
        slot = entry.slot or 0
        if rest:
            listen(slot, entry.task, Message("lost", text=f"{said}; what is left of it is tried again"))
        else:
            listen(slot, entry.task, Message("died", text=said))
        return self._give(room, rest)

    def _free_slot(self, given: Sequence[_Given]) -> int:
        taken = {entry.slot for entry in given}
        return next((slot for slot in range(len(self.devices)) if slot not in taken), 0)

    def _stop(self, room: Room, given: Sequence[_Given]) -> None:
        """Ask for an end and wait for it; a second KeyboardInterrupt cancels what is left."""
        room.stop()
        began = time.monotonic()
        try:
            for entry in given:
                if entry.slot is None:
                    entry.job.cancel()  # it has not begun
                while entry.job.ended() is None and time.monotonic() - began < self.patience:
                    room.beat()
                    time.sleep(POLL)
        finally:
            for entry in given:
                if entry.job.ended() is None:
                    entry.job.cancel()
