"""What a worker says where it takes long between two messages, so that it is not taken for one that hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from ganbench.execution.messages import Message, Tell

EVERY = 5.0  # seconds
AT_WORK = 0.02  # of that time spent computing: a process that waits for ever spends less


@contextmanager
def signs_of_life(tell: Tell, every: float = EVERY) -> Iterator[None]:
    """Tell from a thread that this process is alive, as long as it computes something."""
    over = Event()

    def watch() -> None:
        before = time.process_time()
        while not over.wait(every):
            now = time.process_time()
            if now - before > AT_WORK * every:
                tell(Message("alive"))
            before = now

    thread = Thread(target=watch, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
