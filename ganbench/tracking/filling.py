"""Making and filling runs of a database file, a transaction each, with the rows that MLflow's own store would write.

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
class Birth:
    """What a run is made with: its name, when it began in milliseconds since 1970, and its tags."""

    name: str
    start: int
    tags: Mapping[str, str]


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


def begin(database: Path, experiment: str, births: Sequence[Birth]) -> list[RunAt] | None:
    """Make runs, all of them or none: where one is left to MLflow, write nothing and return None."""
    if not all(map(_is_plain, births)):
        return None

    def made(opened: sqlite3.Connection) -> list[RunAt] | None:
        folder = _folder_of(opened, int(experiment))
        return [_begun(opened, int(experiment), folder, birth) for birth in births] if folder else None

    return _written(database, made)


def _is_plain(birth: Birth) -> bool:
    return bool(birth.name) and birth.start > 0 and not any(tag.startswith(OF_MLFLOW) for tag in birth.tags)


def _folder_of(database: sqlite3.Connection, number: int) -> str | None:
    """Return where an experiment's artifacts are, if that is a folder."""
    asked = "SELECT artifact_location FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'active'"
    found = database.execute(asked, (number,)).fetchone()
    return found[0] if found is not None and FOLDER.fullmatch(found[0] or "") else None


def _begun(database: sqlite3.Connection, number: int, folder: str, birth: Birth) -> RunAt:
    run = uuid.uuid4().hex
    made = RunAt(run, f"{folder}/{run}/artifacts")
    database.execute(NEW, (run, birth.name, birth.start, made.artifact_uri, number))
    tags = {**birth.tags, "mlflow.runName": birth.name}
    database.executemany(TAGS, ((run, *tag) for tag in sorted(tags.items())))
    return made


def fill(database: Path, contents: Mapping[str, Content]) -> bool:
    """Write all of the content of runs and end them, all or none: where one is left to MLflow, return False.

    The runs must be new: without parameters and points.
    """
    if not all(map(_is_known, contents.values())):
        return False
    return _written(database, lambda opened: all(_filled(opened, *run) for run in contents.items())) or False


def _is_known(content: Content) -> bool:
    names = {*content.parameters, *(name for name, _, _ in content.points)}
    return content.end >= 0 and all(map(NAME.fullmatch, names))


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
