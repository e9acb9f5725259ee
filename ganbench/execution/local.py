"""Local execution: each task in a fresh process of a fork server, as many at once as there are slots."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.process import BaseProcess

from ganbench.execution import fork_server
from ganbench.execution.messages import PATIENCE, Ends, Halt, Listen, Message, Resumable, Task
from ganbench.execution.worker import worker

TICK = 1.0  # seconds
STARTS = 3  # of a worker, should the fork server be killed in the middle of it
UNKNOWN = 255  # the exit code of a worker whose fork server is gone, whether it has ended or not


@dataclass
class Running:
    """A task in its process: when it was last heard, of which cells it has told the end, and whether of itself.

    What `holds_memory` of a device has to be gone before another takes its place there.
    """

    slot: int
    task: Task
    process: BaseProcess
    receiver: Connection
    holds_memory: bool
    heard: float = field(default_factory=time.monotonic)
    ends: Ends = field(default_factory=Ends)
    over: bool = False
    hung: bool = False
    resumable: bool = field(init=False)

    def __post_init__(self) -> None:
        """Ask once: of thousands of tasks this takes its time."""
        self.resumable = isinstance(self.task, Resumable)

    def note(self, message: Message) -> None:
        """Remember what matters should this process be lost."""
        self.heard = time.monotonic()
        self.over = self.over or message.kind in ("done", "error")
        self.ends.note(message)

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal, unless that has ended; a fork server that is gone cannot say whether it has."""
        if self.process.exitcode in (None, UNKNOWN) and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def at_work(self) -> bool:
        """Wait a moment for its end; return whether it lives. What it says is read, or it would wait for a reader."""
        if self.receiver.closed:
            return False
        orphaned = self.process.exitcode == UNKNOWN
        wait([self.receiver] if orphaned else [self.receiver, self.process.sentinel], TICK)
        try:
            while self.receiver.poll():
                self.note(self.receiver.recv())
        except (EOFError, ConnectionError):
            self.process.join()
            return False
        return orphaned or self.process.is_alive()


@dataclass(frozen=True)
class Local:
    """The executor of this machine, with a slot per entry of `devices`; see `ganbench.execution.executor`."""

    devices: Sequence[str]
    patience: float = PATIENCE

    def run(
        self,
        tasks: Iterable[Task],
        listen: Listen,
        stopping: Callable[[], None] = lambda: None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Run every task in a process of its own."""
        run(tasks, self.devices, listen, stopping, tick, self.patience)


def run(
    tasks: Iterable[Task],
    devices: Sequence[str],
    listen: Listen,
    stopping: Callable[[], None] = lambda: None,
    tick: Callable[[], None] = lambda: None,
    patience: float = PATIENCE,
    share: float = 1.0,
) -> None:
    """Run every task, in order, on the first slot that is free; all slots of a device share this part of its memory.

    `listen(slot, task, message)` hears all that workers say, `tick()` is called about once a second. Where a process
    ends before its task is done, or says nothing for `patience` seconds though its task is resumable, the rest of its
    task is tried next and the others go on. On KeyboardInterrupt or Halt (which `listen` and `tick` may raise), told by
    `stopping`, workers are asked to keep what they have, and waited for, before it is raised again; a KeyboardInterrupt
    then kills them.
    """
    pending, free = deque(tasks), deque(range(len(devices)))
    running: dict[Connection, Running] = {}
    try:
        while pending or running:
            while pending and free:
                slot = free.popleft()
                started = _start(slot, pending.popleft(), devices, share)
                running[started.receiver] = started
            for ready in wait(list(running), TICK):
                assert isinstance(ready, Connection)
                entry = running[ready]
                if not _hear(entry, listen, pending):
                    del running[ready]
                    free.append(entry.slot)
            _kill_silent(running.values(), patience)
            tick()
    except (KeyboardInterrupt, Halt):
        stopping()
        raise
    finally:
        _stop(running.values(), patience)


def _kill_silent(running: Iterable[Running], patience: float) -> None:
    now = time.monotonic()
    for entry in running:
        if entry.resumable and now - entry.heard > patience and not entry.hung:
            entry.hung = True
            entry.signal(signal.SIGKILL)  # its pipe closes, which ends it for whoever listens


def _stop(running: Iterable[Running], patience: float) -> None:
    """Ask workers to stop and wait for them; they hear SIGTERM when what they train can be taken up again."""
    entries = list(running)
    for entry in entries:
        entry.signal(signal.SIGTERM)
    try:
        _join(entries, patience)
    except KeyboardInterrupt:
        for entry in entries:
            entry.signal(signal.SIGKILL)
        _join(entries, patience)
        raise


def _join(entries: Sequence[Running], patience: float) -> None:
    for entry in entries:
        while entry.at_work():
            # One that had only just been forked was deaf, and is asked again. One that trains slowly still says so.
            entry.signal(signal.SIGKILL if time.monotonic() - entry.heard > patience else signal.SIGTERM)
        entry.receiver.close()


def _start(slot: int, task: Task, devices: Sequence[str], share: float) -> Running:
    receiver, sender = Pipe(duplex=False)
    share /= devices.count(devices[slot])
    for left in reversed(range(STARTS)):
        context = fork_server.start()  # it may have been killed, and a new one must have the same surroundings
        process = context.Process(target=worker, args=(task, devices[slot], share, sender, time.time()), daemon=True)
        try:
            process.start()
            break
        except (EOFError, ConnectionError):
            if not left:
                raise
    sender.close()
    return Running(slot, task, process, receiver, devices[slot] != "cpu")


def _hear(entry: Running, listen: Listen, pending: deque[Task]) -> bool:
    """Pass on one message; return whether the worker is still at it."""
    try:
        message = entry.receiver.recv()
    except (EOFError, ConnectionError):
        if entry.holds_memory or not entry.over:
            entry.process.join()
        entry.receiver.close()
        if not entry.over:
            _lose(entry, listen, pending)
        return False
    entry.note(message)
    listen(entry.slot, entry.task, message)
    return True


def _lose(entry: Running, listen: Listen, pending: deque[Task]) -> None:
    """Put the rest of a lost worker's task before all others, and say so."""
    rest: Sequence[Task] = ()
    if isinstance(entry.task, Resumable):
        rest = entry.task.rest(entry.ends.trained, entry.ends.scored, entry.hung)
        pending.extendleft(reversed(rest))
    silent = f"the worker process said nothing for {time.monotonic() - entry.heard:.0f} s and was killed"
    why = silent if entry.hung else _why(entry.process.exitcode or 0)
    if rest:
        parts = f" in {len(rest)} parts" if len(rest) > 1 else ""
        listen(entry.slot, entry.task, Message("lost", text=f"{why}; what is left of it is tried again{parts}"))
    else:
        listen(entry.slot, entry.task, Message("hung" if entry.hung else "died", text=why))


def _why(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"the worker process was killed by {name}{hint}"
    hint = " (SIGTERM from elsewhere asks it to, and a plugin may by sys.exit)" if code == 0 else ""
    return f"the worker process ended with exit code {code} before it was done{hint}"
