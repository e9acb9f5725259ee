"""Tracking while cells train: sent as they are finished, nothing before it may, and no cell is lost by a failure."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from ganbench.live_tracking import LiveTracking
from ganbench.records import Listed, Status, SuiteRecord
from ganbench.sent import pending
from ganbench.store import Store

KEYS = ["a" * 16, "b" * 16, "c" * 16]
SUITE = SuiteRecord("live", tuple(Listed(key, "e" * 16, "hinge", "mlp", "ring8", i, {}) for i, key in enumerate(KEYS)))


def train(store: Store, key: str) -> None:
    store.write_training(key, {"key": key}, Status("failed", 3, "RuntimeError: boom"), [{"step": 1, "d_loss": 0.5}])


def wait_until(happened, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.mark.slow
def test_cells_are_sent_as_they_are_finished_and_the_rest_at_the_end(store: Store) -> None:
    tracking = LiveTracking(store, SUITE, None)
    train(store, KEYS[0])
    time.sleep(0.1)
    assert not (store.root / "mlflow.db").exists()  # nothing before it is known that cells will train
    tracking.begin()
    tracking.finished(KEYS[:1])
    wait_until(lambda: pending(store, SUITE, None) == [])
    train(store, KEYS[1])
    tracking.finished(KEYS[:2])  # told twice of one cell, which has one run
    wait_until(lambda: pending(store, SUITE, None) == [])
    train(store, KEYS[2])
    assert tracking.left() == 1
    assert tracking.close() == ""
    assert pending(store, SUITE, None) == []

    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("live").experiment_id])
    assert sorted(run.data.tags["ganbench.key"] for run in runs) == KEYS


@pytest.mark.slow
def test_a_server_that_is_down_is_told_once_with_all_that_is_unsent_by_the_end(store: Store) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{probe.getsockname()[1]}"
    tracking = LiveTracking(store, SUITE, uri)
    tracking.begin()
    for key in KEYS:
        train(store, key)
        tracking.finished([key])
    told = tracking.close()
    assert told.count("cannot be used") == 1 and "refused" in told
    assert f"3 cells are unsent and safe in the store: `ganbench track {store.root} --tracking-uri {uri}`" in told


@pytest.mark.slow
def test_an_abandoned_run_sends_no_other_cell(store: Store) -> None:
    tracking = LiveTracking(store, SUITE, None)
    tracking.begin()
    for key in KEYS[:2]:
        train(store, key)
    tracking.finished(KEYS[:1])
    wait_until(lambda: pending(store, SUITE, None) == KEYS[1:2])
    tracking.abandon()
    tracking.finished(KEYS[1:2])
    time.sleep(0.2)
    assert pending(store, SUITE, None) == KEYS[1:2]


def test_whatever_breaks_tracking_is_said_and_raises_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object) -> None:
        raise ImportError("no module named 'mlflow'")

    monkeypatch.setattr("ganbench.tracking.Tracker.warm_up", broken)
    tracking = LiveTracking(store, SUITE, None)
    tracking.begin()
    train(store, KEYS[0])
    tracking.finished(KEYS[:1])
    told = tracking.close()
    assert "no module named 'mlflow'" in told and "1 cell is unsent and safe in the store" in told
