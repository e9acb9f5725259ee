"""The experiment of a suite in one MLflow: opened or made, and asked for runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.records import SuiteRecord
from ganbench.run_files import Listing
from ganbench.sent import SQLITE, Result, identity, places, shown
from ganbench.store import Store
from ganbench.tracking import filling, senders
from ganbench.tracking.filling import Birth, Content, RunAt
from ganbench.tracking.making import make
from ganbench.tracking.reaching import TrackingError

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

METRICS = 1000  # MLflow's limit for one log_batch


def connect(store: Store, suite: SuiteRecord, uri: str | None) -> Experiment:
    """Open the experiment of a suite, or make it; TrackingError where it was deleted."""
    from mlflow.tracking import MlflowClient

    at, artifacts = places(store, uri)
    database = Path(at.removeprefix(SQLITE)).resolve() if at.startswith(SQLITE) else None
    if database is not None:
        make(database)
    client, listing = MlflowClient(at), Listing(suite, identity(store), senders.now())
    found = client.get_experiment_by_name(suite.name)
    if found is None:
        made = client.create_experiment(suite.name, artifact_location=artifacts)
        return Experiment(client, made, listing, database, empty=True)
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment {suite.name!r} was deleted in MLflow at {shown(at)}; restore it there "
            "(mlflow experiments restore), or give the suite another name"
        )
    return Experiment(client, found.experiment_id, listing, database)


@dataclass(frozen=True)
class Experiment:
    """The suite's experiment in one MLflow, which may be a `database` file.

    It is `empty` when it was made just now: it holds no run but of cells `begun`.
    """

    client: MlflowClient
    number: str
    listing: Listing
    database: Path | None = None
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

    def begin(self, births: Sequence[Birth]) -> list[RunAt]:
        """Make runs: in a database file together, or each by itself."""
        if self.database is not None and (made := filling.begin(self.database, self.number, births)):
            return made
        if len(births) > 1:
            return [run for birth in births for run in self.begin([birth])]
        return [self._begun(birth) for birth in births]

    def end(self, contents: Mapping[str, Content]) -> None:
        """Give new runs, by their numbers, all that they have beside their tags, and end them; as `begin` does."""
        if self.database is not None and filling.fill(self.database, contents):
            return
        for run, content in contents.items():
            if len(contents) > 1:
                self.end({run: content})
            else:
                self._ended(run, content)

    def _begun(self, birth: Birth) -> RunAt:
        tags = dict(birth.tags)
        info = self.client.create_run(self.number, start_time=birth.start, run_name=birth.name, tags=tags).info
        return RunAt(info.run_id, info.artifact_uri)

    def _ended(self, run: str, content: Content) -> None:
        from mlflow.entities import Metric, Param

        metrics = [Metric(name, value, content.end, step) for name, value, step in content.points]
        parameters = [Param(name, text) for name, text in content.parameters.items()]
        self.client.log_batch(run, metrics=metrics[:METRICS], params=parameters)
        for begin in range(METRICS, len(metrics), METRICS):
            self.client.log_batch(run, metrics=metrics[begin : begin + METRICS])
        self.client.set_terminated(run, content.status, end_time=content.end)


def milliseconds(moment: str) -> int:
    """Return a moment as MLflow counts time; now where there is none."""
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except ValueError:
        return round(time.time() * 1000)
