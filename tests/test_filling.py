"""Filling runs of a database file: the rows that MLflow itself would write, all or none, and MLflow where in doubt."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganbench.records import Listed, Status, SuiteRecord
from ganbench.store import Store
from ganbench.tracking import Synced, Tracker, filling
from ganbench.tracking.filling import Birth, Content, begin, fill
from ganbench.tracking.reaching import quiet

END = 1_767_323_045_000
CONTENT = Content(
    {"objective": "hinge", "betas": "[0.5, 0.999]"}, [("d_loss", 0.5, 2), ("d_loss", 1.0, 1)], "FAILED", END
)

TABLES = {
    "params": "key, value",
    "metrics": "key, value, typeof(value), timestamp, step, typeof(step), is_nan, typeof(is_nan)",
    "latest_metrics": "key, value, typeof(value), timestamp, step, typeof(step), is_nan, typeof(is_nan)",
    "runs": "name, source_type, status, start_time, end_time, typeof(end_time), lifecycle_stage, deleted_time",
    "tags": "key, value",
}


def content(seed: int) -> Content:
    """Points of five series in any order, twice at some steps, with the least and the greatest numbers there are."""
    random = np.random.default_rng(seed)
    values = [0.0, -0.0, 1.0, -3.0, 5e-324, 1.7e308, 1e-9, *map(float, random.normal(size=20))]
    names = ["d_loss", "fid_best", "a name", "-", "x" * 250]
    drawn = zip(random.choice(names, 300), random.choice(values, 300), random.integers(-5, 40, 300), strict=True)
    points = [(str(name), float(value), int(step)) for name, value, step in drawn]
    points += [("late", 1.0, 2**62), ("late", 2.0, 2**62 - 1), ("flat", 2.0, 7)]
    parameters = {"dataset": "ß · 数", "empty": "", "long": "y" * 5000, "g.lr": "0.0002"}
    return Content(parameters, list(dict.fromkeys(points)), "KILLED", END + seed)


@pytest.fixture
def database(tmp_path: Path, fresh_database: Path) -> Path:
    return Path(shutil.copyfile(fresh_database, tmp_path / "mlflow.db"))


@pytest.fixture
def begun(database: Path) -> Callable[[], str]:
    """Begin runs, all alike, and return their numbers."""
    with quiet():
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{database}")
        return lambda: client.create_run("0", start_time=END - 1000, run_name="one", tags={"of": "all"}).info.run_id


def by_mlflow(database: Path, run: str, content: Content) -> None:
    with quiet():
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{database}")
        metrics = [Metric(name, value, content.end, step) for name, value, step in content.points]
        client.log_batch(run, metrics, [Param(*named) for named in content.parameters.items()])
        client.set_terminated(run, content.status, content.end)


def rows(database: Path, run: str) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(database)) as opened:
        asked = {
            name: f"SELECT {columns} FROM {name} WHERE run_uuid = ? ORDER BY rowid" for name, columns in TABLES.items()
        }
        return {name: opened.execute(question, (run,)).fetchall() for name, question in asked.items()}


def counts(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database)) as opened:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def grown(database: Path, action: Callable[[], object]) -> dict[str, int]:
    before = counts(database)
    action()
    return {name: grown for name, now in counts(database).items() if (grown := now - before[name])}


@pytest.mark.slow
def test_every_row_is_as_mlflow_writes_it(database: Path, begun: Callable[[], str]) -> None:
    contents = [CONTENT, replace(CONTENT, points=[], parameters={}), *map(content, range(4))]
    for each in contents:
        ours, theirs = begun(), begun()
        by_us = grown(
            database, lambda run=ours, each=each: fill(database, {run: each}) or pytest.fail("left to MLflow")
        )
        assert by_us == grown(database, lambda run=theirs, each=each: by_mlflow(database, run, each))
        assert rows(database, ours) == rows(database, theirs)
        assert len(rows(database, ours)["metrics"]) == len(each.points)
        signs = [math.copysign(1, row[1]) for row in rows(database, ours)["metrics"]]
        assert signs == [math.copysign(1, row[1]) for row in rows(database, theirs)["metrics"]]
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA foreign_key_check").fetchall() == []
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def whole(database: Path, run: str) -> dict[str, object]:
    """Return a run's own row and its tags, its number taken out of them."""
    with closing(sqlite3.connect(database)) as opened:
        opened.row_factory = sqlite3.Row
        row = dict(opened.execute("SELECT * FROM runs WHERE run_uuid = ?", (run,)).fetchone())
        tags = [
            tuple(tag) for tag in opened.execute("SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY key", (run,))
        ]
    assert row.pop("run_uuid") == run
    return {**row, "artifact_uri": row["artifact_uri"].replace(run, "RUN"), "tags": tags}


@pytest.mark.slow
def test_a_run_is_made_as_mlflow_makes_it(database: Path, tmp_path: Path) -> None:
    with quiet():
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{database}")
        folder = (tmp_path / "a folder ü").as_uri()
        number = client.create_experiment("two", artifact_location=folder)
    for name, tags in (("one", {"of": "all", "empty": "", "ß · 数": "x" * 7000}), ("hinge · ring8 · 0", {})):
        made: list[str] = []

        def ours(name: str = name, tags: dict[str, str] = tags, made: list[str] = made) -> None:
            (found,) = begin(database, number, [Birth(name, END, tags)]) or pytest.fail("left to MLflow")
            assert found.artifact_uri == f"{folder}/{found.run_id}/artifacts"
            made.append(found.run_id)

        def theirs(name: str = name, tags: dict[str, str] = tags, made: list[str] = made) -> None:
            made.append(client.create_run(number, start_time=END, run_name=name, tags=tags).info.run_id)

        assert grown(database, ours) == grown(database, theirs)
        assert whole(database, made[0]) == whole(database, made[1])
        told = [client.get_run(run).to_dictionary() for run in made]
        assert told[0]["data"] == told[1]["data"]


@pytest.mark.slow
def test_a_run_that_mlflow_would_make_otherwise_is_left_to_it(database: Path) -> None:
    unwritten = counts(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:

        def is_left(name: str = "one", start: int = END, number: str = "0", **tags: str) -> bool:
            births = [Birth("good", END, {}), Birth(name, start, tags)]
            return begin(database, number, births) is None and counts(database) == unwritten

        def located(place: str | None) -> None:
            opened.execute("UPDATE experiments SET artifact_location = ?", (place,))

        located("file:///elsewhere/a")
        assert is_left(name="") and is_left(start=0) and is_left(number="77") and is_left(number="x")
        assert is_left(**{"mlflow.parentRunId": "a"}) and is_left(a="\ud800")
        for place in (
            "s3://bucket/a",
            "file:///elsewhere/a/",
            "file:///elsewhere/a?b=c",
            "file:///elsewhere/a;b",
            "/elsewhere/a",
            "",
            None,
        ):
            located(place)
            assert is_left(), place
        located("file:///elsewhere/a")
        opened.execute("UPDATE experiments SET lifecycle_stage = 'deleted'")
        assert is_left()
        opened.execute("UPDATE experiments SET lifecycle_stage = 'active'")
        opened.execute("UPDATE alembic_version SET version_num = 'another'")
        assert is_left()
        opened.execute("UPDATE alembic_version SET version_num = ?", (filling.SCHEMA,))
    made = begin(database, "0", [Birth("one", END, {}), Birth("two", END, {"a": "b"})])
    assert made is not None
    assert [whole(database, run.run_id)["name"] for run in made] == ["one", "two"]


@pytest.mark.slow
def test_what_it_does_not_know_is_left_to_mlflow_and_nothing_is_written(
    database: Path, begun: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, good = begun(), begun()
    unwritten = rows(database, run)
    assert rows(database, good) == unwritten

    def is_left(content: Content) -> bool:
        """What is left to MLflow leaves the run before it in the same transaction as it was, too."""
        left = not fill(database, {good: CONTENT, run: content})
        return left and rows(database, run) == rows(database, good) == unwritten

    for name in ("a/b", "../above", "..", ".", "a:b", "x" * 251, "", "d_loss\n"):
        assert is_left(replace(CONTENT, points=[(name, 1.0, 1)])), name
        assert is_left(replace(CONTENT, parameters={name: "1"})), name
    assert is_left(replace(CONTENT, end=-1))
    assert is_left(replace(CONTENT, points=[("d_loss", 1.0, 1), ("d_loss", 1.0, 2**63)]))
    # What fails at the last row leaves none of those before it.
    assert is_left(replace(CONTENT, points=[*CONTENT.points, CONTENT.points[0]]))
    assert is_left(replace(CONTENT, parameters={"name": "\ud800"}))
    assert is_left(replace(CONTENT, status="ASLEEP"))
    assert not fill(database, {"0" * 32: CONTENT})
    assert not fill(database.with_name("none.db"), {run: CONTENT}) and not database.with_name("none.db").exists()
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        with monkeypatch.context() as patch:
            patch.setattr(filling, "WAIT", 0.0)
            opened.execute("BEGIN IMMEDIATE")
            assert not fill(database, {run: CONTENT})
            opened.execute("ROLLBACK")
        opened.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
        assert not fill(database, {run: CONTENT})
        opened.execute("UPDATE runs SET lifecycle_stage = 'active'")
        opened.execute("UPDATE alembic_version SET version_num = 'another'")
    assert is_left(CONTENT)


@pytest.mark.slow
def test_a_sync_fills_a_database_file_and_asks_mlflow_where_it_must(
    tmp_path: Path, fresh_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    store, plain, asked = Store(tmp_path / "runs"), MlflowClient.log_batch, list[str]()

    def log_batch(client: MlflowClient, run: str, **named: object) -> None:
        asked.append(client.get_run(run).data.tags["ganbench.key"])
        plain(client, run, **named)

    monkeypatch.setattr(MlflowClient, "log_batch", log_batch)
    for key, name in (("a" * 16, "d_loss"), ("b" * 16, "d/loss")):
        store.write_training(key, {}, Status("completed", 1200), [{"step": i, name: float(i)} for i in range(1, 1201)])
    suite = SuiteRecord("two", tuple(Listed(key * 16, "e" * 16, "hinge", "mlp", "ring8", 0, {"lr": 1}) for key in "ab"))
    shutil.copyfile(fresh_database, store.root / "mlflow.db")
    assert Tracker(store, suite, None).sync() == Synced(2, [])
    assert asked == ["b" * 16]
    client = MlflowClient(f"sqlite:///{store.root / 'mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("two").experiment_id])
    assert {(run.info.status, run.data.params["lr"], *run.data.metrics.items()) for run in found} == {
        ("FINISHED", "1", ("d_loss", 1200.0)),
        ("FINISHED", "1", ("d/loss", 1200.0)),
    }
