"""Faults that are made to happen: workers that die or hang, times that are over, disks that are full."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ganbench
from ganbench.execution.messages import Message, Task
from ganbench.listener import Silence
from ganbench.runner import Result
from ganbench.store import CHECKPOINT, Store, StoreError
from ganbench.suite.errors import SuiteError

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 30, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 10, metrics: [fid, modes]}
"""
LONG = SUITE.replace("g_steps: 30", "g_steps: 1200").replace("every: 10", "every: 600")

PLUGIN = '''
import os, signal, time
from dataclasses import dataclass
from pathlib import Path
from ganbench import datasets, losses

class Plain:
    def discriminator(self, real, fake):
        self.misbehave()
        return (1 - real).relu().mean(-1) + (1 + fake).relu().mean(-1)

    def generator(self, real, fake):
        return -fake.mean(-1)

@losses.register("dies")
@dataclass(frozen=True)
class Dies(Plain):
    """Takes its process along."""

    def misbehave(self):
        os.kill(os.getpid(), signal.SIGSEGV)

@losses.register("hangs")
@dataclass(frozen=True)
class Hangs(Plain):
    """Waits for ever."""

    def misbehave(self):
        time.sleep(10_000)

@datasets.register("asleep")
@dataclass(frozen=True)
class Asleep:
    """Waits for ever for its data."""

    classes = None

    def missing(self, root):
        return None

    @property
    def shape(self):
        return (2,)

    def prepare(self, root):
        time.sleep(10_000)

    def load(self, root, split):
        raise NotImplementedError

@losses.register("leaves")
@dataclass(frozen=True)
class Leaves(Plain):
    """Ends its process as if all were done."""

    def misbehave(self):
        raise SystemExit(0)

@losses.register("stumbles")
@dataclass(frozen=True)
class Stumbles(Plain):
    """Is killed the first time that it is used."""

    def misbehave(self):
        mark = Path(__file__).with_name("stumbled")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
'''


class Heard(Silence):
    """Keeps what a run tells, and does something upon it."""

    def __init__(self, do: Callable[[Task, Message], object] = lambda *_: None) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.all: list[str] = []
        self.do = do

    def said(self, text: str) -> None:
        self.all.append(text)

    def heard(self, slot: int, task: Task, message: Message) -> None:
        self.messages.append((task.name, message))
        self.do(task, message)

    def of(self, kind: str) -> list[str]:
        return [message.text for _, message in self.messages if message.kind == kind]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("plugins") / "faults.py"
    path.write_text(PLUGIN)
    return f"plugins: [{path}]\n"


@pytest.fixture(autouse=True)
def _no_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow has tests of its own; here it would cost seconds per run."""

    class Untracked:
        def __init__(self, *_: Any) -> None: ...
        def __getattr__(self, name: str) -> Callable[..., str]:
            return lambda *_: ""

    monkeypatch.setattr("ganbench.runner.track", lambda *_: "")
    monkeypatch.setattr("ganbench.runner.LiveTracking", Untracked)


def run(folder: Path, text: str = SUITE, **options: Any) -> Result:
    folder.mkdir(exist_ok=True)
    (folder / "suite.yaml").write_text(text)
    return ganbench.run(folder / "suite.yaml", **{"store": folder / "runs", "workers": 1, **options})


def outcomes(folder: Path) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    store = Store(folder / "runs")
    for row in store.suite("suite").listed:
        status = store.status(row.key)
        found.setdefault(row.objective, Counter())["missing" if status is None else status.outcome] += 1
    return found


def scores(folder: Path) -> Mapping[str, Sequence[Mapping[str, float | None]]]:
    store = Store(folder / "runs")
    return {row.key: store.scores(row.key, row.evaluation_key).rows for row in store.suite("suite").listed}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        _no_tracking.__wrapped__(patch)
        run(folder, LONG)
    return scores(folder)


def test_an_objective_that_kills_its_process_fails_alone(tmp_path: Path, plugin: str) -> None:
    heard = Heard()
    done = run(tmp_path, SUITE.replace("minimax", "dies") + plugin, listener=heard)
    assert outcomes(tmp_path) == {"hinge": {"completed": 2}, "dies": {"failed": 2}}
    assert dict(done.outcomes) == {"completed": 2, "failed": 2} and done.failed
    assert "SIGSEGV" in done.errors[0] and "in 2 parts" in heard.of("lost")[0]
    failed = next(s for s in map(Store(tmp_path / "runs").status, scores_keys(tmp_path)) if s.outcome == "failed")
    assert "SIGSEGV" in failed.reason


def scores_keys(folder: Path) -> list[str]:
    return [row.key for row in Store(folder / "runs").suite("suite").listed]


def test_a_worker_that_ends_well_before_it_is_done_is_lost_all_the_same(tmp_path: Path, plugin: str) -> None:
    done = run(tmp_path, SUITE.replace("minimax", "leaves") + plugin, listener=(heard := Heard()))
    assert outcomes(tmp_path) == {"hinge": {"completed": 2}, "leaves": {"failed": 2}}
    assert dict(done.outcomes) == {"completed": 2, "failed": 2} and done.failed
    assert "exit code 0 before it was done" in done.errors[0] and "in 2 parts" in heard.of("lost")[0]


def test_a_worker_that_somebody_terminates_is_replaced_and_goes_on_from_where_it_was(
    tmp_path: Path, undisturbed: Mapping[str, object]
) -> None:
    kept: list[int] = []

    def terminate(task: Task, message: Message) -> None:
        if not kept and message.kind == "progress" and message.step > 0:
            os.kill(_worker(), signal.SIGTERM)
            kept.append(message.step)
        if message.kind == "lost":
            kept.append(len(list(tmp_path.rglob(CHECKPOINT))))

    done = run(tmp_path, LONG, listener=(heard := Heard(terminate)))
    assert kept[1:] == [4] and "SIGTERM from elsewhere" in heard.of("lost")[0]
    assert dict(done.outcomes) == {"completed": 4} and not done.errors
    assert scores(tmp_path) == undisturbed


def test_a_fork_server_that_is_killed_costs_nothing(tmp_path: Path, undisturbed: Mapping[str, object]) -> None:
    killed: list[int] = []

    def kill(task: Task, message: Message) -> None:
        if not killed and message.kind == "progress":
            killed.append(Path(f"/proc/{_worker()}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(int(killed[0]), signal.SIGKILL)

    text = LONG.replace("seeds: 2", "seeds: 1")
    done = run(tmp_path, text, listener=(heard := Heard(kill)), cohort=1)
    assert killed and not heard.of("lost") and not done.errors
    assert dict(done.outcomes) == {"completed": 2} and scores(tmp_path).items() <= undisturbed.items()


def _worker() -> int:
    """The process that trains; those of this process itself are the fork server and the like."""
    (worker,) = (pid for pid in _descendants(os.getpid()) if pid not in _children(os.getpid()))
    return worker


def test_a_worker_killed_once_costs_no_cell_and_changes_no_number(tmp_path: Path, plugin: str) -> None:
    text = SUITE.replace("minimax", "stumbles") + plugin
    mark = Path(plugin.split("[")[1].split("]")[0]).with_name("stumbled")
    done = run(tmp_path / "stumbling", text, listener=(heard := Heard()))
    assert mark.exists() and len(heard.of("lost")) == 1 and "SIGKILL" in heard.of("lost")[0]
    assert dict(done.outcomes) == {"completed": 4} and not done.failed
    run(tmp_path / "again", text)
    assert scores(tmp_path / "stumbling") == scores(tmp_path / "again")


def test_an_objective_that_hangs_is_tried_once_more_and_has_timed_out(tmp_path: Path, plugin: str) -> None:
    heard = Heard()
    done = run(tmp_path, SUITE.replace("minimax", "hangs") + plugin, patience=2, listener=heard)
    assert outcomes(tmp_path) == {"hinge": {"completed": 2}, "hangs": {"timed_out": 2}}
    assert dict(done.outcomes) == {"completed": 2, "timed_out": 2} and done.failed
    assert len(heard.of("lost")) == 1 and len(heard.of("hung")) == 1
    assert "said nothing for" in done.errors[0]


def test_a_warm_up_longer_than_patience_is_no_hanging_worker_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    warm = SUITE.replace("batch_size: 16", "batch_size: 16, d_warmup: 8000")
    done = run(tmp_path / "patient", warm, patience=1, listener=(heard := Heard()))
    assert dict(done.outcomes) == {"completed": 4} and not heard.of("lost")
    warmed = [message for _, message in heard.messages if message.kind == "progress" and message.step == 0]
    assert len(warmed) > 1

    def interrupt(task: Task, message: Message) -> None:
        if message.kind == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # a million steps would outlast any test
        run(tmp_path / "stopped", warm.replace("8000", "1000000"), listener=Heard(interrupt))
    assert not list(tmp_path.rglob(CHECKPOINT))
    suite, store = tmp_path / "stopped" / "suite.yaml", tmp_path / "stopped" / "runs"
    (cohort,) = ganbench.plan(suite, store=store, workers=1).cohorts
    assert cohort.step == 0


MEASURED = SUITE.replace("minimax", "hangs").replace("seeds: 2", "seeds: 4").replace("g_steps: 30", "g_steps: 1000000")


def test_an_objective_that_hangs_while_it_is_measured_is_given_up_and_has_timed_out(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    heard = Heard()
    text = MEASURED.replace("hinge, ", "") + plugin
    done = run(tmp_path, text, patience=2, listener=heard)
    assert any("could be measured" in said and "said nothing for" in said for said in heard.all)
    assert dict(done.outcomes) == {"timed_out": 4}


def test_the_time_for_a_whole_run_counts_what_is_measured_and_prepared(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    passed: list[float] = []
    monkeypatch.setattr("ganbench.runner.time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(passed)))

    class Waiting(Heard):
        def said(self, text: str) -> None:
            if text.startswith("measuring"):
                passed.append(10_000)

    done = run(tmp_path, MEASURED + plugin, max_time=5000, report=tmp_path / "report", listener=(heard := Waiting()))
    assert passed and not heard.of("progress") and done.report is not None
    assert dict(done.outcomes) == {"missing": 8} and "the time for the whole run is over" in done.errors[0]
    asleep = SUITE.replace("ring8", "asleep").replace("metrics: [fid, modes]", "metrics: []") + plugin
    done = run(tmp_path / "prepared", asleep, max_time=2)
    assert dict(done.outcomes) == {"missing": 4} and "the time for the whole run is over" in done.errors[0]


def test_a_dataset_that_hangs_is_tried_once_more_and_ends_the_run(tmp_path: Path, plugin: str) -> None:
    heard = Heard()
    with pytest.raises(SuiteError, match=r"preparing asleep.*said nothing for"):
        run(tmp_path, SUITE.replace("ring8", "asleep") + plugin, patience=1, listener=heard)
    assert len(heard.of("lost")) == 1 and len(heard.of("hung")) == 1


@pytest.mark.long
def test_a_stopped_worker_is_replaced_and_goes_on_from_its_checkpoint(
    tmp_path: Path, undisturbed: Mapping[str, object]
) -> None:
    stopped: list[int] = []

    def stop(task: Task, message: Message) -> None:
        if not stopped and len(list(tmp_path.rglob(CHECKPOINT))) == 4:
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
            workers = [pid for pid in _descendants(os.getpid()) if pid not in _children(os.getpid())]
            assert children.exists() and len(workers) == 1
            os.kill(workers[0], signal.SIGSTOP)
            stopped.append(workers[0])

    done = run(tmp_path, LONG, patience=2, checkpoint_every=0.1, listener=(heard := Heard(stop)))
    assert stopped and len(heard.of("lost")) == 1
    assert dict(done.outcomes) == {"completed": 4}
    assert scores(tmp_path) == undisturbed


def test_a_second_ctrl_c_ends_at_once_what_the_first_waits_for(tmp_path: Path) -> None:
    endless = LONG.replace("g_steps: 1200", "g_steps: 1000000").replace("every: 600", "every: 500000")
    workers: list[int] = []

    class Impatient(Heard):
        def heard(self, slot: int, task: Task, message: Message) -> None:
            if message.kind == "progress":
                workers.extend(pid for pid in _descendants(os.getpid()) if pid not in _children(os.getpid()))
                os.kill(workers[0], signal.SIGSTOP)  # it will not answer the first
                raise KeyboardInterrupt

        def said(self, text: str) -> None:
            if text.startswith("stopping"):
                threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, endless, listener=Impatient())
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(workers) == 1 and not Path(f"/proc/{workers[0]}").exists()
    assert len(ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1).cohorts) == 1


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _descendants(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def test_a_cell_whose_time_is_over_keeps_what_it_has_and_goes_on_with_more_time(
    tmp_path: Path, undisturbed: Mapping[str, object]
) -> None:
    done = run(tmp_path, LONG, max_cell_time=0.02, report=tmp_path / "report")
    assert dict(done.outcomes) == {"timed_out": 4} and done.failed
    store = Store(tmp_path / "runs")
    for key in scores_keys(tmp_path):
        status = store.status(key)
        assert 0 < status.step < 1200 and f"G step {status.step} of 1200" in status.reason
        assert len(store.trace(key)) > 0
    assert run(tmp_path, LONG).outcomes == done.outcomes
    again = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1, retry_failed=True)
    assert all(cohort.step > 0 for cohort in again.cohorts)
    assert dict(run(tmp_path, LONG, retry_failed=True).outcomes) == {"completed": 4}
    assert scores(tmp_path) == undisturbed and not list(tmp_path.rglob(CHECKPOINT))


def test_a_run_whose_time_is_over_keeps_what_it_has(tmp_path: Path, undisturbed: Mapping[str, object]) -> None:
    endless = LONG.replace("g_steps: 1200", "g_steps: 1000000").replace("every: 600", "every: 500000")
    done = run(tmp_path, endless, max_time=3, report=tmp_path / "report")
    assert dict(done.outcomes) == {"missing": 4} and done.failed and done.report is not None
    assert "the time for the whole run is over" in done.errors[0]
    (cohort,) = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1).cohorts
    assert 0 < cohort.step < 1_000_000


def test_the_first_failure_stops_a_run_that_is_to_fail_fast(tmp_path: Path, plugin: str) -> None:
    text = SUITE.replace("minimax", "dies").replace("seeds: 2", "seeds: 1") + plugin
    text += "overrides: [{match: {objective: hinge}, train: {g_steps: 1000000, batch_size: 8}}]\n"
    done = run(tmp_path, text, workers=2, fail_fast=True)
    assert dict(done.outcomes) == {"failed": 1, "missing": 1}
    assert "--fail-fast" in done.errors[-1]
    assert len(list(tmp_path.rglob(CHECKPOINT))) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "ganbench", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_stops_the_run_and_costs_no_finished_cell(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "runs").symlink_to(small_disk)
    text = SUITE.replace("seeds: 2", "seeds: 12").replace("g_steps: 30", "g_steps: [30, 60]")
    done = run(tmp_path, text)
    assert done.failed and any("No space left" in error for error in done.errors)
    assert any("no other cell would fare better" in error for error in done.errors)
    finished = statuses(tmp_path)
    assert 0 < len(finished) < 48
    # More room: what was finished is not run again.
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert dict(run(tmp_path, text).outcomes) == {"completed": 48}
    assert finished.items() <= statuses(tmp_path).items()


def statuses(folder: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in (folder / "runs" / "cells").glob("*/status.json")}


def test_a_store_that_cannot_be_written_is_said_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="Not a directory"):
        run(tmp_path, store=tmp_path / "file" / "runs")


def test_a_finished_store_on_a_read_only_disk_is_reported(tmp_path: Path) -> None:
    run(tmp_path)
    bound = subprocess.run(["mount", "--bind", tmp_path / "runs", tmp_path / "runs"], capture_output=True)
    if bound.returncode:
        pytest.skip(f"nothing can be mounted here: {bound.stderr.decode().strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", tmp_path / "runs"], check=True)
        done = run(tmp_path, report=tmp_path / "report")
        assert dict(done.outcomes) == {"completed": 4} and (tmp_path / "report" / "index.html").exists()
        with pytest.raises(StoreError, match="Read-only file system"):
            run(tmp_path, SUITE.replace("seeds: 2", "seeds: 3"))
    finally:
        subprocess.run(["umount", "-l", tmp_path / "runs"], check=True)


def test_a_run_shows_its_pulse_while_it_lasts(tmp_path: Path) -> None:
    from ganbench import pulse

    seen: list[pulse.Beat] = []
    over, began = threading.Event(), time.time()

    def watch() -> None:
        while not over.wait(0.05):
            if (found := pulse.read(Store(tmp_path / "runs"))) is not None:
                seen.append(found)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        run(tmp_path, LONG)
    finally:
        over.set()
        thread.join()
    assert seen and seen[-1].cells == 4 and seen[-1].pid == os.getpid()
    assert pulse.read(Store(tmp_path / "runs")) is None
    assert began <= seen[0].began <= seen[0].told <= seen[-1].told <= time.time()
