"""A worker that is silent for long says that it lives: while it, or what it has started, computes, writes or waits."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.execution.messages import Message
from ganbench.execution.signs_of_life import signs_of_life
from ganbench.locks import alone

MOMENT = 0.2  # seconds


def told(do: Callable[[], object]) -> bool:
    """Whether a sign of life is told from a process that does this until it is, at most for some moments."""
    found: list[Message] = []
    with signs_of_life(found.append, MOMENT):
        end = time.monotonic() + 20 * MOMENT
        while not found and time.monotonic() < end:
            do()
    return bool(found) and found[0].kind == "alive"


def test_who_computes_is_alive() -> None:
    assert told(lambda: sum(range(100_000)))


def test_who_sleeps_is_not_alive() -> None:
    """In a process of its own: threads that earlier tests have left to this one may have something to do."""
    program = """
import time
from ganbench.execution.signs_of_life import EVERY, signs_of_life

found = []
with signs_of_life(found.append):
    time.sleep(4.5 * EVERY)
print(len(found))
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout == "0\n"


def test_a_slow_download_is_a_sign_of_life(tmp_path: Path) -> None:
    if not Path("/proc/self/io").exists():
        pytest.skip("this system does not count what a process writes")

    def download() -> None:
        time.sleep(MOMENT / 4)
        with (tmp_path / "file").open("ab") as file:
            file.write(bytes(1000))

    assert told(download)


def test_a_program_at_work_is_a_sign_of_life() -> None:
    if not list(Path("/proc/self/task").glob("*/children")):
        pytest.skip("this system does not tell what a process has started")
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            assert told(lambda: time.sleep(MOMENT))
        finally:
            busy.kill()


def test_who_waits_for_its_turn_is_alive(tmp_path: Path) -> None:
    def wait() -> None:
        with alone(tmp_path / "thing"):
            pass

    with alone(tmp_path / "thing"):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert told(lambda: time.sleep(MOMENT))
    waiting.join()
