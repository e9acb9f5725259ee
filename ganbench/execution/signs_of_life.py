"""What a worker says where it takes long between two messages, so that it is not taken for one that hangs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from ganbench import locks
from ganbench.execution.messages import Message, Tell

EVERY = 0.5  # seconds
AT_WORK = 0.02  # of that time spent computing: a process that waits for ever spends less
BYTES = 2000.0  # written in a second: a slow download writes more, these messages less


@contextmanager
def signs_of_life(tell: Tell, every: float = EVERY) -> Iterator[None]:
    """Tell from a thread that this process is alive: that it, or a process it has started, computes or writes.

    So is one that waits for its turn to make what another process is making. What computes for ever is alive as well.
    """
    over = Event()

    def watch() -> None:
        before = _done()
        while not over.wait(every):
            now = _done()
            # The end of a process that was started takes its share away, and is a sign of life too.
            seconds, written = (abs(after - earlier) for after, earlier in zip(now, before, strict=True))
            if seconds > AT_WORK * every or written > BYTES * every or locks.waits():
                tell(Message("alive"))
            before = now

    thread = Thread(target=watch, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _done() -> tuple[float, float]:
    """Return the seconds that this process and those it has started have computed, and the bytes they have written.

    Where there is no /proc, the seconds are of this process alone, and nothing is known of bytes.
    """
    seconds, written = time.process_time(), _written(os.getpid())
    for pid in _started_by(os.getpid()):
        with suppress(OSError, ValueError, IndexError):  # it has ended just now
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        written += _written(pid)
    return seconds, written


def _written(pid: int) -> float:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/io").read_text().splitlines():
            if line.startswith("wchar:"):
                return float(line.split()[1])
    return 0.0


def _started_by(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from _started_by(child)
