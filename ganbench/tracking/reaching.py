"""Reaching MLflow: without a word to the terminal, more than once, and saying what went wrong."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ganbench.sent import hidden, shown

T = TypeVar("T")
EXPERIMENTS = 100  # that are counted
ATTEMPTS, BACKOFF = 3, 0.5  # seconds, twice as long each time
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # Its own retries would keep a run waiting for minutes: 7 of them at 120 s each.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class TrackingError(Exception):
    """MLflow could not be reached or refused the suite; the message says what is unsent and how to send it."""


@contextmanager
def quiet() -> Iterator[None]:
    """Let MLflow be imported and used without a word to the terminal, and without telemetry."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # MLflow 3.17 uses a loader that SQLAlchemy 2.1 deprecates; nobody can do anything about it here.
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy is deprecated", DeprecationWarning)
        yield


def troubles() -> tuple[type[Exception], ...]:
    """List what MLflow raises when a server, a database, its driver, a URI or a disk is not as it should be."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, OSError, ImportError, ValueError


def retried(action: Callable[[], T], attempts: int = ATTEMPTS, backoff: float = BACKOFF) -> T:
    """Try again what MLflow could not do, `backoff` seconds later and then twice as long each time."""
    for attempt in range(attempts - 1):
        try:
            return action()
        except troubles():
            time.sleep(backoff * 2**attempt)
    return action()


def reason(error: BaseException, uri: str | None) -> str:
    """Say what lies at the bottom of an error: MLflow wraps a refused connection five times."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    # What is secret goes first: cut off in the middle it would no longer be found.
    return hidden(str(error) or type(error).__name__, uri).splitlines()[0][:300]


def reachable(uri: str) -> str:
    """Ask the MLflow at `uri` for its experiments, and return what it said; TrackingError when it cannot be used.

    A database must be there: MLflow would make one.
    """
    with quiet():
        from mlflow import __version__
        from mlflow.tracking import MlflowClient

        try:
            found = len(MlflowClient(uri).search_experiments(max_results=EXPERIMENTS))
        except troubles() as error:
            raise TrackingError(f"MLflow at {shown(uri)} cannot be used ({reason(error, uri)})") from None
    return f"MLflow {__version__} reads it, {found}{' or more' if found == EXPERIMENTS else ''} experiments"


def folder_of(artifacts: str) -> Path | None:
    """Return the folder that a run's artifacts are, or None where they are elsewhere."""
    parts = urlsplit(artifacts)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None
