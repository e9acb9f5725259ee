"""Who is at work on a search, and who has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganbench.locks import alone, held
from ganbench.tuning.at_work import SILENT, Presence

HOLDER = """
import sys, time
from pathlib import Path
from ganbench.tuning.at_work import Presence

presence = Presence(Path(sys.argv[1]))
with presence.at_work([]):
    print(presence.token, flush=True)
    time.sleep(60)
"""


class Claims:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def beat(self) -> None:
        self.told.append("beat")

    def release(self) -> None:
        self.told.append("release")


def test_a_lock_is_held_while_its_block_lasts(tmp_path):
    assert not held(tmp_path / "it")
    with alone(tmp_path / "it"):
        assert held(tmp_path / "it")
    assert not held(tmp_path / "it")


def test_a_process_that_is_killed_counts_as_ended_at_once(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    token = process.stdout.readline().strip()
    me = Presence(tmp_path)
    assert not me.dead(token, time.time())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert me.dead(token, time.time())


def test_a_process_elsewhere_has_ended_when_it_is_silent(tmp_path):
    me = Presence(tmp_path)
    assert not me.dead("of another machine", time.time() - SILENT / 2)
    assert me.dead("of another machine", time.time() - 2 * SILENT)


def test_locks_that_killed_processes_left_are_removed_once_they_are_silent(tmp_path):
    def left(name: str, age: float) -> Path:
        path = tmp_path / name
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
        return path

    old, new = left(f".{'a' * 16}.lock", 2 * SILENT), left(f".{'b' * 16}.lock", 1)
    asking = left(".suite.asking.lock", 2 * SILENT)
    held_by_another = left(f".{'c' * 16}.lock", 2 * SILENT)
    with alone(tmp_path / ("c" * 16)), Presence(tmp_path).at_work([]):
        assert not old.exists()
        assert new.exists()  # its trials are taken up by that
        assert asking.exists() and held_by_another.exists()


def test_claims_are_renewed_while_at_work_and_given_up_at_the_end_whatever_ends_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ganbench.tuning.at_work.BEAT", 0.001)
    claims, me = Claims(), Presence(tmp_path)

    def interrupted() -> None:
        with me.at_work([claims]):
            while "beat" not in claims.told:
                time.sleep(0.001)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert claims.told[-1] == "release" and claims.told.count("release") == 1
    assert not list(tmp_path.iterdir())
