"""The store's view in MLflow: one experiment per suite, one run per cell. The only module that imports mlflow.

What was sent is marked in STORE/tracking, so that a second sync sends nothing and does not even import mlflow.
A lost mark costs a search by tag, never a second run.

A run costs MLflow's SQL store some 15 ms and each of its points .1 ms, whatever the number of calls, so a series has
at most 50 of them there; the whole trace is an artifact of the run.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ganbench.records import SuiteRecord
from ganbench.sample_picture import sample_picture
from ganbench.sent import SQLITE, Result, hidden, pending, places, remember, shown, unsent
from ganbench.store import Store
from ganbench.tracked import parameters_of, series, tags_of

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

__all__ = ["Synced", "Tracker", "TrackingError", "pending", "reachable"]

T = TypeVar("T")

# A diverged cell is a result and its run is FINISHED; the tag ganbench.outcome tells it from the others.
EXPERIMENTS = 100  # that are counted
METRICS = 1000  # MLflow's limit for one log_batch
STATUS = {"completed": "FINISHED", "diverged": "FINISHED", "failed": "FAILED", "timed_out": "KILLED"}
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


@dataclass(frozen=True)
class Synced:
    """What a sync did: the number of new runs, and a sentence for each cell that MLflow refused."""

    new: int = 0
    failed: list[str] = field(default_factory=list)


class Tracker:
    """Sends the results of one suite to one MLflow."""

    def __init__(
        self, store: Store, suite: SuiteRecord, uri: str | None, attempts: int = 3, backoff: float = 0.5
    ) -> None:
        """Take a server's or database's `uri`, or None for the database in the store.

        What fails is tried `attempts` times, `backoff` seconds apart at first and twice as long each time.
        """
        self.store, self.suite, self.uri = store, suite, uri
        self.attempts, self.backoff = attempts, backoff

    def sync(self, keys: Iterable[str] | None = None) -> Synced:
        """Send the cells (all, or those of `keys`) that MLflow does not have yet.

        A cell that MLflow refuses is in `failed` and the others go on; raises TrackingError when MLflow as a
        whole cannot be used.
        """
        wanted = None if keys is None else set(keys)
        found = unsent(self.store, self.suite, self.uri)
        todo = [result for result in found if wanted is None or result.listed.key in wanted]
        return self.follow(todo) if todo else Synced()

    def warm_up(self) -> None:
        """Import what MLflow needs, which takes seconds, and write nothing."""
        with _quiet():
            import mlflow.tracking

            if places(self.store, self.uri)[0].startswith(SQLITE):
                import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    def follow(self, results: Iterable[Result]) -> Synced:
        """Open MLflow, then send results one after another as `results` gives them; like `sync` otherwise."""
        new = 0
        failed: list[str] = []
        with _quiet():
            try:
                experiment = self._retried(self._connect)
            except _troubles() as error:
                raise TrackingError(self.told(error)) from error
            for result in results:
                try:
                    run, created = self._retried(partial(_send, experiment, self.store, result))
                except _troubles() as error:
                    try:
                        experiment.client.search_experiments(max_results=1)
                    except _troubles():
                        raise TrackingError(self.told(error)) from error
                    failed.append(f"{result.name} ({result.listed.key}): {self._reason(error)}")
                    continue
                new += created
                remember(self.store, self.suite, self.uri, result, run)
        return Synced(new, failed)

    def told(self, error: BaseException) -> str:
        """Say why MLflow cannot be used, and how many cells are unsent by now."""
        place = f" --tracking-uri {shown(self.uri)}" if self.uri else ""
        left = len(pending(self.store, self.suite, self.uri))
        return (
            f"MLflow at {shown(places(self.store, self.uri)[0])} cannot be used ({self._reason(error)}); "
            f"{left} {'cell is' if left == 1 else 'cells are'} unsent and safe in the store: "
            f"`ganbench track {self.store.root}{place}` sends them later"
        )

    def _connect(self) -> _Experiment:
        from mlflow.tracking import MlflowClient

        uri, artifacts = places(self.store, self.uri)
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(self.suite.name)
        if found is None:
            made = client.create_experiment(self.suite.name, artifact_location=artifacts)
            return _Experiment(client, made, empty=True)
        if found.lifecycle_stage != "active":
            raise TrackingError(
                f"the experiment {self.suite.name!r} was deleted in MLflow at {shown(uri)}; restore it there "
                "(mlflow experiments restore), or give the suite another name"
            )
        return _Experiment(client, found.experiment_id)

    def _retried(self, action: Callable[[], T]) -> T:
        for attempt in range(self.attempts - 1):
            try:
                return action()
            except _troubles():
                time.sleep(self.backoff * 2**attempt)
        return action()

    def _reason(self, error: BaseException) -> str:
        """Say what lies at the bottom of an error: MLflow wraps a refused connection five times."""
        return _reason(error, self.uri)


def reachable(uri: str) -> str:
    """Ask the MLflow at `uri` for its experiments, and return what it said; TrackingError when it cannot be used.

    A database must be there: MLflow would make one.
    """
    with _quiet():
        from mlflow import __version__
        from mlflow.tracking import MlflowClient

        try:
            found = len(MlflowClient(uri).search_experiments(max_results=EXPERIMENTS))
        except _troubles() as error:
            raise TrackingError(f"MLflow at {shown(uri)} cannot be used ({_reason(error, uri)})") from None
    return f"MLflow {__version__} reads it, {found}{' or more' if found == EXPERIMENTS else ''} experiments"


def _reason(error: BaseException, uri: str | None) -> str:
    while inner := error.__cause__ or error.__context__:
        error = inner
    # What is secret goes first: cut off in the middle it would no longer be found.
    return hidden(str(error) or type(error).__name__, uri).splitlines()[0][:300]


@dataclass(frozen=True)
class _Experiment:
    """The suite's experiment in one MLflow; `empty` when it was made just now: it holds no run but of cells `begun`."""

    client: MlflowClient
    number: str
    empty: bool = False
    begun: set[str] = field(default_factory=set)

    def runs_of(self, result: Result) -> Sequence[Run]:
        """Return the runs of a cell under its evaluation, which whoever asks is going to send."""
        if self.empty and result.mark not in self.begun:
            self.begun.add(result.mark)
            return ()
        key, evaluation = result.listed.key, result.listed.evaluation_key
        same_cell = f"tags.`ganbench.key` = '{key}' AND tags.`ganbench.evaluation_key` = '{evaluation}'"
        found: Sequence[Run] = self.client.search_runs([self.number], same_cell)
        return found


def _send(experiment: _Experiment, store: Store, result: Result) -> tuple[str, bool]:
    """Make the cell's run and say whether it is new; a half-sent or outdated run of the cell is replaced."""
    from mlflow.entities import Metric, Param

    client, status = experiment.client, result.status
    for run in experiment.runs_of(result):
        if run.data.tags.get("ganbench.content") == result.content and run.info.status != "RUNNING":
            return run.info.run_id, False
        client.delete_run(run.info.run_id)
    end = _milliseconds(status.provenance.get("finished", ""))
    start = end - round(1000 * status.cohort_seconds)
    points, left_out = series(result, store.trace(result.listed.key))
    metrics = [Metric(name, value, end, step) for name, value, step in dict.fromkeys(points)]
    # A run is born with its tags: they are how a sync that takes over from a killed one finds it.
    tags = {**tags_of(result), "ganbench.points_left_out": str(left_out)}
    info = client.create_run(experiment.number, start_time=start, run_name=result.name, tags=tags).info
    parameters = [Param(name, text) for name, text in parameters_of(result.listed).items()]
    client.log_batch(info.run_id, metrics=metrics[:METRICS], params=parameters)
    for begin in range(METRICS, len(metrics), METRICS):
        client.log_batch(info.run_id, metrics=metrics[begin : begin + METRICS])
    _keep_artifacts(client, info.run_id, info.artifact_uri, partial(_gather, store, result))
    client.set_terminated(info.run_id, STATUS.get(status.outcome, "FAILED"), end_time=end)
    return info.run_id, True


def _keep_artifacts(client: MlflowClient, run_id: str, uri: str, gather: Callable[[Path], None]) -> None:
    """Put the files that `gather` writes into the run: at once where its artifacts are a folder of this machine."""
    if urlsplit(uri).scheme == "file":
        folder = Path(url2pathname(urlsplit(uri).path))
        folder.mkdir(parents=True, exist_ok=True)
        gather(folder)
        return
    with tempfile.TemporaryDirectory(prefix="ganbench-") as temporary:
        gather(Path(temporary))
        client.log_artifacts(run_id, temporary)


def _gather(store: Store, result: Result, folder: Path) -> None:
    cell = store.cell_folder(result.listed.key)
    scores = cell / "scores" / result.listed.evaluation_key / "scores.json"
    for path in (cell / "cell.json", cell / "status.json", cell / "trace.jsonl", scores):
        if path.exists():
            shutil.copyfile(path, folder / path.name)
    samples = store.samples(result.listed.key, result.listed.evaluation_key)
    picture = None if samples is None else sample_picture(samples)
    if picture is not None:
        picture.save(folder / "samples.png")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let MLflow be imported and used without a word to the terminal, and without telemetry."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # MLflow 3.17 uses a loader that SQLAlchemy 2.1 deprecates; nobody can do anything about it here.
        warnings.filterwarnings("ignore", "The ``noload`` loader strategy is deprecated", DeprecationWarning)
        yield


def _troubles() -> tuple[type[Exception], ...]:
    """List what MLflow raises when a server, a database, its driver, a URI or a disk is not as it should be."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, OSError, ImportError, ValueError


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return round(time.time() * 1000)
