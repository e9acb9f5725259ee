"""The main job end to end, on cells of a second: what is run, what is kept, what a failure costs."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

import ganbench
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.records import SuiteRecord
from ganbench.runner import Result
from ganbench.store import Store
from ganbench.suite.errors import SuiteError

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 30, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 10, metrics: [fid, modes]}
"""

PLUGIN = '''
import os, signal
from dataclasses import dataclass
from ganbench import losses

@losses.register("mine")
@dataclass(frozen=True)
class Mine:
    """My hinge, as a plugin from a file."""

    def discriminator(self, real, fake):
        return (1 - real).relu().mean(-1) + (1 + fake).relu().mean(-1)

    def generator(self, real, fake):
        return -fake.mean(-1)

@losses.register("raises")
@dataclass(frozen=True)
class Raises:
    """A loss with a mistake in it."""

    def discriminator(self, real, fake):
        raise RuntimeError("a mistake in the plugin")

    def generator(self, real, fake):
        return -fake.mean(-1)

@losses.register("kills")
@dataclass(frozen=True)
class Kills:
    """A loss that takes its whole process along."""

    def discriminator(self, real, fake):
        os.kill(os.getpid(), signal.SIGKILL)

    def generator(self, real, fake):
        return -fake.mean(-1)
'''


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A line for a suite that names the plugin file: one file, since a name can be registered from one place only."""
    path = tmp_path_factory.mktemp("plugins") / "plugin.py"
    path.write_text(PLUGIN)
    return f"plugins: [{path}]\n"


def run(folder: Path, text: str = SUITE, **options: object) -> Result:
    (folder / "suite.yaml").write_text(text)
    chosen = {"store": folder / "runs", "workers": 2, "tracking_uri": f"sqlite:///{folder / 'mlflow.db'}", **options}
    return ganbench.run(folder / "suite.yaml", **chosen)


class _Untracked:
    """Takes cells and sends none."""

    def __init__(self, store: Store, suite: SuiteRecord, uri: str | None) -> None: ...
    def begin(self) -> None: ...
    def finished(self, keys: Iterable[str]) -> None: ...
    def left(self) -> int:
        return 0

    def close(self) -> str:
        return ""

    def abandon(self) -> None: ...


@pytest.fixture(autouse=True)
def _no_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow has tests of its own; here it would cost seconds per run."""
    monkeypatch.setattr("ganbench.runner.track", lambda *_: "")
    monkeypatch.setattr("ganbench.runner.LiveTracking", _Untracked)


def statuses(folder: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in (folder / "runs" / "cells").glob("*/status.json")}


def test_a_plugin_that_raises_while_cohorts_are_measured_fails_its_own_cells_alone(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.preparing.LEAST_WORK", 0)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    text = SUITE.replace("minimax]", "mine, raises]") + plugin
    result = run(tmp_path, text)
    assert result.outcomes == {"completed": 4, "failed": 2} and not result.errors
    measured = [json.loads(path.read_text()) for path in (tmp_path / "cache" / "cohorts").iterdir()]
    # So little is left to do that a cell alone is measured, and no more; of the group that raises nothing is known.
    assert measured and all(list(one["rates"]["by_size"]) == ["1"] for one in measured)


def test_a_run_trains_scores_and_reports_and_a_second_trains_nothing(tmp_path: Path) -> None:
    first = run(tmp_path, report=tmp_path / "report")
    assert dict(first.outcomes) == {"completed": 4}
    assert not first.failed
    for name in ("index.html", "report.md", "cells.csv", "summary.json"):
        assert (tmp_path / "report" / name).stat().st_size > 100
    before, record = statuses(tmp_path), Store(tmp_path / "runs").suite("suite")
    assert record is not None
    assert record.seconds > 0
    second = run(tmp_path, report=tmp_path / "report")
    assert dict(second.outcomes) == {"completed": 4}
    assert statuses(tmp_path) == before
    assert Store(tmp_path / "runs").suite("suite") == record


def test_the_store_holds_trace_snapshots_scores_and_samples_of_every_cell(tmp_path: Path) -> None:
    run(tmp_path)
    store = Store(tmp_path / "runs")
    record = store.suite("suite")
    assert record is not None
    for row in record.listed:
        status, scores = store.status(row.key), store.scores(row.key, row.evaluation_key)
        assert status is not None
        assert scores is not None
        assert status.snapshot_steps == (10, 20, 30)
        assert store.snapshot_steps(row.key) == [10, 20, 30]
        assert [r["step"] for r in scores.rows] == [10, 20, 30]
        assert set(scores.rows[0]) == {"step", "fid", "modes", "high_quality", "mode_kl"}
        assert len(store.trace(row.key)) == 30
        samples = store.samples(row.key, row.evaluation_key)
        assert samples is not None
        assert samples.shape == (100, 2)
        pictures = store.pictures(row.key, row.evaluation_key)
        assert pictures is not None
        assert pictures["steps"].tolist() == [10, 20, 30] and "absent" not in pictures
        assert {"mode_counts", "neighbours", "best"} <= pictures.keys() and {"surface", "logits"} & pictures.keys()
        assert status.provenance["torch"]


def test_a_new_metric_scores_the_stored_snapshots_without_training(tmp_path: Path) -> None:
    run(tmp_path)
    before = statuses(tmp_path)
    done = run(tmp_path, SUITE.replace("[fid, modes]", "[fid, coverage]"))
    assert dict(done.outcomes) == {"completed": 4}
    assert statuses(tmp_path) == before
    assert len(list((tmp_path / "runs" / "cells").glob("*/scores/*/scores.json"))) == 8


def test_with_scores_off_cells_are_done_after_training_and_a_metric_can_be_added_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    text = SUITE.replace("metrics: [fid, modes]", "metrics: []")
    done = run(tmp_path, text, report=tmp_path / "report")
    assert dict(done.outcomes) == {"completed": 4}
    assert not done.failed
    assert not list(tmp_path.rglob("scores.json"))
    # No extractor, no reference: only how long it took.
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["paces"]
    for name in ("index.html", "report.md"):
        assert "Scores are switched off" in (tmp_path / "report" / name).read_text()
    before = statuses(tmp_path)
    again = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=2)
    assert not again.cohorts
    assert any("scores are switched off" in note for note in again.notes)
    assert dict(run(tmp_path).outcomes) == {"completed": 4}
    assert statuses(tmp_path) == before
    assert len(list(tmp_path.rglob("scores.json"))) == 4


def test_what_a_cell_cost_is_its_training_its_scores_and_its_wait(tmp_path: Path) -> None:
    run(tmp_path)
    store = Store(tmp_path / "runs")
    for path in (tmp_path / "runs" / "cells").iterdir():
        status = store.status(path.name)
        assert status is not None
        assert status.wait_seconds > 0
        assert status.train_seconds == pytest.approx(status.cohort_seconds / status.cohort_size)


def test_a_plugin_is_compared_with_the_built_ins_and_one_that_raises_fails_alone(tmp_path: Path, plugin: str) -> None:
    text = SUITE.replace("[hinge, minimax]", "[hinge, mine, raises]") + plugin
    done = run(tmp_path, text, report=tmp_path / "report")
    assert dict(done.outcomes) == {"completed": 4, "failed": 2}
    assert done.failed
    store = Store(tmp_path / "runs")
    record = store.suite("suite")
    assert record is not None
    by_label = {(row.objective, row.seed): row for row in record.listed}
    failed = store.status(by_label["raises", 0].key)
    assert failed is not None
    assert "a mistake in the plugin" in failed.reason
    assert "plugin.py" in failed.traceback
    assert "a mistake in the plugin" in (tmp_path / "report" / "index.html").read_text()
    # The plugin computes what hinge computes, so with the same seed it must get the same scores.
    mine, hinge = by_label["mine", 1], by_label["hinge", 1]
    assert store.scores(mine.key, mine.evaluation_key).rows == store.scores(hinge.key, hinge.evaluation_key).rows


def test_failed_cells_are_kept_until_they_are_asked_for_again(tmp_path: Path, plugin: str) -> None:
    text = SUITE.replace("[hinge, minimax]", "[raises]") + plugin
    run(tmp_path, text)
    before = statuses(tmp_path)
    assert run(tmp_path, text).failed
    assert statuses(tmp_path) == before
    run(tmp_path, text, retry_failed=True)
    assert statuses(tmp_path) != before


def test_a_worker_that_dies_costs_its_own_cohort_alone(tmp_path: Path, plugin: str) -> None:
    # Another batch size puts the killer into a cohort of its own.
    text = SUITE.replace("[hinge, minimax]", "[hinge, kills]") + (
        plugin + "overrides: [{match: {objective: kills}, train: {batch_size: 8}}]\n"
    )
    done = run(tmp_path, text)
    assert dict(done.outcomes) == {"completed": 2, "failed": 2}
    assert any("SIGKILL" in error for error in done.errors)


def test_a_diverged_cell_is_a_result(tmp_path: Path) -> None:
    text = SUITE + "overrides: [{match: {objective: minimax}, train: {g_lr: 1.0e+30}}]\n"
    done = run(tmp_path, text, report=tmp_path / "report")
    assert dict(done.outcomes) == {"completed": 2, "diverged": 2}
    assert not done.failed
    assert run(tmp_path, text).outcomes == done.outcomes


def test_data_that_cannot_be_prepared_stops_the_run_before_anything_trains(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(3):
        (pictures / f"{index}.png").write_text("not a picture")
    text = SUITE.replace("[ring8]", f"[ring8, {{image_folder: {{path: {pictures}, side: 8}}}}]").replace(
        "architectures: [{mlp: {width: 8, depth: 1}}]\n", "architectures: [mlp]\n"
    )
    text = text.replace(", metrics: [fid, modes]", "")
    with pytest.raises(SuiteError, match=r"0\.png"):
        run(tmp_path, text + "overrides: [{match: {dataset: image_folder}, evaluate: {extractor: inception}}]\n")
    assert not list((tmp_path / "runs").glob("[!.]*"))


@pytest.mark.long
def test_ctrl_c_says_what_is_saved_and_the_next_run_goes_on(tmp_path: Path, untracked: list[str]) -> None:
    text = SUITE.replace("seeds: 2", "seeds: 4").replace("g_steps: 30", "g_steps: [40, 20000]")
    run(tmp_path, text.replace("every: 10", "every: 20"), workers=1, only=["g_steps=40"])
    command = [*untracked, "run", "suite.yaml", "--workers", "1", "--no-report"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell lets what it starts in the background ignore Ctrl-C; these tests may be there.
    heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    process = subprocess.Popen(command, cwd=tmp_path, preexec_fn=heard, **pipes)
    assert process.stdout is not None
    while " on 1 worker" not in (line := process.stdout.readline()):
        assert line, "the run ended before it trained"
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Interrupted. 8 of 16 cells are saved" in told
    assert "Traceback" not in told


def test_data_that_vanishes_in_mid_run_is_no_cells_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    made = ganbench.plan(tmp_path / "suite.yaml", store=tmp_path / "runs", workers=1)
    task = CohortRun(made.cohorts[0], Surroundings(tmp_path / "runs", tmp_path, tmp_path))

    def gone(self: object, root: Path, split: str) -> None:
        raise FileNotFoundError("the disk was unplugged")

    monkeypatch.setattr("ganbench.datasets.mixtures.Ring8.load", gone)
    with pytest.raises(FileNotFoundError, match="unplugged"):
        task.work("cpu", [].append)
    assert statuses(tmp_path) == {}
