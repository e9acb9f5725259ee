"""What workers tell their parent, and what the parent gives them to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

PATIENCE = 600.0  # seconds without a word, after which a worker is taken to hang


@dataclass(frozen=True)
class Message:
    """What a worker tells its parent: progress (`step` of `steps`, `alive` cells), a cell's end, its own end.

    `alive` says no more than that it works; `error` is an exception that the task could not deal with, `detail` its
    traceback, and `halts` means that no other task would fare better. Of a worker that can tell nothing any longer it
    is said that it is `lost`, when what is left of its task is tried again, or that it `died` or `hung`. On another
    machine the first word is `began`, with the place, and `left` the last of a worker that was asked to stop.
    """

    kind: Literal[
        "began", "progress", "alive", "scoring", "trained", "scored", "done", "error", "lost", "died", "hung", "left"
    ]
    step: int = 0
    steps: int = 0
    alive: int = 0
    key: str = ""
    text: str = ""
    detail: str = ""
    halts: bool = False


Tell = Callable[[Message], None]


@dataclass
class Ends:
    """Of which cells a worker has told that they are trained, and that nothing is left to do: their keys."""

    trained: set[str] = field(default_factory=set)
    scored: set[str] = field(default_factory=set)

    def note(self, message: Message) -> None:
        """Remember what a message says of a cell."""
        if message.kind == "trained":
            self.trained.add(message.key)
        if message.kind == "scored" or (message.kind == "trained" and message.text == "failed"):
            self.scored.add(message.key)


class Task(Protocol):
    """Something a worker process does."""

    @property
    def name(self) -> str:
        """Say what it is, for progress lines."""

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:
        """Do it on `device`, telling the parent what happens; `started` is when the parent began this process."""


@runtime_checkable
class Resumable(Task, Protocol):
    """A task that says `alive` where it takes long, and of which the rest can be done by other workers."""

    def rest(
        self, trained: Collection[str], scored: Collection[str], hung: bool, innocent: bool = False
    ) -> Sequence[Task]:
        """Return what is to be tried after its worker was lost, or hung; nothing when that has been enough.

        `trained` and `scored` are the keys of the cells that the worker told of. Of an `innocent` task, whose machine
        was lost, it is all that is left.
        """


class Halt(BaseException):
    """Raised by whoever listens, to end a run early as Ctrl-C does; the message says why."""


Listen = Callable[[int, Task, Message], None]
