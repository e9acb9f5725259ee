"""Making database files: what MLflow's migrations come to, nothing in the place of another, and MLflow in doubt."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ganbench.records import Listed, Status, SuiteRecord
from ganbench.store import Store
from ganbench.tracking import Synced, Tracker, making
from ganbench.tracking.filling import SCHEMA
from ganbench.tracking.reaching import quiet

pytestmark = pytest.mark.slow  # the imports of MLflow
KEY = "a" * 16
SUITE = SuiteRecord("one", (Listed(KEY, "e" * 16, "hinge", "mlp", "ring8", 0, {"lr": 1}),))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    held = Store(tmp_path / "runs")
    held.write_training(KEY, {}, Status("completed", 2), [{"step": i, "d_loss": float(i)} for i in (1, 2)])
    return held


def make(database: Path) -> None:
    with quiet():
        making.make(database)


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that MLflow made by itself."""
    with quiet():
        from mlflow.store.db import utils

        database = tmp_path / "migrated.db"
        engine = utils.create_sqlalchemy_engine(f"sqlite:///{database}")
        utils._initialize_tables(engine)
        engine.dispose()
    return database


def told(database: Path) -> dict[str, object]:
    """All that SQLite tells of a database, but for what changes from one migration to the next.

    That is the order of what stands in no order: indexes, and the constraints of a table.
    """
    with closing(sqlite3.connect(database)) as opened:

        def ask(question: str) -> list[tuple[Any, ...]]:
            return opened.execute(question).fetchall()

        found: dict[str, object] = {
            f"{kind} {name}": (table, sorted(line.strip(", \t") for line in sql.splitlines()))
            for kind, name, table, sql in ask("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql NOT NULL")
        }
        for (table,) in ask("SELECT name FROM sqlite_master WHERE type = 'table'"):
            indexes = ask(f'PRAGMA index_list("{table}")')  # a number, a name (that is a number where it has none), ...
            found[f"indexes of {table}"] = sorted((row[2:], ask(f'PRAGMA index_xinfo("{row[1]}")')) for row in indexes)
            found[f"keys of {table}"] = sorted(row[2:] for row in ask(f'PRAGMA foreign_key_list("{table}")'))
            found[f"columns of {table}"] = ask(f'PRAGMA table_xinfo("{table}")')
            found[f"rows of {table}"] = ask(f'SELECT * FROM "{table}"')
    return found


def differing(one: Path, other: Path) -> set[str]:
    of_one, of_other = told(one), told(other)
    return {name for name in of_one.keys() | of_other.keys() if of_one.get(name) != of_other.get(name)}


def test_a_new_database_is_what_the_migrations_come_to(migrated, tmp_path):
    make(tmp_path / "made.db")
    assert differing(tmp_path / "made.db", migrated) == set()
    assert told(migrated)["rows of alembic_version"] == [(SCHEMA,)]
    assert stat.S_IMODE((tmp_path / "made.db").stat().st_mode) == stat.S_IMODE(migrated.stat().st_mode)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("DROP INDEX idx_webhooks_name", {"index idx_webhooks_name", "indexes of webhooks"}),
        ("DROP TRIGGER prevent_secrets_aad_mutation", {"trigger prevent_secrets_aad_mutation"}),
        ("DELETE FROM workspaces", {"rows of workspaces"}),
        ("ALTER TABLE params ADD COLUMN more TEXT", {"table params", "columns of params"}),
    ],
)
def test_a_difference_would_be_seen(change, where, tmp_path):
    for name in ("one.db", "other.db"):
        make(tmp_path / name)
    assert differing(tmp_path / "one.db", tmp_path / "other.db") == set()
    with closing(sqlite3.connect(tmp_path / "other.db")) as opened, opened:
        opened.execute(change)
    assert differing(tmp_path / "one.db", tmp_path / "other.db") == where


def test_mlflow_opens_it_without_a_migration_and_writes_what_it_would_write_elsewhere(
    store, migrated, tmp_path, monkeypatch
):
    with quiet():
        from mlflow.store.db import utils
        from mlflow.tracking import MlflowClient

        monkeypatch.setattr(utils, "_upgrade_db", lambda _: pytest.fail("MLflow migrates"))
        monkeypatch.chdir(tmp_path)  # the default experiment names a folder here
        assert Tracker(store, SUITE, None).sync() == Synced(1, [])
        database = store.root / "mlflow.db"
        engine = utils.create_sqlalchemy_engine(f"sqlite:///{database}")
        utils._verify_schema(engine)
        engine.dispose()
        client = MlflowClient(f"sqlite:///{database}")
        (run,) = client.search_runs([client.get_experiment_by_name("one").experiment_id])
        assert run.data.metrics == {"d_loss": 2.0} and run.data.params["lr"] == "1"
        version = client.create_registered_model("named") and client.create_model_version(
            "named", "there", run.info.run_id
        )
        assert version.version == 1
        MlflowClient(f"sqlite:///{migrated}").search_experiments()

    def default(database: Path) -> list[object]:
        with closing(sqlite3.connect(database)) as opened:
            asked = "SELECT experiment_id, name, artifact_location, lifecycle_stage, workspace FROM experiments"
            return opened.execute(f"{asked} WHERE experiment_id = 0").fetchall()

    assert default(database) == default(migrated) != []
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("PRAGMA foreign_key_check").fetchall() == []
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_what_is_there_stays_and_what_is_not_plain_is_left_to_mlflow(tmp_path, monkeypatch):
    for name in ("empty.db", "text.db"):
        (tmp_path / name).write_text(name[:4] * (name == "text.db"))
        make(tmp_path / name)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["", "text"]
    (tmp_path / "killed.db-journal").write_bytes(b"of a database that was deleted")
    for name in ("killed.db", ":memory:", "made.db?timeout=5", "made%20.db"):
        make(tmp_path / name)
    (tmp_path / "file").touch()
    make(tmp_path / "file" / "made.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "file", "killed.db-journal", "text.db"]


def test_of_many_that_make_it_at_once_one_does_and_leaves_nothing_else(tmp_path, monkeypatch):
    database, seen, head = tmp_path / "deep" / "mlflow.db", set[int](), making._head

    def make_and_see(_: int) -> None:
        making.make(database)
        seen.add(database.stat().st_ino)

    with quiet(), ThreadPoolExecutor(8) as threads:
        list(threads.map(make_and_see, range(16)))
    assert len(seen) == 1 and list(database.parent.iterdir()) == [database]
    # One that found no file comes too late.
    late = tmp_path / "late.db"
    monkeypatch.setattr(making, "_head", lambda: late.write_text("another's") and head())
    make(late)
    assert late.read_text() == "another's"


def broken_statements(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    half = making.STATEMENTS.read_text()
    (folder / "half.sql").write_text(half[: len(half) // 2])
    monkeypatch.setattr(making, "STATEMENTS", folder / "half.sql")


def no_links(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)


def another_head(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(making, "_head", lambda: "another")


@pytest.mark.parametrize("trouble", [another_head, broken_statements, no_links])
def test_where_it_cannot_be_made_mlflow_makes_it(trouble, store, tmp_path, monkeypatch):
    trouble(monkeypatch, tmp_path)
    before = {path.name for path in store.root.iterdir()}
    make(store.root / "mlflow.db")
    assert {path.name for path in store.root.iterdir()} == before
    assert Tracker(store, SUITE, None).sync() == Synced(1, [])
    with closing(sqlite3.connect(store.root / "mlflow.db")) as opened:
        assert opened.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]
