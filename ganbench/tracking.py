"""The store's view in MLflow: one experiment per suite, one run per cell. The only module that imports mlflow.

What was sent is marked in STORE/tracking, so that a second sync sends nothing and does not even import mlflow.
A lost mark costs a search by tag, never a second run.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ganbench.sample_picture import sample_picture
from ganbench.sent import Result, pending, places, remember, shown, unsent
from ganbench.store import Store, SuiteRecord

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

__all__ = ["Synced", "Tracker", "TrackingError", "pending"]

T = TypeVar("T")

# MLflow's limits for one log_batch, and for the text of a parameter and of a tag.
METRICS, PARAMETERS, TEXT = 1000, 100, 5000
# A diverged cell is a result and its run is FINISHED; the tag ganbench.outcome tells it from the others.
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
        if not todo:
            return Synced()
        new = 0
        failed: list[str] = []
        with _quiet():
            try:
                client, experiment = self._retried(self._connect)
            except _troubles() as error:
                raise self._error(error, len(todo)) from None
            for done, result in enumerate(todo):
                try:
                    run, created = self._retried(partial(_send, client, experiment, self.store, result))
                except _troubles() as error:
                    try:
                        client.search_experiments(max_results=1)
                    except _troubles():
                        raise self._error(error, len(todo) - done + len(failed)) from None
                    failed.append(f"{result.name} ({result.listed.key}): {self._reason(error)}")
                    continue
                new += created
                remember(self.store, self.suite, self.uri, result, run)
        return Synced(new, failed)

    def _connect(self) -> tuple[MlflowClient, str]:
        from mlflow.tracking import MlflowClient

        uri, artifacts = places(self.store, self.uri)
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(self.suite.name)
        if found is None:
            return client, client.create_experiment(self.suite.name, artifact_location=artifacts)
        if found.lifecycle_stage != "active":
            raise TrackingError(
                f"the experiment {self.suite.name!r} was deleted in MLflow at {shown(uri)}; restore it there "
                "(mlflow experiments restore), or give the suite another name"
            )
        return client, found.experiment_id

    def _retried(self, action: Callable[[], T]) -> T:
        for attempt in range(self.attempts - 1):
            try:
                return action()
            except _troubles():
                time.sleep(self.backoff * 2**attempt)
        return action()

    def _error(self, error: Exception, left: int) -> TrackingError:
        place = f" --tracking-uri {shown(self.uri)}" if self.uri else ""
        return TrackingError(
            f"MLflow at {shown(places(self.store, self.uri)[0])} cannot be used ({self._reason(error)}); "
            f"{left} {'cell is' if left == 1 else 'cells are'} unsent and safe in the store: "
            f"`ganbench track {self.store.root}{place}` sends them later"
        )

    def _reason(self, error: BaseException) -> str:
        """Say what lies at the bottom of an error: MLflow wraps a refused connection five times."""
        while inner := error.__cause__ or error.__context__:
            error = inner
        text = (str(error) or type(error).__name__).splitlines()[0][:300]
        return text.replace(self.uri, shown(self.uri)) if self.uri else text


def _send(client: MlflowClient, experiment: str, store: Store, result: Result) -> tuple[str, bool]:
    """Make the cell's run and say whether it is new; a half-sent or outdated run of the cell is replaced."""
    from mlflow.entities import Param, RunTag

    listed, status = result.listed, result.status
    same_cell = f"tags.`ganbench.key` = '{listed.key}' AND tags.`ganbench.evaluation_key` = '{listed.evaluation_key}'"
    for run in client.search_runs([experiment], same_cell):
        if run.data.tags.get("ganbench.content") == result.content and run.info.status != "RUNNING":
            return run.info.run_id, False
        client.delete_run(run.info.run_id)
    end = _milliseconds(status.provenance.get("finished", ""))
    start = end - round(1000 * status.cohort_seconds)
    metrics, left_out = _metrics(store, result, end)
    tags = {
        "ganbench.key": listed.key,
        "ganbench.evaluation_key": listed.evaluation_key,
        "ganbench.content": result.content,
        "ganbench.outcome": status.outcome,
        "ganbench.protocol_id": result.scores.protocol_id if result.scores else "",
        "ganbench.reason": status.reason[:TEXT],
        "ganbench.points_left_out": str(left_out),
        **{f"ganbench.provenance.{_name(name)}": value[:TEXT] for name, value in status.provenance.items()},
    }
    named = {name: getattr(listed, name) for name in ("objective", "architecture", "dataset", "seed")}
    parameters = [Param(_name(n), str(v)[:TEXT]) for n, v in {**_flat(listed.settings), **named}.items()]
    run_id = client.create_run(experiment, start_time=start, run_name=result.name).info.run_id
    # The tags first: they are how a sync that takes over from a killed one finds this run.
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items() if value])
    for part in _chunks(parameters, PARAMETERS):
        client.log_batch(run_id, params=part)
    for points in _chunks(metrics, METRICS):
        client.log_batch(run_id, metrics=points)
    with tempfile.TemporaryDirectory(prefix="ganbench-") as folder:
        _gather(store, result, Path(folder))
        client.log_artifacts(run_id, folder)
    client.set_terminated(run_id, STATUS.get(status.outcome, "FAILED"), end_time=end)
    return run_id, True


def _metrics(store: Store, result: Result, timestamp: int) -> tuple[list[Metric], int]:
    """Return every finite point, and how many are left out: MLflow gives an infinity back as 1.8e308."""
    from mlflow.entities import Metric

    scores = result.scores
    rows = [*store.trace(result.listed.key), *(scores.rows if scores else ())]
    points = [(name, value, row["step"]) for row in rows for name, value in row.items() if name != "step"]
    if scores and scores.rows:
        last = scores.rows[-1]
        for name, better in scores.better.items():
            known = [value for row in scores.rows if (value := row.get(name)) is not None]
            if known:
                points.append((f"{name}_best", (min if better == "lower" else max)(known), last["step"]))
            if result.status.outcome == "completed":
                points.append((f"{name}_final", last.get(name), last["step"]))
    finite = [
        Metric(_name(name), float(value), timestamp, int(step))
        for name, value, step in points
        if value is not None and math.isfinite(value) and step is not None
    ]
    return finite, len(points) - len(finite)


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
    """List what MLflow raises when a server, a database or a disk is not as it should be."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, OSError


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _name(text: str) -> str:
    """Return a name that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", text, flags=re.ASCII)[:250]


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return round(time.time() * 1000)
