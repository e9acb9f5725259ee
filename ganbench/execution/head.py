"""The head of a run on other machines: it gives out all tasks, reads what comes back, and gives out what got lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ganbench.execution.mail import SILENT, Box, Room
from ganbench.execution.messages import Ends, Halt, Listen, Message, Resumable, Task
from ganbench.store import Store, StoreError

POLL = 0.2  # seconds
LOSSES = 3  # jobs of a task that may be lost in a row before the task itself is suspected


class Job(Protocol):
    """A task that an engine has taken."""

    def ended(self) -> str | None:
        """Return None while it waits or runs, nothing when it has ended well, else why it was lost.

        Raises StoreError where its machine has told that it cannot work in this store.
        """

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
    """A task that was given out: which slot shows it, when it was last heard, of which cells it has told the end."""

    task: Task
    box: Box
    job: Job
    losses: int = 0
    slot: int | None = None
    heard: float = 0.0
    over: float = 0.0
    ends: Ends = field(default_factory=Ends)

    def note(self, message: Message) -> None:
        """Remember what matters should this job be lost."""
        self.heard = time.monotonic()
        self.ends.note(message)

    def at_work(self) -> bool:
        """Whether its job has not ended."""
        try:
            return self.job.ended() is None
        except StoreError:
            return False

    def lost(self, ended: str | None, patience: float) -> str | None:
        """Say why it will tell nothing any longer, now that its mail is read; None while it may."""
        now = time.monotonic()
        if ended is None and self.heard and now - self.heard > patience:
            self.job.cancel()
            return f"it said nothing for {patience:.0f} s"
        if ended == "":
            # It has told all, and the file system may be slow to show it.
            self.over = self.over or now
            return "it ended without a word" if now - self.over > SILENT else None
        return ended


@dataclass
class Head:
    """An executor for an engine; a worker that posts nothing for `patience` seconds is taken to be lost.

    A job may be lost through no fault of its task, whose cells then stay together: only where it happens over and over
    are they tried in parts, as those of a worker process that died.
    """

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
        room, given = Room(self.store), list[_Given]()
        try:
            given += self._give(room, list(tasks))
            while given:
                room.beat()
                for entry in tuple(given):
                    self._follow(entry, given, listen, room)
                tick()
                time.sleep(POLL)
        except (KeyboardInterrupt, Halt):
            stopping()
            self._stop(room, given)
            raise
        finally:
            at_work = [entry for entry in given if entry.at_work()]
            for entry in at_work:
                entry.job.cancel()
            if not at_work:  # else the next run in this store waits until these are silent
                room.close()

    def _give(self, room: Room, tasks: Sequence[Task], losses: int = 0) -> list[_Given]:
        boxes = [room.box() for _ in tasks]
        jobs = self.engine.submit(list(zip(tasks, boxes, strict=True)))
        return [_Given(*entry, losses) for entry in zip(tasks, boxes, jobs, strict=True)]

    def _follow(self, entry: _Given, given: list[_Given], listen: Listen, room: Room) -> None:
        """Pass on what is new of one task; put what replaces it in its place when it is over."""
        try:
            ended = entry.job.ended()  # before its last words are read
        except StoreError as error:
            given.remove(entry)
            listen(entry.slot or 0, entry.task, Message("error", text=str(error), halts=True))
            return
        for message in entry.box.read():
            if entry.slot is None:
                entry.slot = self._free_slot(given, message.text if message.kind == "began" else "")
            entry.note(message)
            if message.kind == "left":
                ended = "it was stopped"
                continue
            if message.kind == "done":
                given.remove(entry)
            listen(entry.slot, entry.task, message)
            if message.kind == "done":
                return
        if (why := entry.lost(ended, self.patience)) is not None:
            self._replace(entry, why, given, listen, room)

    def _replace(self, entry: _Given, why: str, given: list[_Given], listen: Listen, room: Room) -> None:
        """Give out once more what a lost job has left, and say so."""
        given.remove(entry)
        slot = entry.slot or 0
        try:
            Store(self.store).check_writable()
        except StoreError as error:  # which will have been the reason
            listen(slot, entry.task, Message("error", text=str(error), halts=True))
            return
        ends = entry.ends
        losses = 1 if ends.trained or ends.scored else entry.losses + 1
        innocent = losses <= LOSSES
        rest: Sequence[Task] = (entry.task,) if innocent else ()
        if isinstance(entry.task, Resumable):
            rest = entry.task.rest(ends.trained, ends.scored, hung=False, innocent=innocent)
        said = f"its job was lost ({why})"
        if rest:
            given += self._give(room, rest, losses)
            listen(slot, entry.task, Message("lost", text=f"{said}; what is left of it is tried again"))
        elif innocent:
            listen(slot, entry.task, Message("done"))  # nothing was left
        else:
            listen(slot, entry.task, Message("died", text=said))

    def _free_slot(self, given: Sequence[_Given], device: str) -> int:
        """Return a slot that shows no task, best one of this device."""
        taken = {entry.slot for entry in given}
        free = [slot for slot in range(len(self.devices)) if slot not in taken]
        return next((slot for slot in free if self.devices[slot] == device), free[0] if free else 0)

    def _stop(self, room: Room, given: Sequence[_Given]) -> None:
        """Ask all for an end, and wait for those that have begun."""
        room.stop()
        began = time.monotonic()
        for entry in given:
            if entry.slot is None and not entry.box.read():
                entry.job.cancel()
        while any(entry.at_work() for entry in given) and time.monotonic() - began < self.patience:
            room.beat()
            time.sleep(POLL)
