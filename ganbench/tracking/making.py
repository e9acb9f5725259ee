"""Making a new database file at once, as MLflow makes it by its many migrations.

These take most of a second on a core, ten times as long as opening the file. MLflow's own models would be no way
around them: they lack a trigger, indexes and defaults that only the migrations make, and two of their indexes have no
columns. So `schema.sql` holds what SQLite tells of a migrated file, and a test compares the two. Where MLflow would
migrate to another revision, or anything is not as expected, nothing is made: MLflow then does it all.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from ganbench.tracking.filling import SCHEMA
from ganbench.tracking.reaching import troubles

STATEMENTS = Path(__file__).with_name("schema.sql")


def make(database: Path) -> None:
    """Make a database that MLflow need not migrate where there is no file, or leave all to MLflow.

    It appears whole, and never in the place of another: of two processes that make it, the second finds the first's.
    """
    with suppress(sqlite3.Error, *troubles()):  # MLflow makes it, or says why it cannot be made
        if database.exists() or not _is_plain(database) or _head() != SCHEMA:
            return
        database.parent.mkdir(parents=True, exist_ok=True)
        # Made in a folder, not as a temporary file: SQLite gives it the permissions that it would have anyway.
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=f".{database.name}.") as folder:
            made = Path(folder, database.name)
            with closing(sqlite3.connect(made)) as opened:
                opened.executescript(STATEMENTS.read_text(encoding="utf-8"))
            database.hardlink_to(made)


def _is_plain(database: Path) -> bool:
    """Say whether the path is where MLflow puts the file, with nothing beside it that SQLite would put back into it."""
    if database.name == ":memory:" or not {"?", "%"}.isdisjoint(str(database)):  # SQLAlchemy takes these for a URL's
        return False
    return not any(database.with_name(database.name + end).exists() for end in ("-journal", "-wal"))


def _head() -> str:
    """Return the revision that the MLflow of this environment migrates to."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    latest: Callable[[], str] = _get_latest_schema_revision
    return latest()
