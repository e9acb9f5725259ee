"""Reading what is tracked: the experiments of one MLflow, their runs, and the files of a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ganbench.run_files import is_wanted
from ganbench.sent import ARTIFACTS, SQLITE, shown
from ganbench.tracking.reaching import TrackingError, folder_of, quiet, reason, retried, troubles

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

T = TypeVar("T")


@dataclass(frozen=True)
class TrackedRun:
    """A run as MLflow tells of it; `artifacts` is where its files are."""

    number: str
    tags: Mapping[str, str]
    running: bool
    artifacts: str


@contextmanager
def reading(uri: str) -> Iterator[Reader]:
    """Read one MLflow, a server or a database, inside the block."""
    with quiet():
        yield Reader(uri)


class Reader:
    """Asks one MLflow, and writes nothing there; to be had from `reading`."""

    def __init__(self, uri: str) -> None:
        """Name it; it is reached by the first question."""
        self._uri = uri

    def experiments(self) -> list[str]:
        """List the experiments by name; TrackingError where they cannot be read, here and below."""
        return [found.name for found in self._asked(lambda client: all_of(client.search_experiments))]

    def runs(self, experiment: str) -> list[TrackedRun]:
        """List the runs of an experiment, the oldest first."""

        def ask(client: MlflowClient) -> list[Run]:
            found = client.get_experiment_by_name(experiment)
            assert found is not None
            return all_of(partial(client.search_runs, [found.experiment_id], order_by=["attributes.start_time"]))

        return [
            TrackedRun(run.info.run_id, run.data.tags, run.info.status == "RUNNING", run.info.artifact_uri)
            for run in self._asked(ask)
        ]

    def fetch(self, run: TrackedRun, folder: Path) -> None:
        """Copy the files of a run that a store can be made from into a folder."""
        if here := folder_of(run.artifacts):
            here = here if here.is_dir() else self._beside_the_database(run.number, here)
            for path in here.iterdir():
                if is_wanted(path.name):
                    shutil.copyfile(path, folder / path.name)
            return

        def ask(client: MlflowClient) -> None:
            for entry in client.list_artifacts(run.number):
                if is_wanted(entry.path) and not entry.is_dir:
                    client.download_artifacts(run.number, entry.path, str(folder))

        self._asked(ask)

    def _beside_the_database(self, number: str, absent: Path) -> Path:
        """Find the artifacts of a database that was moved with them."""
        if self._uri.startswith(SQLITE) and number.isalnum():
            found = Path(self._uri.removeprefix(SQLITE)).parent / ARTIFACTS / number / "artifacts"
            if found.is_dir():
                return found
        raise TrackingError(f"its files are in {absent}, which is not on this machine")

    def _asked(self, question: Callable[[MlflowClient], T]) -> T:
        from mlflow.tracking import MlflowClient

        try:
            return retried(lambda: question(MlflowClient(self._uri)))
        except troubles() as error:
            raise TrackingError(f"MLflow at {shown(self._uri)} cannot be read ({reason(error, self._uri)})") from error


def all_of(page: Callable[..., Any]) -> list[Any]:
    """Turn every page of a search."""
    found = page(max_results=1000)
    entries = list(found)
    while found.token:
        found = page(max_results=1000, page_token=found.token)
        entries += found
    return entries
