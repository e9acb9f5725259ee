"""SIGTERM (docker stop, a service manager, kill) and SIGHUP (a terminal that was closed) act as one Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

import typer

NAMES = "SIGINT", "SIGTERM", "SIGHUP"  # Windows lacks the last


class Interrupted(KeyboardInterrupt):
    """Raised where a signal arrives, with its number."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def interrupts_told() -> Iterator[None]:
    """Raise KeyboardInterrupt inside where a signal arrives; where it gets out, end with 128 and the signal's number.

    That is 130 for Ctrl-C, 143 for SIGTERM and 129 for SIGHUP. Only Ctrl-C can ask twice: shells and service managers
    repeat the others. One that the process was started to ignore, as by nohup, stays ignored.
    """
    if current_thread() is not main_thread():
        yield
        return
    asked, terminals = False, [handle for handle in (1, 2) if os.isatty(handle)]

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal asked
        if asked and number != signal.SIGINT:
            return
        asked = True
        _leave(terminals)
        raise Interrupted(number)

    numbers = [number for name in NAMES if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        number = interrupt.number if isinstance(interrupt, Interrupted) else signal.SIGINT
        raise typer.Exit(128 + number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(terminals: list[int]) -> None:
    """Print into the void from now on where a terminal has gone, rather than fail for that."""
    gone = [handle for handle in terminals if not os.isatty(handle)]
    if gone:
        sink = os.open(os.devnull, os.O_WRONLY)
        for handle in gone:
            os.dup2(sink, handle)
        os.close(sink)
