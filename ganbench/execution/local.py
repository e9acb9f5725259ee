"""Local execution: each task in a fresh process of a fork server, as many at once as there are slots."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from threading import Lock

from ganbench.execution import fork_server, slots
from ganbench.execution.messages import PATIENCE, Ends, Halt, Listen, Message, Resumable, Task
from ganbench.store import StoreError

TICK = 1.0  # seconds


@dataclass
class Running:
    """A task in its process: when it was last heard, and of which cells it has told the end."""

    slot: int
    task: Task
    process: BaseProcess
    receiver: Connection
    heard: float = field(default_factory=time.monotonic)
    ends: Ends = field(default_factory=Ends)
    hung: bool = False
    resumable: bool = field(init=False)

    def __post_init__(self) -> None:
        """Ask once: of thousands of tasks this takes its time."""
        self.resumable = isinstance(self.task, Resumable)

    def note(self, message: Message) -> None:
        """Remember what matters should this process be lost."""
        self.heard = time.monotonic()
        self.ends.note(message)


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
    dies, or says nothing for `patience` seconds though its task is resumable, the rest of its task is tried next and
    the others go on. On KeyboardInterrupt or Halt (which `listen` and `tick` may raise), told by `stopping`, workers
    are asked to keep what they have, and waited for, before it is raised again; a KeyboardInterrupt then kills them.
    """
    context = fork_server.start()
    pending, free = deque(tasks), deque(range(len(devices)))
    running: dict[Connection, Running] = {}
    try:
        while pending or running:
            while pending and free:
                slot = free.popleft()
                started = _start(context, slot, pending.popleft(), devices, share)
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
            entry.process.kill()  # its pipe closes, which ends it for whoever listens


def _stop(running: Iterable[Running], patience: float) -> None:
    """Ask workers to stop and wait for them; they hear SIGTERM when what they train can be taken up again."""
    entries = list(running)
    for entry in entries:
        entry.process.terminate()
    try:
        _join(entries, patience)
    except KeyboardInterrupt:
        for entry in entries:
            entry.process.kill()
        _join(entries, patience)
        raise


def _join(entries: Sequence[Running], patience: float) -> None:
    for entry in entries:
        asked = time.monotonic()
        # What it still says is read, or it would wait for a reader for ever.
        while entry.process.is_alive():
            wait([entry.receiver, entry.process.sentinel], TICK)
            try:
                while entry.receiver.poll():
                    entry.receiver.recv()
            except (EOFError, ConnectionError):
                entry.process.join()
            if time.monotonic() - asked > patience:
                entry.process.kill()
        entry.receiver.close()


def _start(context: ForkServerContext, slot: int, task: Task, devices: Sequence[str], share: float) -> Running:
    receiver, sender = context.Pipe(duplex=False)
    share /= devices.count(devices[slot])
    process = context.Process(target=_worker, args=(task, devices[slot], share, sender, time.time()), daemon=True)
    process.start()
    sender.close()
    return Running(slot, task, process, receiver)


def _hear(entry: Running, listen: Listen, pending: deque[Task]) -> bool:
    """Pass on one message; return whether the worker is still at it."""
    try:
        message = entry.receiver.recv()
    except (EOFError, ConnectionError):
        entry.process.join()
        entry.receiver.close()
        if entry.process.exitcode:
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
    return f"the worker process ended with exit code {code}"


def _worker(task: Task, device: str, share: float, sender: Connection, started: float) -> None:
    """Run one task in this process: one thread, deaf to Ctrl-C, which the parent hears."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the fork server of a Slurm job ignores
    import torch

    torch.set_num_threads(1)
    speaking = Lock()

    def tell(message: Message) -> None:
        try:
            with speaking:
                sender.send(message)
        except BrokenPipeError:
            # The parent is gone: what is stored stays, the rest would be heard by nobody.
            os._exit(1)

    try:
        task.work(slots.claim(device, share), tell, started)
    except StoreError as error:
        tell(Message("error", text=str(error), halts=True))
    except Exception as error:  # the parent decides what a failed task means
        reason = str(error) or type(error).__name__
        tell(Message("error", text=reason, detail="".join(traceback.format_exception(error))))
