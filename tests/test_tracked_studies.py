"""Studies in MLflow: a run each with its trials below it, never doubled, and no obstacle to what else reads runs."""

from __future__ import annotations

import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.pulling import pull
from ganbench.records import Listed, Status, SuiteRecord
from ganbench.sent import list_is_sent, unsent_pieces
from ganbench.store import Store, StoreError
from ganbench.studies import MeasuredRecord, Studies, StudyRecord, TrialRecord, read_studies, write_studies
from ganbench.study_tracking import StudyTracking
from ganbench.tracking import StudyTracker, Synced, Tracker, TrackingError
from ganbench.tracking import studies as sending
from ganbench.tracking.experiments import Experiment

KEYS = ["a" * 16, "b" * 16, "c" * 16]
TRIALS = (
    TrialRecord(0, "complete", {"d_lr/g_lr": 2.0, "d_steps": 1}, {"fid_final": (1.0, 3.0)}, (), tuple(KEYS[:2])),
    TrialRecord(1, "infeasible", {"d_lr/g_lr": 4.0, "d_steps": 2}, {"fid_final": (9.0,)}, ("diverged",), (KEYS[2],)),
    TrialRecord(2, "failed", {"d_lr/g_lr": 1.0, "d_steps": 2}, {"fid_final": ()}, ("failed", "failed"), ()),
    TrialRecord(3, "pruned", {"d_lr/g_lr": 3.0, "d_steps": 1}, {"fid_final": (5.0, 7.0)}, (), (), 500),
)
SPACE = {"d_lr/g_lr": {"log": (0.1, 10.0)}, "d_steps": {"choice": (1, 2)}}
SEARCH = {"trials": 4, "seeds_per_trial": 2, "sampler": "tpe", "seed": 0}
STUDY = StudyRecord("hinge / ring8 / mlp", "1" * 16, {"fid_final": "lower"}, SEARCH, SPACE, TRIALS)
OTHER = StudyRecord("wgan / ring8 / mlp", "2" * 16, {"fid_final": "lower"}, SEARCH, SPACE, TRIALS[:1])
MEASURED = {
    "default": MeasuredRecord({}, {"fid_final": {"value": 4.0, "n": 2.0}}, ("diverged",), tuple(KEYS[:1])),
    "tuned": MeasuredRecord(
        {"d_lr/g_lr": 2.0, "d_steps": 1}, {"fid_final": {"value": 2.0, "low": 1.5, "high": 2.5, "n": 3.0}}
    ),
}
DONE = replace(STUDY, measured=MEASURED)


@pytest.fixture
def store(tmp_path: Path, fresh_database: Path) -> Store:
    held = Store(tmp_path / "runs")
    write_studies(held, Studies("s-tune", (STUDY, OTHER)))
    shutil.copyfile(fresh_database, held.root / "mlflow.db")
    return held


def runs(store: Store, uri: str | None = None):
    """Return the runs of studies by name, and those of trials by the study's run and their number."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri or f"sqlite:///{store.root / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("s-tune").experiment_id], max_results=1000)
    parents = {run.info.run_name: run for run in found if "ganbench.trial" not in run.data.tags}
    trials = {
        (run.data.tags["mlflow.parentRunId"], int(run.data.tags["ganbench.trial"])): run
        for run in found
        if "ganbench.trial" in run.data.tags
    }
    assert len(found) == len(parents) + len(trials)  # none is there twice
    return parents, trials


@pytest.mark.slow
def test_a_study_has_a_run_with_its_trials_below_it(store):
    assert StudyTracker(store, "s-tune", None).sync() == 2 + 5
    parents, trials = runs(store)
    mine, other = (parents[study.name] for study in (STUDY, OTHER))
    assert mine.data.params == {
        "objective": "fid_final (lower is better)",
        "seeds_per_trial": "2",
        "sampler": "tpe",
        "seed": "0",
        "space.d_lr/g_lr": '{"log": [0.1, 10.0]}',
        "space.d_steps": '{"choice": [1, 2]}',
    }
    assert mine.data.metrics == {"trials": 4, "trials_done": 4, "trials_infeasible": 2, "trials_pruned": 1}
    assert mine.info.status == "FINISHED"
    assert set(trials) == {*((mine.info.run_id, number) for number in range(4)), (other.info.run_id, 0)}
    first, lost, failed, pruned = (trials[mine.info.run_id, number] for number in range(4))
    assert first.data.params == {"d_lr/g_lr": "2.0", "d_steps": "1"}
    assert first.data.metrics == {"fid_final": 2.0, "fid_final.score_1": 1.0, "fid_final.score_2": 3.0}
    assert first.data.tags["ganbench.cells"] == " ".join(KEYS[:2]) and "ganbench.lost" not in first.data.tags
    assert [run.data.tags["ganbench.state"] for run in (first, lost, failed)] == ["complete", "infeasible", "failed"]
    assert [run.info.status for run in (first, lost, failed)] == ["FINISHED", "FINISHED", "FAILED"]
    assert lost.data.tags["ganbench.lost"] == "diverged" and failed.data.metrics == {}
    assert pruned.data.metrics == {"fid_final.when_pruned": 6.0} and pruned.data.tags["ganbench.ended"] == "500"


@pytest.mark.slow
def test_what_comes_later_is_added_to_the_same_run_and_nothing_is_sent_twice(store, monkeypatch):
    StudyTracker(store, "s-tune", None).sync()
    before, trials = runs(store)
    write_studies(store, Studies("s-tune", (DONE, OTHER)))
    assert StudyTracker(store, "s-tune", None).sync() == 0  # no run is new
    after, same = runs(store)
    assert same.keys() == trials.keys()
    assert {name: run.info.run_id for name, run in after.items()} == {n: r.info.run_id for n, r in before.items()}
    found = after[STUDY.name].data
    fresh = {name: value for name, value in found.metrics.items() if "." in name}
    assert fresh == {
        "default.fid_final": 4.0,
        "default.fid_final.n": 2.0,
        "tuned.fid_final": 2.0,
        "tuned.fid_final.low": 1.5,
        "tuned.fid_final.high": 2.5,
        "tuned.fid_final.n": 3.0,
    }
    assert json.loads(found.tags["ganbench.settings.tuned"]) == {"d_lr/g_lr": 2.0, "d_steps": 1}
    assert found.tags["ganbench.cells.default"] == KEYS[0] and found.tags["ganbench.lost.default"] == "diverged"
    with monkeypatch.context() as without:
        without.setattr(sending, "quiet", None)  # MLflow is not even asked
        assert StudyTracker(store, "s-tune", None).sync() == 0
    more = replace(DONE, trials=(*TRIALS, replace(TRIALS[0], number=4)), search={**SEARCH, "trials": 5})
    write_studies(store, Studies("s-tune", (more, OTHER)))
    assert StudyTracker(store, "s-tune", None).sync() == 1
    parents, trials = runs(store)
    assert len(trials) == 6 and parents[STUDY.name].data.metrics["trials"] == 5


@pytest.mark.slow
def test_lost_marks_double_nothing_nor_does_a_study_made_anew_under_the_same_name(store):
    StudyTracker(store, "s-tune", None).sync()
    before = runs(store)
    shutil.rmtree(store.root / "tracking")
    assert StudyTracker(store, "s-tune", None).sync() == 0
    assert [found.keys() for found in runs(store)] == [found.keys() for found in before]
    assert unsent_pieces(store, read_studies(store, "s-tune"), None) == []
    # The journal was deleted: it is another search, beside the first.
    write_studies(store, Studies("s-tune", (replace(OTHER, name="anew", identity="3" * 16),)))
    assert StudyTracker(store, "s-tune", None).sync() == 2
    assert set(runs(store)[0]) == {STUDY.name, OTHER.name, "anew"}


@pytest.mark.slow
@pytest.mark.parametrize("at", ["end", "_study_sent"])  # in the middle of the first trial, and after the last
def test_what_a_killed_process_left_running_is_gone_on_with(store, monkeypatch, at):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Experiment if at == "end" else sending, at, killed)
        with pytest.raises(KeyboardInterrupt):
            StudyTracker(store, "s-tune", None).sync()
    (begun,) = runs(store)[0].values()
    assert begun.info.status == "RUNNING"
    # Had another process been at it just now, it would have been left to that one.
    with monkeypatch.context() as patch:
        patch.setattr("ganbench.tracking.senders.is_mine", lambda _: False)
        patch.setattr("ganbench.tracking.senders.is_left", lambda _: False)
        write_studies(store, Studies("s-tune", (STUDY,)))
        assert StudyTracker(store, "s-tune", None).sync() == 0
        assert len(unsent_pieces(store, read_studies(store, "s-tune"), None)) == 5
    write_studies(store, Studies("s-tune", (STUDY, OTHER)))
    StudyTracker(store, "s-tune", None).sync()
    parents, trials = runs(store)
    assert parents[STUDY.name].info.run_id == begun.info.run_id and len(trials) == 5
    assert {run.info.status for run in parents.values()} == {"FINISHED"}
    assert sorted(run.info.status for run in trials.values()) == ["FAILED", *["FINISHED"] * 4]


@pytest.mark.slow
def test_threads_or_processes_of_one_store_that_send_at_once_send_once(store):
    with ThreadPoolExecutor(3) as threads:
        made = [each.result() for each in [threads.submit(StudyTracker(store, "s-tune", None).sync) for _ in range(3)]]
    assert sorted(made) == [0, 0, 7]
    parents, trials = runs(store)
    assert len(parents) == 2 and len(trials) == 5


@pytest.mark.slow
def test_runs_of_studies_and_of_cells_are_not_taken_for_each_other(store, tmp_path):
    from ganbench.tracking.senders import BEGUN, SENDER

    StudyTracker(store, "s-tune", None).sync()
    rows = tuple(Listed(key, "e" * 16, "hinge", "mlp", "ring8", seed, {}) for seed, key in enumerate(KEYS))
    suite = SuiteRecord("s-tune", rows)
    store.write_suite(suite)
    # A list without a result: there is no cell's run that it could be put into, and the runs of studies are none.
    assert Tracker(store, suite, None).sync() == Synced(0, []) and not list_is_sent(store, suite, None)
    for key in KEYS:
        store.write_training(key, {}, Status("failed", 3, "RuntimeError: boom"), [{"step": 1, "d_loss": 0.5}])
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
    parents, _ = runs(store)
    half = parents[STUDY.name].info.run_id
    client.update_run(half, status="RUNNING")
    client.set_tag(half, SENDER, "gone")
    client.set_tag(half, BEGUN, "2026-01-01T00:00:00+00:00")
    assert Tracker(store, suite, None).sync() == Synced(3, [])
    assert client.get_run(half).info.status == "RUNNING"  # what sends studies sees to it
    done = pull(Store(tmp_path / "pulled"), str(store.root / "mlflow.db"), "s-tune")
    assert (done.added, done.underway, done.refused, done.conflicts) == (3, 0, [], [])
    write_studies(store, Studies("s-tune", (OTHER, replace(OTHER, name="new", identity="4" * 16))))
    assert StudyTracker(store, "s-tune", None).sync() == 2
    assert client.get_run(half).info.status == "KILLED"  # this store has it no longer


@pytest.mark.slow
def test_a_server_that_is_down_costs_a_line_that_says_how_to_send_later(store, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://me:sesame@127.0.0.1:{probe.getsockname()[1]}"
    tracking = StudyTracking(store, "s-tune", uri)
    tracking.begin()
    tracking.wait()
    told = tracking.close()
    shown = uri.replace("sesame", "***")
    assert told.startswith(f"MLflow at {shown} cannot be used (") and len(told.splitlines()) == 1
    assert told.endswith(f"`ganbench track {store.root} --tracking-uri {shown}` sends them later")
    store.write_suite(SuiteRecord("s-tune", ()))
    done = CliRunner().invoke(app, ["track", str(store.root)])
    assert done.exit_code == 0, done.output
    parents, trials = runs(store)
    assert len(parents) == 2 and len(trials) == 5


@pytest.mark.cluster  # a server answers otherwise than a database, and nothing is filled past it
def test_a_real_server_takes_studies_and_keeps_them_once(store, tmp_path, mlflow_server):
    with mlflow_server(f"sqlite:///{store.root / 'mlflow.db'}", tmp_path) as uri:
        assert StudyTracker(store, "s-tune", uri).sync() == 7
        shutil.rmtree(store.root / "tracking")
        write_studies(store, Studies("s-tune", (DONE, OTHER)))
        assert StudyTracker(store, "s-tune", uri).sync() == 0
        parents, trials = runs(store, uri)
        assert len(trials) == 5 and parents[STUDY.name].data.metrics["tuned.fid_final"] == 2.0


def test_a_deleted_experiment_is_told_of(store):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
    client.delete_experiment(client.create_experiment("s-tune"))
    with pytest.raises(TrackingError, match="'s-tune' was deleted in MLflow"):
        StudyTracker(store, "s-tune", None, attempts=1).sync()


def test_what_is_written_is_read_back_and_a_damaged_file_is_refused_with_its_place(tmp_path):
    held, told = Store(tmp_path), Studies("s-tune", (DONE, OTHER))
    assert read_studies(held, "s-tune") is None
    write_studies(held, told)
    assert read_studies(held, "s-tune") == told
    path = tmp_path / "studies" / "s-tune.json"
    path.write_text(path.read_text().replace('"complete"', '"perfect"'))
    whole = path.read_text()
    with pytest.raises(StoreError, match=r"s-tune\.json is not what ganbench writes \(studies\.0\.trials\.0\.state"):
        read_studies(held, "s-tune")
    path.write_text(whole.replace('"perfect"', '"complete"').replace("1" * 16, "1' OR '1"))
    with pytest.raises(StoreError, match="is not 16 hexadecimal digits"):  # it is asked for in a filter
        read_studies(held, "s-tune")
