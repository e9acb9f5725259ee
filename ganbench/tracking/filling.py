"""Filling a run of a database file in one transaction, with the rows that MLflow's own store would write.

MLflow makes an object of every point, checks it three times and lets SQLAlchemy's session keep account of it, which
takes some ten times as long as SQLite takes to hold the row. Runs are made by MLflow all the same: only what is
many goes past it. A test compares every row with those of MLflow's `log_batch` and `set_terminated`; they do the work
wherever something is not as it was when that was last seen to hold: another schema, a name that MLflow has more to
say of, an error of any kind.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ganbench.tracked import Point

SCHEMA = "dc11669786a5"  # of the databases of MLflow 3.17
WAIT = 20.0  # seconds that another writer may take, as in MLflow
NAME = re.compile(r"[\w\- ][\w\-. ]{0,249}", re.ASCII)  # none that could be a path, which MLflow looks at closely
RUN = "UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ? AND lifecycle_stage = 'active'"
PARAMETERS = "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)"
POINTS = "INSERT INTO {} (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


@dataclass(frozen=True)
class Content:
    """What a new run gets beside its tags: parameters, finite points (the last of a series first), and its end.

    `end` is in milliseconds since 1970, and the time of every point.
    """

    parameters: Mapping[str, str]
    points: Sequence[Point]
    status: str
    end: int


def fill(database: Path, run: str, content: Content) -> bool:
    """Write all of a run's content and end it; where that is left to MLflow, write nothing and return False.

    The run must be new: without parameters and points.
    """
    names = {*content.parameters, *(name for name, _, _ in content.points)}
    if content.end < 0 or not database.is_file() or not all(map(NAME.fullmatch, names)):
        return False
    try:
        # What is open is closed, and so taken back, whatever happens.
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", WAIT, uri=True, isolation_level=None)) as opened:
            return _filled(opened, run, content)
    except (sqlite3.Error, ValueError, OverflowError):
        return False


def _filled(database: sqlite3.Connection, run: str, content: Content) -> bool:
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("BEGIN IMMEDIATE")
    if database.execute("SELECT version_num FROM alembic_version").fetchall() != [(SCHEMA,)]:
        return False
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
    database.execute("COMMIT")
    return True
