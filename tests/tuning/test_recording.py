"""What tuning leaves in the store to be sent: written after the search and after the end, and the same every time."""

from __future__ import annotations

import shutil

import pytest

from ganbench.records import SuiteRecord
from ganbench.sent import pending
from ganbench.store import Store
from ganbench.studies import pieces, read_studies


class Watch:
    """Stands where studies are sent; `seen` are the records as they were then."""

    def __init__(self, store: Store, told: str = "") -> None:
        self.store, self.told, self.seen, self.calls = store, told, [], []

    def begin(self) -> None:
        self.calls.append("begin")
        self.seen.append(read_studies(self.store, "suite-tune"))

    def wait(self) -> None:
        self.calls.append("wait")

    def close(self) -> str:
        self.calls.append("close")
        self.seen.append(read_studies(self.store, "suite-tune"))
        return self.told


def test_studies_are_sent_after_the_search_and_after_the_end_and_no_news_is_none(bench, suite_text):
    store = Store(bench.folder / "runs")
    watch = Watch(store, "MLflow is away")
    done = bench.tune(suite_text, tracking=watch)
    assert watch.calls == ["begin", "wait", "close"] and done.result.untracked == "MLflow is away"
    searched, ended = watch.seen
    assert [len(study.trials) for study in searched.studies] == [3, 3]
    assert all(not study.measured for study in searched.studies)
    assert [study.trials for study in ended.studies] == [study.trials for study in searched.studies]
    for study, finding in zip(ended.studies, done.findings, strict=True):
        assert study.name == finding.subject.name and study.measured.keys() == finding.measured.keys()
        for record, tried in zip(study.trials, finding.tried, strict=True):
            assert record.settings == tried.settings and record.scores == {"fid_final": tried.scores}
            assert [store.cell(key)["seed"] for key in record.cells] == [0, 1]
            assert record.state == "complete" and record.started < record.finished
        tuned = study.measured["tuned"]
        assert tuned.means["fid_final"]["value"] == finding.measured["tuned"].mean.value
        assert [store.cell(key)["seed"] for key in tuned.cells] == [5, 6, 7]
    again = Watch(store)
    bench.tune(suite_text, tracking=again)
    assert [[each.content for each in pieces(held)] for held in again.seen] == [[e.content for e in pieces(ended)]] * 2
    # One objective alone: what is known of the other stays.
    bench.tune(suite_text.replace("[hinge, wgan_gp]", "[wgan_gp]"), tracking=(alone := Watch(store)))
    assert {study.name: study for study in alone.seen[-1].studies} == {study.name: study for study in ended.studies}


def test_a_study_made_anew_is_another_one(bench, alone_text):
    def identity() -> str:
        bench.tune(alone_text, trials=1)
        (study,) = read_studies(Store(bench.folder / "runs"), "suite-tune").studies
        return study.identity

    first = identity()
    assert identity() == first
    (bench.folder / "runs" / "studies" / "suite.journal").unlink()
    assert identity() != first


@pytest.mark.slow  # worth it: the only one in which what tunes and what sends meet a real MLflow
def test_a_tuned_suite_is_in_mlflow_with_its_cells_once(bench, alone_text, fresh_database):
    from mlflow.tracking import MlflowClient

    from ganbench.listener import Silence
    from ganbench.runner import track
    from ganbench.study_tracking import StudyTracking
    from ganbench.suite.record import suite_record
    from ganbench.tuning.tuner import tune

    store = Store(bench.folder / "runs")
    store.root.mkdir()
    shutil.copyfile(fresh_database, store.root / "mlflow.db")

    def finish(plan):
        result = bench.trainer(plan)
        record: SuiteRecord = suite_record(plan.suite, [entry.planned for entry in plan.entries], "")
        store.write_suite(record)
        assert track(store, record, None, Silence()) == "" and pending(store, record, None) == []
        return result

    found = []
    for _ in range(2):
        made = bench.plan(alone_text)
        tune(made, bench.trainer, finish, lambda _: None, StudyTracking(store, "suite-tune", None))
        client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
        found.append(client.search_runs([client.get_experiment_by_name("suite-tune").experiment_id]))
    assert sorted(run.info.run_id for run in found[0]) == sorted(run.info.run_id for run in found[1])
    tags = [run.data.tags for run in found[0]]
    (parent,) = [
        run for run in found[0] if "ganbench.key" not in run.data.tags and "ganbench.trial" not in run.data.tags
    ]
    assert sum(run.get("mlflow.parentRunId") == parent.info.run_id for run in tags) == 3
    cells = parent.data.tags["ganbench.cells.tuned"].split() + parent.data.tags["ganbench.cells.default"].split()
    assert sorted(cells) == sorted(run["ganbench.key"] for run in tags if "ganbench.key" in run)
