"""Sending: one experiment per suite, one run per cell.

What was sent is marked in STORE/tracking, so that a second sync sends nothing and does not even import mlflow.
A lost mark costs a search by tag, never a second run.

A point costs MLflow .1 ms, in however few calls, so a series has at most 50 of them there, and in a database file they
are written past it (`filling`), those of all cells that are finished at the moment together; the whole trace is an
artifact of the run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ganbench.records import SuiteRecord
from ganbench.run_files import Listing, gather
from ganbench.sent import (
    SQLITE,
    Result,
    list_is_sent,
    pending,
    places,
    remember,
    remember_list,
    shown,
    unsent,
)
from ganbench.store import Store
from ganbench.tracked import parameters_of, series, tags_of
from ganbench.tracking import senders
from ganbench.tracking.experiments import Experiment, connect, milliseconds
from ganbench.tracking.filling import Birth, Content, RunAt
from ganbench.tracking.reaching import (
    ATTEMPTS,
    BACKOFF,
    TrackingError,
    folder_of,
    quiet,
    reason,
    retried,
    troubles,
)

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

T = TypeVar("T")

# A diverged cell is a result and its run is FINISHED; the tag ganbench.outcome tells it from the others.
STATUS = {"completed": "FINISHED", "diverged": "FINISHED", "failed": "FAILED", "timed_out": "KILLED"}

TOGETHER = 32  # cells at most
OF_CELLS = "tags.`ganbench.key` != ''"  # an experiment has runs of studies and their trials as well
LEFT = "ganbench was killed while it sent this run, and its store no longer has this cell to send"


@dataclass(frozen=True)
class _Sent:
    """A cell's run as MLflow has it by now, and whether it was made just now."""

    result: Result
    run: RunAt
    new: bool


@dataclass(frozen=True)
class Synced:
    """What a sync did: the number of new runs, and a sentence for each cell that MLflow refused."""

    new: int = 0
    failed: list[str] = field(default_factory=list)


class Tracker:
    """Sends the results of one suite to one MLflow."""

    def __init__(
        self, store: Store, suite: SuiteRecord, uri: str | None, attempts: int = ATTEMPTS, backoff: float = BACKOFF
    ) -> None:
        """Take a server's or database's `uri`, or None for the database in the store.

        What fails is tried `attempts` times, `backoff` seconds apart at first and twice as long each time.
        """
        self.store, self.suite, self.uri = store, suite, uri
        self.attempts, self.backoff = attempts, backoff

    def sync(self, keys: Iterable[str] | None = None) -> Synced:
        """Send the cells (all, or those of `keys`) that MLflow does not have yet, and the suite's list of them.

        A cell that MLflow refuses is in `failed` and the others go on; raises TrackingError when MLflow as a
        whole cannot be used.
        """
        wanted = None if keys is None else set(keys)
        found = unsent(self.store, self.suite, self.uri)
        todo = [result for result in found if wanted is None or result.listed.key in wanted]
        untold = wanted is None and not list_is_sent(self.store, self.suite, self.uri)
        return self.follow(parts(todo)) if todo or untold else Synced()

    def warm_up(self) -> None:
        """Import what MLflow needs, which takes seconds, and write nothing."""
        with quiet():
            import mlflow.tracking

            if places(self.store, self.uri)[0].startswith(SQLITE):
                import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    def follow(self, batches: Iterable[Sequence[Result]]) -> Synced:
        """Open MLflow, then send results as `batches` gives them, some at a time; like `sync` otherwise."""
        new, failed = 0, list[str]()
        last: RunAt | None = None
        with quiet():
            try:
                experiment = self._retried(partial(connect, self.store, self.suite, self.uri))
                self._retried(partial(self._end_what_was_left, experiment))
            except troubles() as error:
                raise TrackingError(self.told(error)) from error
            for batch in batches:
                for sent in self._sent(experiment, batch, failed):
                    last = sent.run
                    new += sent.new
                    remember(self.store, self.suite, self.uri, sent.result, last.run_id)
            try:
                self._retried(partial(self._send_list, experiment, last))
            except troubles() as error:
                raise TrackingError(self.told(error)) from error
        return Synced(new, failed)

    def _sent(self, experiment: Experiment, batch: Sequence[Result], failed: list[str]) -> Iterator[_Sent]:
        """Send results together to a database file, else one after another; say in `failed` which were refused."""
        together = experiment.database is not None and len(batch) > 1
        sent = _unless_in_trouble(partial(_send, experiment, self.store, batch)) if together else None
        if sent is not None:
            yield from sent
            return
        for result in batch:
            try:
                yield from self._retried(partial(_send, experiment, self.store, [result]))
            except troubles() as error:
                try:
                    experiment.client.search_experiments(max_results=1)
                except troubles():
                    raise TrackingError(self.told(error)) from error
                failed.append(f"{result.name} ({result.listed.key}): {reason(error, self.uri)}")

    def told(self, error: BaseException) -> str:
        """Say why MLflow cannot be used, and how many cells are unsent by now."""
        place = f" --tracking-uri {shown(self.uri)}" if self.uri else ""
        left = len(pending(self.store, self.suite, self.uri))
        return (
            f"MLflow at {shown(places(self.store, self.uri)[0])} cannot be used ({reason(error, self.uri)}); "
            f"{left} {'cell is' if left == 1 else 'cells are'} unsent and safe in the store: "
            f"`ganbench track {self.store.root}{place}` sends them later"
        )

    def _end_what_was_left(self, experiment: Experiment) -> None:
        """End the runs that killed syncs of this store left, but those that are replaced as soon as theirs is sent."""
        if experiment.empty:
            return
        mine = f"attributes.status = 'RUNNING' AND tags.`ganbench.store` = '{experiment.listing.store}' AND {OF_CELLS}"
        found = experiment.client.search_runs([experiment.number], mine)
        left = [run for run in found if senders.is_left(run.data.tags)]
        coming = {result.mark for result in unsent(self.store, self.suite, self.uri)} if left else set()
        for run in left:
            tags = run.data.tags
            if f"{tags.get('ganbench.key')}/{tags.get('ganbench.evaluation_key')}" not in coming:
                experiment.client.set_tag(run.info.run_id, "ganbench.reason", LEFT)
                # What is no whole result must not be taken for one, here or by who pulls it.
                experiment.client.delete_tag(run.info.run_id, "ganbench.content")
                experiment.client.set_terminated(run.info.run_id, "KILLED")

    def _send_list(self, experiment: Experiment, run: RunAt | None) -> None:
        """Put the list of all cells, as it is in the store by now, into the run that was sent last."""
        suite = self.store.suite(self.suite.name) or self.suite
        if run is None:
            found = experiment.client.search_runs([experiment.number], OF_CELLS, max_results=1)
            run = RunAt(found[0].info.run_id, found[0].info.artifact_uri) if found else None
        if run is None or list_is_sent(self.store, suite, self.uri):
            return
        name, content = Listing(suite, experiment.listing.store, senders.now()).whole()
        _keep_artifacts(experiment.client, run, lambda folder: (folder / name).write_bytes(content))
        remember_list(self.store, suite, self.uri, run.run_id)

    def _retried(self, action: Callable[[], T]) -> T:
        return retried(action, self.attempts, self.backoff)


def parts(results: Sequence[Result]) -> Iterator[Sequence[Result]]:
    """Give results in parts that are sent together."""
    for at in range(0, len(results), TOGETHER):
        yield results[at : at + TOGETHER]


def _unless_in_trouble(action: Callable[[], T]) -> T | None:
    """Do something; None where MLflow could not: one by one it is found out why."""
    try:
        return action()
    except troubles():
        return None


def _send(experiment: Experiment, store: Store, results: Sequence[Result]) -> list[_Sent]:
    """Make the runs of cells that have none; left out are those that another process is making.

    It may be called again after it failed anywhere: what it finds half sent it sends anew.
    """
    sent, births, waiting = list[_Sent](), list[Birth](), list[tuple[Result, Content]]()
    for result in results:
        found, wanted = _found(experiment, result)
        if found is not None:
            sent.append(_Sent(result, found, new=False))
        elif wanted:
            birth, content = _run_of(experiment, store, result)
            births.append(birth)
            waiting.append((result, content))
    made = experiment.begin(births)
    for (result, _), run in zip(waiting, made, strict=True):
        _keep_artifacts(experiment.client, run, partial(gather, experiment.listing, store, result))
        sent.append(_Sent(result, run, new=True))
    experiment.end({run.run_id: content for (_, content), run in zip(waiting, made, strict=True)})
    return sent


def _found(experiment: Experiment, result: Result) -> tuple[RunAt | None, bool]:
    """Return the cell's run as it should be, or None and whether one is to be made.

    A half-sent or outdated run of the cell is removed; what another process is sending, and what another store has to
    say of the cell, stays.
    """
    for run in experiment.runs_of(result):
        tags, running = run.data.tags, run.info.status == "RUNNING"
        same = tags.get("ganbench.content") == result.content
        if same and not running:
            return RunAt(run.info.run_id, run.info.artifact_uri), False
        if running and not senders.is_mine(tags) and not senders.is_left(tags):
            if same:
                return None, False
        elif running or tags.get("ganbench.store", experiment.listing.store) == experiment.listing.store:
            experiment.client.delete_run(run.info.run_id)
    return None, True


def _run_of(experiment: Experiment, store: Store, result: Result) -> tuple[Birth, Content]:
    """Return what a cell's run is made with, and what it gets when its artifacts are there."""
    status = result.status
    end = milliseconds(status.provenance.get("finished", ""))
    start = end - round(1000 * status.cohort_seconds)
    points, left_out = series(result, store.trace(result.listed.key))
    # A run is born with its tags: they are how a sync that takes over from a killed one finds it.
    of_run = {"ganbench.points_left_out": str(left_out), "ganbench.store": experiment.listing.store}
    tags = {**tags_of(result), **of_run, **senders.signature()}
    # The last point of a series first: MLflow then has its latest value at once, and need not replace it 49 times.
    latest_first = list(reversed(dict.fromkeys(points)))
    ended = STATUS.get(status.outcome, "FAILED")
    return Birth(result.name, start, tags), Content(parameters_of(result.listed), latest_first, ended, end)


def _keep_artifacts(client: MlflowClient, run: RunAt, write: Callable[[Path], object]) -> None:
    """Put the files that `write` makes into the run: at once where its artifacts are a folder of this machine."""
    if folder := folder_of(run.artifact_uri):
        folder.mkdir(parents=True, exist_ok=True)
        write(folder)
        return
    with tempfile.TemporaryDirectory(prefix="ganbench-") as temporary:
        write(Path(temporary))
        client.log_artifacts(run.run_id, temporary)
