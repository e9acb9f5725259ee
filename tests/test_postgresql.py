"""What many machines share on PostgreSQL, as teams have it: an MLflow server, and the studies of a search.

It is worth its seconds: PostgreSQL locks, types and refuses where SQLite does not, and artifacts go through the server.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganbench.pulling import pull
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.sent import pending
from ganbench.store import Store
from ganbench.tracking import Synced, Tracker

EVALUATION = "e" * 16
ROWS = tuple(Listed(f"{seed:016x}", EVALUATION, "hinge", "mlp", "ring8", seed, {"g_lr": 2e-4}) for seed in range(6))


def program(name: str) -> str | None:
    """Find a program of PostgreSQL: Debian keeps its server's out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(found[0]) if found else None)


@pytest.fixture
def postgresql() -> Iterator[str]:
    """An empty database on a socket in a folder of its own."""
    initdb, postgres, ready = (program(name) for name in ("initdb", "postgres", "pg_isready"))
    if not (initdb and postgres and ready):
        pytest.skip("PostgreSQL is not installed (no initdb in the path or under /usr/lib/postgresql)")
    pytest.importorskip("psycopg2")
    # It refuses to work for root.
    user = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="ganbench-pg-", dir="/tmp"))
    try:
        if user:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        made = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **user)
        command = [postgres, "-D", data, "-k", str(folder), "-F", "-c", "listen_addresses="]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
        try:
            for _ in range(600):
                if (
                    subprocess.run([ready, "-h", str(folder), "-t", "1"], capture_output=True, check=False).returncode
                    == 0
                ):
                    break
                assert server.poll() is None, (folder / "log").read_text()
            yield f"postgresql+psycopg2://postgres@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)  # end now, without waiting for clients
            server.wait(30)
    finally:
        shutil.rmtree(folder)


def machine(root: Path, rows: tuple[Listed, ...]) -> Store:
    store = Store(root)
    for row in rows:
        trace = [{"step": step, "d_loss": 1 / step, "g_loss": float(row.seed)} for step in range(1, 121)]
        trace[-1]["g_loss"] = float("nan")
        status = Status("completed", 120, provenance={"finished": "2026-11-01T00:00:00Z"}, cohort_seconds=9.0)
        store.write_training(row.key, {"seed": row.seed}, status, trace)
        scores = Scores("p" * 16, {}, {"fid": "lower"}, ({"step": 120, "fid": 4.0 + row.seed},))
        samples = np.random.default_rng(row.seed).normal(size=(50, 2)).astype(np.float32)
        store.write_scores(row.key, EVALUATION, scores, samples)
    store.write_suite(SuiteRecord("shared", rows, datasets={"ring8": {"headline": "fid"}}))
    return store


def files(store: Store) -> dict[str, bytes]:
    """Return what the cells of a store are, but for what says which snapshots there are."""
    paths = sorted(path for path in (store.root / "cells").rglob("*") if path.is_file())
    return {str(path.relative_to(store.root)): path.read_bytes() for path in paths}


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_machines_send_at_once_and_a_third_pulls_all_of_it(postgresql, mlflow_server, tmp_path):
    first, second = machine(tmp_path / "a", ROWS[:4]), machine(tmp_path / "b", ROWS[2:])
    (tmp_path / "artifacts").mkdir()
    with mlflow_server(postgresql, tmp_path / "artifacts") as uri:
        # The first sends a shared cell ahead; then both send what is theirs alone, at once.
        assert Tracker(first, first.suite("shared"), uri).sync([ROWS[2].key]) == Synced(1, [])
        halves = [(first, [row.key for row in ROWS[:2]]), (second, [row.key for row in ROWS[4:]])]
        with ThreadPoolExecutor() as both:
            done = list(both.map(lambda half: Tracker(half[0], half[0].suite("shared"), uri).sync(half[1]), halves))
        assert done == [Synced(2, []), Synced(2, [])]
        assert Tracker(second, second.suite("shared"), uri).sync() == Synced(1, [])  # one is there from the first
        assert Tracker(first, first.suite("shared"), uri).sync() == Synced(0, [])

        from mlflow.tracking import MlflowClient

        client = MlflowClient(uri)
        runs = client.search_runs([client.get_experiment_by_name("shared").experiment_id])
        assert sorted(run.data.tags["ganbench.key"] for run in runs) == [row.key for row in ROWS]
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert all(run.info.artifact_uri.startswith("mlflow-artifacts:/") for run in runs)
        last = max(runs, key=lambda run: run.data.metrics["fid_final"])
        history = client.get_metric_history(last.info.run_id, "d_loss")
        assert len(history) == 50 and all(point.value == 1 / point.step for point in history)
        assert last.data.metrics["d_loss"] == 1 / 120 and last.data.metrics["fid_final"] == 9.0

        pulled = Store(tmp_path / "pulled")
        got = pull(pulled, uri, "shared")
        assert (got.added, got.conflicts, got.refused) == (6, [], [])
        assert files(pulled) == {**files(first), **files(second)}
        record = pulled.suite("shared")
        assert record == replace(first.suite("shared"), listed=ROWS)
        assert pending(pulled, record, uri) == []
        assert Tracker(pulled, record, uri).sync() == Synced(0, [])


SUITE = """
objectives: [hinge]
datasets: [ring8]
architectures: [mlp]
tune: {trials: 12, space: {g_lr: {log: [1e-4, 1e-1]}, d_steps: {choice: [1, 2]}}}
"""
MACHINE = """
import sys
from pathlib import Path
from ganbench.planning import Options
from ganbench.tuning.at_work import Presence
from ganbench.tuning.study import Study, open_storage
from ganbench.tuning.tuner import make_tune_plan

folder, uri = Path(sys.argv[1]), sys.argv[2]
made = make_tune_plan(folder / "suite.yaml", Options(folder / "runs"), storage=uri)
study = Study(open_storage(made.storage), "shared", made.tune, made.subjects[0], Presence(folder))
while asked := study.ask(1):
    print(asked[0].number)
    study.tell(asked[0], [1.0, 2.0], [])
"""


@pytest.mark.cluster
@pytest.mark.slow
def test_two_machines_with_stores_of_their_own_share_a_search_and_its_budget(postgresql, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "suite.yaml").write_text(SUITE)
    machines = [
        subprocess.Popen([sys.executable, "-c", MACHINE, str(tmp_path / name), postgresql], stdout=subprocess.PIPE)
        for name in ("a", "b")
    ]
    told = [[int(line) for line in machine.communicate(timeout=120)[0].split()] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0]
    assert sorted(told[0] + told[1]) == list(range(12))
