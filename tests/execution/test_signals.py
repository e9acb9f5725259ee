"""Runs that are asked to end from outside, and what the next run does with the workers of one that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ganbench
from ganbench import pulse
from ganbench.execution.presence import present, wait_for_absence
from ganbench.locks import others
from ganbench.store import CHECKPOINT, Store, StoreError

ENDLESS = """
objectives: [OBJECTIVE]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 1000000, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 500000, metrics: [fid]}
"""
STUCK = '''
import re, time
from dataclasses import dataclass
from pathlib import Path
from ganbench import losses

@losses.register("hangs")
@dataclass(frozen=True)
class Hangs:
    """Waits for ever."""

    def discriminator(self, real, fake):
        time.sleep(10_000)

    def generator(self, real, fake):
        time.sleep(10_000)

@losses.register("spins")
@dataclass(frozen=True)
class Spins(Hangs):
    """Computes for ever what no other thread can interrupt."""

    def discriminator(self, real, fake):
        Path(__file__).with_name("spinning").touch()
        re.match("(a+)+$", 100 * "a" + "b")
'''
PATIENCE = 120.0  # seconds that a test waits for what should take one


@contextmanager
def at_work(untracked: list[str], folder: Path, objective: str = "hinge") -> Iterator[subprocess.Popen[str]]:
    """A run in a session of its own, whose one worker has begun to train."""
    (folder / "stuck.py").write_text(STUCK)
    plugins = "" if objective == "hinge" else f"plugins: [{folder / 'stuck.py'}]\n"
    (folder / "suite.yaml").write_text(ENDLESS.replace("OBJECTIVE", objective) + plugins)
    options = ["--store", "runs", "--workers", "1", "--cohort", "2", "--no-report", "--checkpoint-every", "3600"]
    command = [*untracked, "run", "suite.yaml", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=folder, start_new_session=True, preexec_fn=_hears, **pipes) as running:
        try:
            until(lambda: others(folder / "runs" / "workers") and trains(folder, 0))
            if objective == "hinge":
                until(lambda: trains(folder, 1))
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def _hears() -> None:
    """Hear signals as in a terminal: a shell lets what it starts in the background ignore Ctrl-C, nohup a hang-up."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def trains(folder: Path, step: int) -> bool:
    """Whether the run says that it is past getting ready, and some slot at this step."""
    beat = pulse.read(Store(folder / "runs"))
    return beat is not None and any(slot.step >= step for slot in beat.slots)


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def worker_of(folder: Path) -> int:
    (note,) = (json.loads(path.read_text()) for path in (folder / "runs" / ".workers").iterdir())
    return int(note["pid"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [(signal.SIGTERM, False, 143), (signal.SIGTERM, True, 143), (signal.SIGHUP, True, 129), (signal.SIGINT, True, 130)],
)
def test_a_run_that_is_asked_to_end_keeps_what_is_in_training(
    number: signal.Signals, to_all: bool, code: int, tmp_path: Path, untracked: list[str]
) -> None:
    with at_work(untracked, tmp_path) as running:
        for _ in range(1 if number == signal.SIGINT else 2):  # shells and service managers repeat it
            (os.killpg if to_all else os.kill)(running.pid, number)
        told, _ = running.communicate()
    assert running.returncode == code, told
    assert "what is in training is being kept" in told and "Interrupted. 0 of 2 cells are saved" in told
    assert len(list(tmp_path.rglob(CHECKPOINT))) == 2 and not (tmp_path / "runs" / pulse.FILE).exists()
    (cohort,) = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1, cohort=2).cohorts
    assert cohort.step > 0


@pytest.mark.slow
def test_a_worker_that_hangs_ends_with_its_parent(tmp_path: Path, untracked: list[str]) -> None:
    with at_work(untracked, tmp_path, "hangs") as running:
        running.kill()
        running.wait()
    until(lambda: not others(tmp_path / "runs" / "workers"))


@pytest.mark.slow
def test_a_worker_that_outlives_its_parent_is_ended_by_the_next_run(tmp_path: Path, untracked: list[str]) -> None:
    said: list[str] = []
    with at_work(untracked, tmp_path, "spins") as running:
        until((tmp_path / "spinning").exists)
        worker = worker_of(tmp_path)
        running.kill()
        running.wait()
    wait_for_absence(tmp_path / "runs", 1.0, said.append)
    assert "waiting until they are silent" in said[0] and f"process {worker}, a worker" in said[1]
    assert not (tmp_path / "runs" / ".workers").exists()


HOLDER = """
import sys, time
from pathlib import Path
from ganbench.locks import together
with together(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(10_000)
"""


def test_who_cannot_be_shown_to_be_a_worker_is_named_and_spared(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "workers")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander,
    ):
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "held\n"
            with pytest.raises(StoreError, match=r"still holds .*\.workers\.lock.*fuser"):
                wait_for_absence(tmp_path, 0.3, lambda _: None)
            # Notes of a worker of another host, and one that somebody made for a process that holds nothing.
            (tmp_path / ".workers").mkdir()
            for host, pid in (("elsewhere", holder.pid), ("here", bystander.pid)):
                note = {"host": host, "pid": pid, "process": f"{host} {pid}", "task": "hinge x ring8"}
                (tmp_path / ".workers" / f"{host}-{pid}").write_text(json.dumps(note))
            with pytest.raises(StoreError, match=rf"process {holder.pid} on elsewhere \(hinge x ring8\)"):
                wait_for_absence(tmp_path, 0.3, lambda _: None)
            assert holder.poll() is None and bystander.poll() is None
        finally:
            holder.kill()
            bystander.kill()
    wait_for_absence(tmp_path, 0.3, lambda _: None)
    assert not (tmp_path / ".workers").exists()


def test_a_worker_notes_who_it_is_for_as_long_as_it_works(tmp_path: Path) -> None:
    with present(tmp_path, "hinge x ring8"):
        (path,) = (tmp_path / ".workers").iterdir()
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert not list((tmp_path / ".workers").iterdir())
    with present(tmp_path / "absent", "hinge x ring8"):
        assert not (tmp_path / "absent").exists()
