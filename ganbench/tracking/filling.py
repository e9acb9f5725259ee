"""Making and filling a run of a database file, a transaction each, with the rows that MLflow's own store would write.

MLflow makes an object of every point, checks it three times and lets SQLAlchemy's session keep account of it, which
takes some ten times as long as SQLite takes to hold the row; a new run is looked up five times over. Tests compare
every row with those of MLflow's `create_run`, `log_batch` and `set_terminated`; they do the work wherever something is
not as it was when that was last seen to hold: another schema, a name that MLflow has more to say of, an error of any
kind.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ganbench.tracked import Point

T = TypeVar("T")

SCHEMA = "dc11669786a5"  # of the databases of MLflow 3.17
WAIT = 20.0  # seconds that another writer may take, as in MLflow
NAME = re.compile(r"[\w\- ][\w\-. ]{0,249}", re.ASCII)  # none that could be a path, which MLflow looks at closely
FOLDER = re.compile(r"file:///[^?#;]*[^?#;/]")  # to which more can be appended as it is
NEW = """INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
source_version, lifecycle_stage, artifact_uri, experiment_id)
VALUES (?, ?, 'UNKNOWN', '', '', 'unknown', 'RUNNING', ?, '', 'active', ?, ?)"""
TAGS = "INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)"
OF_MLFLOW = "mlflow."  # tags that begin so may mean more to it
RUN = "UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ? AND lifecycle_stage = 'active'"
PARAMETERS = "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)"
POINTS = "INSERT INTO {} (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


@dataclass(frozen=True)
class RunAt:
    """A run, as far as it takes to give it more: its number, and where its artifacts go."""

    run_id: str
    artifact_uri: str


@dataclass(frozen=True)
class Content:
    """What a new run gets beside its tags: parameters, finite points (the last of a series first), and its end.

    `end` is in milliseconds since 1970, and the time of every point.
    """

    parameters: Mapping[str, str]
    points: Sequence[Point]
    status: str
    end: int


def begin(database: Path, experiment: str, name: str, start: int, tags: Mapping[str, str]) -> RunAt | None:
    """Make a run with its tags, `start` in milliseconds since 1970; left to MLflow, write nothing and return None."""
    if not name or start <= 0 or any(tag.startswith(OF_MLFLOW) for tag in tags):
        return None
    return _written(database, lambda opened: _begun(opened, int(experiment), name, start, tags))


def _begun(database: sqlite3.Connection, number: int, name: str, start: int, tags: Mapping[str, str]) -> RunAt | None:
    asked = "SELECT artifact_location FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'active'"
    found = database.execute(asked, (number,)).fetchone()
    if found is None or not FOLDER.fullmatch(found[0] or ""):
        return None
    run = uuid.uuid4().hex
    made = RunAt(run, f"{found[0]}/{run}/artifacts")
    database.execute(NEW, (run, name, start, made.artifact_uri, number))
    database.executemany(TAGS, ((run, *tag) for tag in sorted({**tags, "mlflow.runName": name}.items())))
    return made


def fill(database: Path, run: str, content: Content) -> bool:
    """Write all of a run's content and end it; where that is left to MLflow, write nothing and return False.

    The run must be new: without parameters and points.
    """
    names = {*content.parameters, *(name for name, _, _ in content.points)}
    if content.end < 0 or not all(map(NAME.fullmatch, names)):
        return False
    return _written(database, lambda opened: _filled(opened, run, content)) or False


def _written(database: Path, write: Callable[[sqlite3.Connection], T | None]) -> T | None:
    """Write within one transaction of a database of the known schema; where `write` gives nothing, none is written."""
    if not database.is_file():
        return None
    try:
        # What is open is closed, and so taken back, whatever happens.
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", WAIT, uri=True, isolation_level=None)) as opened:
            opened.execute("PRAGMA foreign_keys = ON")
            opened.execute("BEGIN IMMEDIATE")
            known = opened.execute("SELECT version_num FROM alembic_version").fetchall() == [(SCHEMA,)]
            found = write(opened) if known else None
            if found:
                opened.execute("COMMIT")
            return found
    except (sqlite3.Error, ValueError, OverflowError):
        return None


def _filled(database: sqlite3.Connection, run: str, content: Content) -> bool:
    if database.execute(RUN, (content.status, content.end, run)).rowcount != 1:
        return False
    latest: dict[str, Point] = {}
    for point in content.points:
        name, value, step = point
        if name not in latest or (step, value) > (latest[name][2], latest[name][1]):
            latest[name] = point
    database.executemany(PARAMETERS, ((run, name, text) for name, text in content.parameters.items()))
    for table, points in (("metrics", content.points), ("latest_metrics", latest.values())):
        rows = ((run, name, value, content.end, step) for name, value, step in points)
        database.executemany(POINTS.format(table), rows)
    return True
