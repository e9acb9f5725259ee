"""MLflow: whether the server answers, or the database can be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ganbench.doctor.finding import Finding, nearest
from ganbench.doctor.store import unwritable
from ganbench.sent import SQLITE, places, shown
from ganbench.store import Store

PATIENCE = 2.0  # seconds for whoever writes a database
LATER = "results are safe in the store meanwhile: `ganbench track` sends them later"


def tracking(store: Store, uri: str | None) -> Iterator[Finding]:
    """Look at the MLflow at `uri` (None: the store's own database); passwords are never said, nothing is written."""
    from ganbench.tracking import TrackingError, reachable

    place = places(store, uri)[0]
    if place.startswith(SQLITE):
        found = database(Path(place.removeprefix(SQLITE)))
        if found.level != "ok" or not Path(place.removeprefix(SQLITE)).exists():
            yield found
            return
    try:
        yield Finding("mlflow", "ok", f"{shown(place)}: {reachable(place)}")
    except TrackingError as error:
        yield Finding("mlflow", "problem", str(error), LATER)


def database(path: Path) -> Finding:
    """Say whether a database file is there, whole, and free to be written."""
    if not path.exists():
        if why := unwritable(nearest(path.parent)):
            return Finding("mlflow", "problem", f"{path} cannot be made: {why}", "name another: --tracking-uri URI")
        return Finding("mlflow", "ok", f"{path} (the first run makes it)")
    try:
        with _opened(path) as connection:
            tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return Finding("mlflow", "note", f"{path} is being written by another process", "try again when it is done")
        return Finding("mlflow", "problem", f"{path} cannot be written: {error}", LATER)
    except sqlite3.DatabaseError as error:
        return Finding(
            "mlflow", "problem", f"{path} is damaged: {error}", "move it away: `ganbench track` makes it anew"
        )
    if tables and "experiments" not in tables:
        return Finding("mlflow", "problem", f"{path} is a database of something else", "name another: --tracking-uri")
    if not tables:
        return Finding("mlflow", "note", f"{path} is empty: the first run fills it")
    return Finding("mlflow", "ok", str(path))


def _opened(path: Path) -> sqlite3.Connection:
    # Without `mode=rw` a file that is gone by now would be made.
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", timeout=PATIENCE, uri=True, isolation_level=None)
