"""One experiment, several senders: nobody ends what another is sending, and what a killed one left is cleared up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ganbench.pulling import pull
from ganbench.records import Listed, Status, SuiteRecord
from ganbench.sent import Result, identity, pending
from ganbench.store import Store
from ganbench.tracking import Synced, Tracker, senders

KEYS = ["a" * 16, "b" * 16, "c" * 16]
ROWS = tuple(Listed(key, "e" * 16, "hinge", "mlp", "ring8", seed, {}) for seed, key in enumerate(KEYS))
SUITE = SuiteRecord("shared", ROWS)


def tags_of_process(number: int, began: str | None = None) -> dict[str, str]:
    machine = senders.signature()[senders.SENDER].partition("-")[0]
    return {
        senders.SENDER: f"{machine}-{number}-{began or senders._began(number)}",
        senders.BEGUN: senders.now(),
    }


def elsewhere(hours: float) -> dict[str, str]:
    begun = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    return {senders.SENDER: f"{'f' * 16}-1-1", senders.BEGUN: begun}


@pytest.fixture
def other_process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are only seen in /proc")
def test_a_process_of_this_machine_is_seen_to_run_and_to_be_gone(other_process):
    assert senders.is_mine(senders.signature()) and not senders.is_left(senders.signature())
    tags = tags_of_process(other_process.pid)
    assert not senders.is_mine(tags) and not senders.is_left(tags)
    assert senders.is_left(tags_of_process(other_process.pid, "1"))  # its number belonged to another before
    other_process.kill()
    while not senders.is_left(tags):  # dead, and not yet waited for by its parent
        pass
    assert other_process.returncode is None
    other_process.wait()
    assert senders.is_left(tags)


def test_another_machine_is_given_an_hour():
    assert not senders.is_left(elsewhere(0.9)) and senders.is_left(elsewhere(1.1))
    assert senders.is_left({}) and senders.is_left({senders.SENDER: "x", senders.BEGUN: "yesterday"})
    assert senders.is_left({senders.SENDER: "x", senders.BEGUN: "2026-01-01T00:00:00"})  # of no time zone


@pytest.fixture
def store(tmp_path: Path, fresh_database: Path) -> Store:
    held = Store(tmp_path / "runs")
    for row in ROWS:
        held.write_training(row.key, {}, Status("failed", 3, "RuntimeError: boom"), [{"step": 1, "d_loss": 0.5}])
    held.write_suite(SUITE)
    shutil.copyfile(fresh_database, held.root / "mlflow.db")
    return held


class Experiment:
    def __init__(self, store: Store) -> None:
        from mlflow.tracking import MlflowClient

        self.store = store
        self.client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
        self.number = self.client.create_experiment("shared", artifact_location=(store.root / "mlartifacts").as_uri())

    def begin(self, key: str, sender: dict[str, str], store: str = "", content: str = "") -> str:
        """Begin a run as a tracker does, and leave it at that."""
        tags = {"ganbench.key": key, "ganbench.evaluation_key": "e" * 16, "ganbench.content": content or "0" * 16}
        mine = {"ganbench.store": store or identity(self.store)}
        run = self.client.create_run(self.number, tags={**tags, **mine, **sender})
        return str(run.info.run_id)

    def runs(self) -> dict[str, tuple[str, str]]:
        """Return key and state of each run that is not deleted."""
        found = self.client.search_runs([self.number])
        return {run.info.run_id: (run.data.tags["ganbench.key"][0], run.info.status) for run in found}


@pytest.fixture
def experiment(store: Store) -> Experiment:
    return Experiment(store)


@pytest.mark.slow
def test_what_a_killed_sync_left_is_replaced_or_ended(store, experiment, other_process):
    other_process.kill()
    other_process.wait()
    dead = {**tags_of_process(other_process.pid, "1")}
    resent, lost = experiment.begin(KEYS[0], dead), experiment.begin("d" * 16, dead)
    late, foreign = experiment.begin("9" * 16, elsewhere(2)), experiment.begin("8" * 16, dead, store="f" * 16)
    assert Tracker(store, SUITE, None).sync(KEYS[1:]) == Synced(2, [])
    # The first cell is not sent yet: its run waits to be replaced. Another store's runs are that store's business.
    states = {run: state for run, (_, state) in experiment.runs().items()}
    assert [states[run] for run in (resent, lost, late, foreign)] == ["RUNNING", "KILLED", "KILLED", "RUNNING"]
    told = experiment.client.get_run(lost).data.tags["ganbench.reason"]
    assert "killed while it sent this run" in told
    assert Tracker(store, SUITE, None).sync() == Synced(1, [])
    after = experiment.runs()
    assert resent not in after and sorted(after.values()) == [
        ("8", "RUNNING"),
        ("9", "KILLED"),
        ("a", "FAILED"),
        ("b", "FAILED"),
        ("c", "FAILED"),
        ("d", "KILLED"),
    ]
    done = pull(Store(store.root.parent / "pulled"), str(store.root / "mlflow.db"), "shared")
    assert (done.added, done.underway, done.refused) == (3, 1, [])


@pytest.mark.slow
def test_what_another_process_is_sending_is_neither_ended_nor_doubled(store, experiment, other_process):
    alive = tags_of_process(other_process.pid)
    result = Result(ROWS[0], store.status(KEYS[0]), None)
    same = experiment.begin(KEYS[0], alive, content=result.content)
    other = experiment.begin(KEYS[1], elsewhere(0.1), store="f" * 16)
    unlisted = experiment.begin("d" * 16, alive)
    assert Tracker(store, SUITE, None).sync() == Synced(2, [])
    found = experiment.runs()
    assert found[same] == ("a", "RUNNING") and found[unlisted] == ("d", "RUNNING") and found[other] == ("b", "RUNNING")
    assert sorted(found.values()) == [
        ("a", "RUNNING"),
        ("b", "FAILED"),
        ("b", "RUNNING"),
        ("c", "FAILED"),
        found[unlisted],
    ]
    assert pending(store, SUITE, None) == KEYS[:1]  # settled by the next sync
    other_process.kill()
    other_process.wait()
    assert Tracker(store, SUITE, None).sync() == Synced(1, [])
    assert same not in experiment.runs()


@pytest.mark.slow
def test_another_stores_result_of_a_cell_stays_beside_ones_own(store, experiment):
    theirs = experiment.begin(KEYS[0], elsewhere(5), store="f" * 16)
    mine = experiment.begin(KEYS[1], elsewhere(5))
    for run in (theirs, mine):
        experiment.client.set_terminated(run)
    assert Tracker(store, SUITE, None).sync() == Synced(3, [])
    assert theirs in experiment.runs() and mine not in experiment.runs()
    assert sorted(key for key, _ in experiment.runs().values()) == ["a", "a", "b", "c"]
