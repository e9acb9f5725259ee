"""Sending studies: in the experiment of the reported cells, one run per study and one below it per trial.

A study's run is made once and kept up to date in place, so that a link to it stays good; while anything of the study
is sent it is RUNNING, and names its sender as a cell's run does. A trial never changes. What was sent is marked as
cells are; a lost mark costs a search by tag, never a second run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ganbench.locks import alone
from ganbench.records import SuiteRecord
from ganbench.sent import places, remember_piece, shown, unsent_pieces
from ganbench.store import Store
from ganbench.studies import Piece, Studies, StudyRecord, pieces_of, read_studies
from ganbench.tracked_studies import (
    STUDY,
    TRIAL,
    parameters_of_study,
    parameters_of_trial,
    points_of_study,
    points_of_trial,
    tags_of_study,
    tags_of_trial,
)
from ganbench.tracking import senders
from ganbench.tracking.experiments import Experiment, connect, milliseconds
from ganbench.tracking.filling import Birth, Content
from ganbench.tracking.reaching import ATTEMPTS, BACKOFF, TrackingError, quiet, reason, retried, troubles
from ganbench.tracking.reading import all_of

if TYPE_CHECKING:
    from mlflow.entities import Metric, Param, Run

T = TypeVar("T")
PARENT = "mlflow.parentRunId"
LEFT = "ganbench was killed while it sent this run, and its store no longer has this study to send"


class StudyTracker:
    """Sends what the store has of a suite's studies to one MLflow."""

    def __init__(
        self, store: Store, suite: str, uri: str | None, attempts: int = ATTEMPTS, backoff: float = BACKOFF
    ) -> None:
        """Take the name of the reported suite; the rest is as a `Tracker` takes it."""
        self.store, self.suite, self.uri = store, suite, uri
        self.attempts, self.backoff = attempts, backoff

    def sync(self) -> int:
        """Send what MLflow does not have yet, and return how many runs are new.

        Raises TrackingError where MLflow cannot be used.
        """
        if not self._unsent():
            return 0
        # Processes that share a search come to its end at the same moment.
        with alone(self.store.root / "tracking" / "studies"):
            held = self._unsent()
            return self._sync(held) if held else 0

    def _unsent(self) -> Studies | None:
        """Return what tuning came to, where there is anything of it to send."""
        held = read_studies(self.store, self.suite)
        return held if held and unsent_pieces(self.store, held, self.uri) else None

    def _sync(self, held: Studies) -> int:
        with quiet():
            try:
                experiment = self._retried(partial(connect, self.store, SuiteRecord(self.suite, ()), self.uri))
                self._retried(partial(_end_what_was_left, experiment, held))
                return sum(self._retried(partial(self._send, experiment, held, study)) for study in held.studies)
            except troubles() as error:
                raise TrackingError(self._told(error)) from error

    def _send(self, experiment: Experiment, held: Studies, study: StudyRecord) -> int:
        """Send one study, its own run last: one whose run is as it should be has all its trials there.

        It may be called again after it failed anywhere: what it finds half sent it sends anew.
        """
        unsent = {piece.mark for piece in unsent_pieces(self.store, held, self.uri) if piece.study is study}
        found = _found(experiment, study) if unsent else None
        if found is None or found.elsewhere:
            return 0
        todo = pieces_of(study)
        known = {piece.mark: run.info.run_id for piece in todo if (run := found.same(piece))}
        new = [piece for piece in todo if piece.mark not in known]
        if new:
            parent = _begun(experiment, study, found)
            for piece in new:
                known[piece.mark] = parent if piece.trial is None else _trial_sent(experiment, piece, parent)
            _study_sent(experiment, study, parent)
            known[Piece(study).mark] = parent
        for piece in todo:
            if piece.mark in unsent or piece in new:
                remember_piece(self.store, held, self.uri, piece, known[piece.mark])
        return sum(piece.trial is not None for piece in new) + (found.parent is None)

    def _retried(self, action: Callable[[], T]) -> T:
        return retried(action, self.attempts, self.backoff)

    def _told(self, error: BaseException) -> str:
        place = f" --tracking-uri {shown(self.uri)}" if self.uri else ""
        return (
            f"MLflow at {shown(places(self.store, self.uri)[0])} cannot be used ({reason(error, self.uri)}); the "
            f"studies of {self.suite} are unsent and safe in the store: `ganbench track {self.store.root}{place}` "
            "sends them later"
        )


@dataclass(frozen=True)
class _Found:
    """The runs that MLflow has of a study and its trials."""

    runs: Sequence[Run]

    @property
    def parent(self) -> Run | None:
        """The run of the study as a whole."""
        return next((run for run in self.runs if TRIAL not in run.data.tags), None)

    @property
    def elsewhere(self) -> bool:
        """Whether another process is sending the study right now."""
        parent = self.parent
        if parent is None or parent.info.status != "RUNNING":
            return False
        return not senders.is_mine(parent.data.tags) and not senders.is_left(parent.data.tags)

    def same(self, piece: Piece) -> Run | None:
        """Return the finished run that has what there is to send, below the study's own."""
        parent = self.parent
        for run in self.runs:
            tags = run.data.tags
            below = piece.trial is None or (parent is not None and tags.get(PARENT) == parent.info.run_id)
            number = str(piece.trial.number) if piece.trial else None
            if (
                below
                and tags.get(TRIAL) == number
                and tags.get("ganbench.content") == piece.content
                and run.info.status != "RUNNING"
            ):
                return run
        return None


def _found(experiment: Experiment, study: StudyRecord) -> _Found:
    search = partial(experiment.client.search_runs, [experiment.number], f"tags.`{STUDY}` = '{study.identity}'")
    return _Found(all_of(search))


def _begun(experiment: Experiment, study: StudyRecord, found: _Found) -> str:
    """Return the study's run, made or taken up again, which says that it is being sent; half-sent trials go."""
    client, tags = experiment.client, {**_sender(experiment), **senders.signature()}
    parent = found.parent
    if parent is None:
        start = min((milliseconds(trial.started) for trial in study.trials if trial.started), default=None)
        own = {**tags, STUDY: study.identity}
        number = client.create_run(experiment.number, start_time=start, run_name=study.name, tags=own).info.run_id
    else:
        number = parent.info.run_id
        client.update_run(number, status="RUNNING")
        _log(experiment, number, tags=tags)
    same = {run.info.run_id for trial in study.trials if (run := found.same(Piece(study, trial)))}
    for run in found.runs:
        if TRIAL in run.data.tags and run.info.run_id not in same:
            client.delete_run(run.info.run_id)
    return str(number)


def _trial_sent(experiment: Experiment, piece: Piece, parent: str) -> str:
    study, trial = piece.study, piece.trial
    assert trial is not None
    end = milliseconds(trial.finished)
    start = milliseconds(trial.started) if trial.started else end
    ours = {"ganbench.content": piece.content, PARENT: parent, **_sender(experiment), **senders.signature()}
    tags = {**tags_of_trial(study, trial), **ours}
    name = f"trial {trial.number}"
    (run,) = experiment.begin([Birth(name, start, tags)])
    ended = "FAILED" if trial.state == "failed" else "FINISHED"
    experiment.end({run.run_id: Content(parameters_of_trial(trial), points_of_trial(trial), ended, end)})
    return str(run.run_id)


def _study_sent(experiment: Experiment, study: StudyRecord, number: str) -> None:
    from mlflow.entities import Metric, Param

    end = max((milliseconds(trial.finished) for trial in study.trials if trial.finished), default=milliseconds(""))
    tags = {**tags_of_study(study), "ganbench.content": Piece(study).content}
    metrics = [Metric(name, value, end, step) for name, value, step in points_of_study(study)]
    parameters = [Param(name, text) for name, text in parameters_of_study(study).items()]
    _log(experiment, number, tags, metrics, parameters)
    experiment.client.set_terminated(number, "FINISHED", end_time=end)


def _log(
    experiment: Experiment,
    number: str,
    tags: Mapping[str, str],
    metrics: Sequence[Metric] = (),
    params: Sequence[Param] = (),
) -> None:
    from mlflow.entities import RunTag

    told = [RunTag(name, text) for name, text in tags.items()]
    experiment.client.log_batch(number, metrics=metrics, params=params, tags=told)


def _sender(experiment: Experiment) -> dict[str, str]:
    return {"ganbench.store": experiment.listing.store}


def _end_what_was_left(experiment: Experiment, held: Studies) -> None:
    """End the runs of studies that this store no longer has, which a killed process left; others are gone on with."""
    if experiment.empty:
        return
    mine = f"attributes.status = 'RUNNING' AND tags.`ganbench.store` = '{experiment.listing.store}'"
    coming = {study.identity for study in held.studies}
    for run in experiment.client.search_runs([experiment.number], f"{mine} AND tags.`{STUDY}` != ''"):
        if run.data.tags[STUDY] not in coming and senders.is_left(run.data.tags):
            experiment.client.set_tag(run.info.run_id, "ganbench.reason", LEFT)
            experiment.client.set_terminated(run.info.run_id, "KILLED")
