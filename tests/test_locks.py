"""Locks: one process makes what several ask for, and a process that dies gives its lock back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.locks import alone

# What the trainer of a classifier and the maker of a reference do, with a file for each who did the work.
WORKER = """
import os, sys, time
from pathlib import Path
from ganbench.locks import alone
folder = Path(sys.argv[1])
target = folder / "made" / "thing"
(folder / f"ready-{os.getpid()}").touch()
while len(list(folder.glob("ready-*"))) < 2:
    time.sleep(0.01)
if not target.exists():
    with alone(target):
        if not target.exists():
            (folder / f"worked-{os.getpid()}").touch()
            time.sleep(0.3)
            target.write_text("whole")
assert target.read_text() == "whole"
"""


def test_of_two_processes_one_does_the_work_and_the_other_waits_for_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    workers = [subprocess.Popen(command) for _ in range(2)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    assert len(list(tmp_path.glob("worked-*"))) == 1


HOLDER = """
import sys, time
from pathlib import Path
from ganbench.locks import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(20)
"""


def test_a_process_that_is_killed_gives_its_lock_back(tmp_path: Path) -> None:
    target = tmp_path / "thing"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(target)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        assert _waits(target)
        holder.send_signal(signal.SIGKILL)
    with alone(target):
        pass


def _waits(target: Path) -> bool:
    """Whether another process cannot have the lock now."""
    import fcntl

    handle = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def test_where_nothing_can_be_locked_the_work_is_done_all_the_same(tmp_path: Path, monkeypatch) -> None:
    import fcntl

    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    done = []
    with alone(in_the_way / "thing"):  # a folder that cannot be made, whoever runs this test
        done.append("no folder")

    def refused(*_: object) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with alone(tmp_path / "thing"):
        done.append("no locks")
    assert done == ["no folder", "no locks"]


def test_what_goes_wrong_inside_is_heard_and_unlocks(tmp_path: Path) -> None:
    for _ in range(2):  # the second would wait for ever
        with pytest.raises(OSError, match="full disk"), alone(tmp_path / "thing"):
            raise OSError("full disk")
    assert not _waits(tmp_path / "thing")
