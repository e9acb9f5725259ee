"""A worker process: it does one task, tells its parent how that goes, and ends with its parent."""

from __future__ import annotations

import os
import select
import signal
import traceback
from multiprocessing.connection import Connection
from threading import Lock, Thread

from ganbench.execution import slots
from ganbench.execution.messages import Message, Task
from ganbench.store import StoreError


def worker(task: Task, device: str, share: float, sender: Connection, started: float) -> None:
    """Run one task in this process: one thread that computes, deaf to Ctrl-C, which the parent hears."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which the fork server ignores
    import torch

    torch.set_num_threads(1)
    Thread(target=_end_with_parent, args=(sender.fileno(),), name="end with parent", daemon=True).start()
    speaking = Lock()

    def tell(message: Message) -> None:
        try:
            with speaking:
                sender.send(message)
        except BrokenPipeError:
            _end()

    try:
        task.work(slots.claim(device, share), tell, started)
    except StoreError as error:
        tell(Message("error", text=str(error), halts=True))
    except Exception as error:  # the parent decides what a failed task means
        reason = str(error) or type(error).__name__
        tell(Message("error", text=reason, detail="".join(traceback.format_exception(error))))
    with speaking:
        sender.close()  # the parent need not wait for the end of a process that has nothing left to say


def _end_with_parent(handle: int) -> None:
    """End this process when nobody reads the pipe of this handle any longer, though it may hang where it is."""
    watch = select.poll()
    watch.register(handle, 0)  # that the other end is closed is told without being asked for
    if any(events & (select.POLLERR | select.POLLHUP) for _, events in watch.poll()):
        _end()


def _end() -> None:
    # The parent is gone: what is stored stays, the rest would be heard by nobody.
    os._exit(1)
