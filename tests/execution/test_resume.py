"""Runs that are killed or stopped in mid-training: what was kept is gone on with, and the scores are the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import ganbench
from ganbench import checkpoints
from ganbench.runner import Result
from ganbench.store import CHECKPOINT, Store
from ganbench.tracking import Synced

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 1600, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 800, metrics: [fid, modes]}
"""

TRACKED = [sys.executable, "-m", "ganbench"]


def start(folder: Path, command: list[str]) -> subprocess.Popen[str]:
    command = [*command, "run", "suite.yaml", "--workers", "1", "--no-report", "--checkpoint-every", "0.2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, start_new_session=True, preexec_fn=hearing_ctrl_c, **pipes)


def hearing_ctrl_c() -> None:
    """Take Ctrl-C as in a terminal: a shell lets what it starts in the background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def scores(folder: Path) -> Mapping[str, object]:
    store = Store(folder / "runs")
    record = store.suite("suite")
    assert record is not None
    return {row.key: store.scores(row.key, row.evaluation_key).rows for row in record.listed}


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[Path], Result]]:
    """Run the suite of a folder in this process, with nothing sent to MLflow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganbench.runner.track", lambda *_: "")
        patch.setattr("ganbench.tracking.Tracker.warm_up", lambda _: None)
        patch.setattr("ganbench.tracking.Tracker.follow", lambda *_: Synced(0, []))
        yield lambda folder: ganbench.run(folder / "suite.yaml", store=folder / "runs", workers=1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, run: Callable[[Path], Result]) -> Mapping[str, object]:
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "suite.yaml").write_text(SUITE)
    assert dict(run(folder).outcomes) == {"completed": 4}
    return scores(folder)


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_next_run_goes_on_from_the_checkpoint(
    how: signal.Signals,
    tmp_path: Path,
    untracked: list[str],
    run: Callable[[Path], Result],
    undisturbed: Mapping[str, object],
) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    # Ctrl-C ends the thread that sends to MLflow too
    process = start(tmp_path, TRACKED if how == signal.SIGINT else untracked)
    cells = tmp_path / "runs" / "cells"
    while len(list(cells.glob(f"*/{CHECKPOINT}"))) < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(how)
    said, told = process.communicate(timeout=120)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "is being kept" in said + told and "Traceback" not in told
        assert "Interrupted. 0 of 4 cells are saved" in told
    # Workers of a killed parent end at their next message.
    while list(cells.glob("*/.*")):
        time.sleep(0.05)
    plan = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1)
    (cohort,) = plan.cohorts
    assert 0 < cohort.step < 1600 and cohort.step % 16 == 0 and len(cohort.cells) == 4
    assert dict(run(tmp_path).outcomes) == {"completed": 4}
    assert scores(tmp_path) == undisturbed
    assert not list(tmp_path.rglob(CHECKPOINT))


@pytest.mark.long
def test_a_second_run_waits_and_no_cell_is_trained_twice(tmp_path: Path, untracked: list[str]) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    first = start(tmp_path, untracked)
    while not list((tmp_path / "runs" / "cells").glob(f"*/{CHECKPOINT}")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGSTOP)  # for as long as the second takes to start
    try:
        second, said = start(tmp_path, untracked), ""
        while "another run is at work in this store" not in said:
            assert second.stdout is not None and second.poll() is None, said
            said += second.stdout.readline()
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    told = [first.communicate(timeout=120)[0]]
    trained = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("status.json")}
    told.append(second.communicate(timeout=120)[0])
    assert (first.returncode, second.returncode) == (0, 0)
    assert "another run" not in told[0]
    assert len(trained) == 4 and {path: path.stat().st_mtime_ns for path in trained} == trained
    assert "4 completed" in told[0] and "4 completed" in told[1]


def test_a_damaged_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.cell_folder("k") / CHECKPOINT
    path.parent.mkdir(parents=True)
    for content in (b"", b"half of somethi", bytes(100)):
        path.write_bytes(content)
        assert checkpoints.step_of(store, "k") == 0
    assert checkpoints.step_of(store, "another") == 0
