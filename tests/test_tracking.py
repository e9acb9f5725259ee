"""The store's view in MLflow: complete, never doubled, quiet, and no obstacle when the server is down."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.sample_picture import GREY, sample_picture
from ganbench.sent import places, shown
from ganbench.store import Store
from ganbench.tracked import POINTS
from ganbench.tracking import Synced, Tracker, TrackingError, pending, sending

STEPS = 700


def listed(key: str, seed: int, **changes: object) -> Listed:
    settings = {"g_lr": 2e-4, "betas": [0.5, 0.999], "latent": {"size": 16, "distribution": "normal"}}
    return replace(Listed(key, "e" * 16, "NS+R1", "mlp", "ring8", seed, settings), **changes)


def scores(*fids: float | None) -> Scores:
    rows = tuple({"step": 100 * i, "fid": fid, "modes": i} for i, fid in enumerate(fids, 1))
    return Scores("p" * 16, {"extractor": "identity"}, {"fid": "lower", "modes": "higher"}, rows)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A completed cell with images, a diverged one with points, and a failed one that never began."""
    held = Store(tmp_path / "runs")
    trace = [{"step": i, "d_loss": 1 / i, "g_loss": float(i), "real_logit": 0.0} for i in range(1, STEPS + 1)]
    done = Status("completed", 700, provenance={"finished": "2026-01-02T03:04:05Z", "torch": "2.9"}, cohort_seconds=60)
    held.write_training("a" * 16, {"seed": 0}, done, trace)
    images = np.arange(9 * 64, dtype=np.uint8).reshape(9, 1, 8, 8)
    held.write_scores("a" * 16, "e" * 16, scores(5.0, 3.0, 4.0), images, {"steps": np.array([700])})

    broken = [{"step": 1, "d_loss": 0.5, "g_loss": 1.0}, {"step": 2, "d_loss": float("nan"), "g_loss": float("inf")}]
    held.write_training("b" * 16, {"seed": 1}, Status("diverged", 2, "L_D is not finite at step 2"), broken)
    held.write_scores("b" * 16, "e" * 16, scores(9.0, None), np.float32([[0, 1], [np.nan, 0], [1, 1]]))

    held.write_training("c" * 16, {"seed": 2}, Status("failed", 0, "RuntimeError: boom", "Traceback ..."))
    return held


@pytest.fixture
def suite() -> SuiteRecord:
    skipped = listed("d" * 16, 3, skipped="dcgan makes images")
    untrained = listed("f" * 16, 4)
    cells = (listed("a" * 16, 0), listed("b" * 16, 1), listed("c" * 16, 2), skipped, untrained)
    return SuiteRecord("losses", (*cells, cells[0]))


@pytest.fixture
def ready(store: Store, fresh_database: Path) -> Store:
    shutil.copyfile(fresh_database, store.root / "mlflow.db")
    return store


def client(store: Store, uri: str | None = None):
    from mlflow.tracking import MlflowClient

    return MlflowClient(places(store, uri)[0])


def runs(store: Store, uri: str | None = None, name: str = "losses"):
    found = client(store, uri)
    return {
        r.data.tags["ganbench.key"][0]: r for r in found.search_runs([found.get_experiment_by_name(name).experiment_id])
    }


ALL = ["a" * 16, "b" * 16, "c" * 16]


def test_pending_lists_trained_cells_once_and_imports_no_mlflow(store, suite):
    store.write_suite(suite)
    code = (
        "import sys; from pathlib import Path\n"
        "from ganbench.store import Store; from ganbench.tracking import pending\n"
        f"store = Store(Path({str(store.root)!r}))\n"
        "print(pending(store, store.suite('losses'), None))\n"
        "assert 'mlflow' not in sys.modules and 'torch' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == str(ALL) and told.stderr == ""
    assert not (store.root / "tracking").exists()


@pytest.mark.slow
def test_a_run_holds_all_that_the_store_says_of_a_cell(ready, suite):
    assert Tracker(ready, suite, None).sync() == Synced(3, [])
    run = runs(ready)["a"]
    assert run.info.run_name == "NS+R1 · ring8 · 0" and run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 60_000
    assert run.data.params == {
        "objective": "NS+R1",
        "architecture": "mlp",
        "dataset": "ring8",
        "seed": "0",
        "g_lr": "0.0002",
        "betas": "[0.5, 0.999]",
        "latent.size": "16",
        "latent.distribution": "normal",
    }
    tags = run.data.tags
    assert tags["ganbench.outcome"] == "completed" and tags["ganbench.protocol_id"] == "p" * 16
    assert tags["ganbench.key"] == "a" * 16 and tags["ganbench.evaluation_key"] == "e" * 16
    assert tags["ganbench.points_left_out"] == "0" and tags["ganbench.provenance.torch"] == "2.9"
    assert run.data.metrics["fid_final"] == 4 and run.data.metrics["fid_best"] == 3
    assert run.data.metrics["modes_best"] == 3

    found = client(ready)
    history = found.get_metric_history(run.info.run_id, "d_loss")
    assert len(history) == POINTS and all(m.value == 1 / m.step for m in history)
    steps = [m.step for m in history]
    assert steps[0] == 1 and steps[-1] == STEPS and {b - a for a, b in pairwise(steps)} == {14, 15}
    assert [(m.step, m.value) for m in found.get_metric_history(run.info.run_id, "fid")] == [
        (100, 5),
        (200, 3),
        (300, 4),
    ]
    names = {entry.path for entry in found.list_artifacts(run.info.run_id)}
    kept = {"cell.json", "status.json", "trace.jsonl", "scores.json", "samples.npy", "pictures.npz"}
    assert names == {*kept, "samples.png", "suite.json"}
    folder = Path(found.download_artifacts(run.info.run_id, ""))
    assert len((folder / "trace.jsonl").read_text().splitlines()) == STEPS
    assert folder.is_relative_to(ready.root / "mlartifacts")
    assert json.loads((folder / "cell.json").read_text()) == {"seed": 0}
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (494, 494)


@pytest.mark.slow
def test_outcomes_show_and_points_that_are_not_finite_are_left_out(ready, suite):
    Tracker(ready, suite, None).sync()
    found = runs(ready)
    assert {key: run.info.status for key, run in found.items()} == {"a": "FINISHED", "b": "FINISHED", "c": "FAILED"}
    diverged = found["b"]
    assert diverged.data.tags["ganbench.outcome"] == "diverged"
    assert diverged.data.tags["ganbench.reason"] == "L_D is not finite at step 2"
    assert diverged.data.tags["ganbench.points_left_out"] == "3"  # d_loss, g_loss and the second fid
    assert diverged.data.metrics["d_loss"] == 0.5 and diverged.data.metrics["g_loss"] == 1.0
    assert diverged.data.metrics["fid_best"] == 9.0 and "fid_final" not in diverged.data.metrics
    assert found["c"].data.tags["ganbench.reason"] == "RuntimeError: boom" and not found["c"].data.metrics


@pytest.mark.slow
def test_a_second_sync_adds_nothing_and_does_not_ask_mlflow(ready, suite, monkeypatch):
    assert Tracker(ready, suite, None).sync().new == 3
    before = {key: run.info.run_id for key, run in runs(ready).items()}
    assert pending(ready, suite, None) == []
    with monkeypatch.context() as without:
        without.setattr(sending, "quiet", None)
        assert Tracker(ready, suite, None).sync() == Synced(0, [])
    assert {key: run.info.run_id for key, run in runs(ready).items()} == before


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["gone", "garbled"])
def test_a_lost_mark_doubles_nothing(harm, ready, suite):
    Tracker(ready, suite, None).sync()
    before = {key: run.info.run_id for key, run in runs(ready).items()}
    (mark,) = (ready.root / "tracking").iterdir()
    mark.unlink() if harm == "gone" else mark.write_text("{")
    assert pending(ready, suite, None) == ALL
    assert Tracker(ready, suite, None).sync() == Synced(0, [])
    assert {key: run.info.run_id for key, run in runs(ready).items()} == before
    assert pending(ready, suite, None) == []


@pytest.mark.slow
def test_a_mark_that_a_killed_sync_half_wrote_costs_no_other_mark(ready, suite):
    Tracker(ready, suite, None).sync(["a" * 16])
    (marks,) = (ready.root / "tracking").iterdir()
    whole = marks.read_bytes()
    marks.write_bytes(whole + b'\n{"suite": "los')
    assert pending(ready, suite, None) == ALL[1:]
    Tracker(ready, suite, None).sync(["b" * 16])
    assert pending(ready, suite, None) == ["c" * 16]
    assert marks.read_bytes().startswith(whole)  # marks are added, those of other cells are not written again


@pytest.mark.slow
@pytest.mark.parametrize("fails", [False, True])
def test_a_new_experiment_is_not_searched_for_runs_that_it_cannot_hold(ready, suite, monkeypatch, fails):
    from mlflow.tracking import MlflowClient

    plain, asked, failures = MlflowClient.search_runs, [], iter([fails, False, False, False])

    def search(*arguments, **named):
        asked.append(arguments)
        return plain(*arguments, **named)

    def gather(listing, store, result, folder):
        if next(failures):
            raise OSError("the disk was away for a moment")

    monkeypatch.setattr(MlflowClient, "search_runs", search)
    monkeypatch.setattr(sending, "gather", gather)
    assert Tracker(ready, suite, None, attempts=2, backoff=0.0).sync() == Synced(3, [])
    # Searches are for the runs that were begun together and left behind.
    assert len(asked) == (3 if fails else 0)
    found = client(ready)
    all_runs = found.search_runs([found.get_experiment_by_name("losses").experiment_id])
    assert sorted(run.info.status for run in all_runs) == ["FAILED", "FINISHED", "FINISHED"]


@pytest.mark.slow
def test_a_moved_store_stays_tracked_and_a_lost_database_is_filled_again(ready, suite):
    Tracker(ready, suite, None).sync(["a" * 16])
    moved = Store(ready.root.rename(ready.root.parent / "moved"))
    assert pending(moved, suite, None) == ALL[1:]
    (moved.root / "mlflow.db").unlink()
    assert pending(moved, suite, None) == ALL


@pytest.mark.slow
def test_what_a_killed_sync_left_running_is_replaced(ready, suite, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "gather", killed)
        with pytest.raises(KeyboardInterrupt):
            Tracker(ready, suite, None).sync()
    assert [run.info.status for run in runs(ready).values()] == ["RUNNING"] * 3
    assert Tracker(ready, suite, None).sync().new == 3
    found = client(ready)
    all_runs = found.search_runs([found.get_experiment_by_name("losses").experiment_id])
    assert sorted(run.info.status for run in all_runs) == ["FAILED", "FINISHED", "FINISHED"]


@pytest.mark.slow
def test_a_cell_whose_result_changed_replaces_its_run(ready, suite):
    Tracker(ready, suite, None).sync()
    ready.write_training("c" * 16, {"seed": 2}, Status("completed", 700), [{"step": 1, "d_loss": 0.5}])
    assert pending(ready, suite, None) == ["c" * 16]
    assert Tracker(ready, suite, None).sync() == Synced(1, [])
    found = runs(ready)
    assert len(found) == 3 and found["c"].info.status == "FINISHED"


@pytest.mark.slow
def test_two_suites_that_share_a_cell_have_a_run_each(ready, suite):
    Tracker(ready, suite, None).sync(["a" * 16])
    other = replace(suite, name="others")
    assert pending(ready, other, None) == ALL
    assert Tracker(ready, other, None).sync(["a" * 16]).new == 1
    assert set(runs(ready)) == set(runs(ready, name="others")) == {"a"}


@pytest.mark.slow
def test_one_cell_that_mlflow_refuses_does_not_stop_the_others(ready, suite, monkeypatch):
    plain = sending.gather

    def gather(listing, store, result, folder):
        if result.listed.seed == 1:
            raise OSError("disk quota exceeded")
        plain(listing, store, result, folder)

    monkeypatch.setattr(sending, "gather", gather)
    synced = Tracker(ready, suite, None, attempts=2, backoff=0.0).sync()
    assert synced == Synced(2, [f"NS+R1 · ring8 · 1 ({'b' * 16}): disk quota exceeded"])
    assert pending(ready, suite, None) == ["b" * 16]


@pytest.mark.slow
def test_a_deleted_experiment_is_not_brought_back_behind_the_users_back(ready, suite):
    Tracker(ready, suite, None).sync(["a" * 16])
    found = client(ready)
    found.delete_experiment(found.get_experiment_by_name("losses").experiment_id)
    with pytest.raises(TrackingError, match="'losses' was deleted in MLflow"):
        Tracker(ready, suite, None).sync()


@pytest.mark.slow
def test_a_fresh_store_is_tracked_without_a_word_to_the_terminal(store, suite):
    store.write_suite(suite)
    code = (
        "from pathlib import Path; from ganbench.store import Store; from ganbench.tracking import Tracker\n"
        f"store = Store(Path({str(store.root)!r}))\n"
        "assert Tracker(store, store.suite('losses'), None).sync().new == 3"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=store.root.parent,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert {path.name for path in store.root.parent.iterdir()} == {"runs"}


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_server_that_is_down_is_told_in_seconds_and_without_its_password(store, suite, capfd):
    uri = f"http://me:secret@127.0.0.1:{closed_port()}"
    tracker = Tracker(store, suite, uri, attempts=2, backoff=0.01)
    tracker.sync([])  # nothing to do, nothing to reach
    started = time.perf_counter()
    with pytest.raises(TrackingError) as caught:
        tracker.sync()
    assert time.perf_counter() - started < 60
    told = str(caught.value)
    assert "secret" not in told and "me:***@127.0.0.1" in told
    assert "refused" in told and "3 cells are unsent" in told
    assert f"ganbench track {store.root} --tracking-uri http://me:***@" in told
    assert pending(store, suite, uri) == ALL
    assert capfd.readouterr() == ("", "")


@pytest.mark.cluster
@pytest.mark.timeout(240)
def test_a_real_server_takes_the_runs_and_keeps_them_once(ready, suite, tmp_path, mlflow_server):
    shutil.copyfile(ready.root / "mlflow.db", tmp_path / "server.db")
    (ready.root / "mlflow.db").unlink()
    with mlflow_server(f"sqlite:///{tmp_path / 'server.db'}", tmp_path) as uri:
        assert Tracker(ready, suite, uri).sync() == Synced(3, [])
        assert pending(ready, suite, uri) == []
        shutil.rmtree(ready.root / "tracking")
        assert Tracker(ready, suite, uri).sync() == Synced(0, [])
        found = runs(ready, uri)
        assert set(found) == {"a", "b", "c"}
        names = {entry.path for entry in client(ready, uri).list_artifacts(found["a"].info.run_id)}
        assert {"cell.json", "samples.png"} <= names
    assert not (ready.root / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("uri", "safe"),
    [
        ("http://me:secret@host:5000/path", "http://me:***@host:5000/path"),
        ("postgresql://u:p@db/x", "postgresql://u:***@db/x"),
        ("http://me@host", "http://me@host"),
        ("https://host:5000", "https://host:5000"),
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
    ],
)
def test_uris_are_shown_without_their_password(uri, safe):
    assert shown(uri) == safe


def test_a_grid_shows_whole_images_in_order():
    images = np.zeros((5, 1, 2, 2), np.uint8)
    images[1] = 255
    picture = np.asarray(sample_picture(images))
    assert picture.shape == (510, 510)
    pixels = picture[::102, ::102]
    np.testing.assert_array_equal(pixels[:2, 3:], 255)
    assert pixels[:2, :2].max() == pixels[3:, :2].max() == pixels[3:, 3:].max() == 0
    assert set(pixels[2]) == set(pixels[:, 2]) == {GREY}
    side = (8 * 29 - 1) * 2
    assert np.asarray(sample_picture(np.zeros((70, 3, 28, 28), np.uint8))).shape == (side, side, 3)


def test_points_are_dots_with_the_second_axis_upwards():
    picture = np.asarray(sample_picture(np.float32([[1, 1], [np.inf, 0]])))
    rows, columns = np.nonzero(picture == 0)
    assert rows.max() < 60 and columns.min() > 450


@pytest.mark.parametrize("samples", [np.zeros((4, 3), np.float32), np.zeros((0, 1, 8, 8), np.uint8)])
def test_what_has_no_picture_has_none(samples):
    assert sample_picture(samples) is None
