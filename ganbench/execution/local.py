"""Local execution: each task in a fresh process of a fork server, as many at once as there are slots."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Protocol

from ganbench.execution import fork_server
from ganbench.execution.tasks import Message, Tell


class Task(Protocol):
    """Something a worker process does."""

    @property
    def name(self) -> str:
        """Say what it is, for progress lines."""

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:
        """Do it on `device`, telling the parent what happens; `started` is when the parent began this process."""


@dataclass(frozen=True)
class Running:
    """A task in its process."""

    slot: int
    task: Task
    process: BaseProcess
    receiver: Connection


Listen = Callable[[int, Task, Message], None]


def run(
    tasks: Sequence[Task], devices: Sequence[str], listen: Listen, stopping: Callable[[], None] = lambda: None
) -> None:
    """Run every task, in order, on the first slot that is free.

    `listen(slot, task, message)` hears all that workers say. A task whose process dies is heard as an error; the
    others go on. On KeyboardInterrupt, told by `stopping`, workers are asked to keep what they have, and waited for,
    before it is raised again; another KeyboardInterrupt kills them.
    """
    context = fork_server.start()
    pending, free = deque(tasks), deque(range(len(devices)))
    running: dict[Connection, Running] = {}
    try:
        while pending or running:
            while pending and free:
                slot = free.popleft()
                started = _start(context, slot, pending.popleft(), devices[slot])
                running[started.receiver] = started
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                entry = running[ready]
                if not _hear(entry, listen):
                    del running[ready]
                    free.append(entry.slot)
    except KeyboardInterrupt:
        stopping()
        raise
    finally:
        _stop(running.values())


def _stop(running: Iterable[Running]) -> None:
    """Ask workers to stop and wait for them; they hear SIGTERM when what they train can be taken up again."""
    entries = list(running)
    for entry in entries:
        entry.process.terminate()
    try:
        _join(entries)
    except KeyboardInterrupt:
        for entry in entries:
            entry.process.kill()
        _join(entries)
        raise


def _join(entries: Sequence[Running]) -> None:
    for entry in entries:
        # What it still says is read, or it would wait for a reader for ever.
        while entry.process.is_alive():
            wait([entry.receiver, entry.process.sentinel])
            try:
                while entry.receiver.poll():
                    entry.receiver.recv()
            except (EOFError, ConnectionError):
                entry.process.join()
        entry.receiver.close()


def _start(context: ForkServerContext, slot: int, task: Task, device: str) -> Running:
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_worker, args=(task, device, sender, time.time()), daemon=True)
    process.start()
    sender.close()
    return Running(slot, task, process, receiver)


def _hear(entry: Running, listen: Listen) -> bool:
    """Pass on one message; return whether the worker is still at it."""
    try:
        message = entry.receiver.recv()
    except (EOFError, ConnectionError):
        entry.process.join()
        entry.receiver.close()
        if entry.process.exitcode:
            listen(entry.slot, entry.task, Message("died", text=_why(entry.process.exitcode)))
        return False
    listen(entry.slot, entry.task, message)
    return True


def _why(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"the worker process was killed by {name}{hint}"
    return f"the worker process ended with exit code {code}"


def _worker(task: Task, device: str, sender: Connection, started: float) -> None:
    """Run one task in this process: one thread, deaf to Ctrl-C, which the parent hears."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)

    def tell(message: Message) -> None:
        try:
            sender.send(message)
        except BrokenPipeError:
            # The parent is gone: what is stored stays, the rest would be heard by nobody.
            os._exit(1)

    try:
        task.work(device, tell, started)
    except Exception as error:  # the parent decides what a failed task means
        reason = str(error) or type(error).__name__
        tell(Message("error", text=reason, detail="".join(traceback.format_exception(error))))
