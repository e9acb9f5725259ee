"""What tuning came to, made into the plain record that stays in the store: see ganbench.studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ganbench.stats import Interval
from ganbench.store import Store
from ganbench.studies import MeasuredRecord, State, Studies, StudyRecord, TrialRecord, read_studies, write_studies
from ganbench.suite.cells import digest
from ganbench.suite.plan import Planned
from ganbench.suite.tune import Tune
from ganbench.tuning.choosing import Tried
from ganbench.tuning.confirming import Finding, Measured, fresh_seeds
from ganbench.tuning.subjects import Subject

ERRORS = ("failed", "timed out")


def record_search(store: Store, suite: str, tune: Tune, found: Sequence[tuple[Subject, Sequence[Tried], str]]) -> None:
    """Write the trials of all subjects, each with when its study begun.

    What the settings scored on the fresh seeds stays where the trials are those of the last time, and so do subjects
    that were not searched this time.
    """
    before = read_studies(store, suite)
    known = {study.name: study for study in before.studies} if before else {}
    studies: list[StudyRecord] = []
    for subject, tried, begun in found:
        study = _study(store, tune, subject, begun, tried)
        last = known.pop(study.name, None)
        same = last is not None and (last.identity, last.trials) == (study.identity, study.trials)
        studies.append(replace(study, measured=last.measured) if last and same else study)
    write_studies(store, Studies(suite, (*studies, *known.values())))


def record_findings(store: Store, suite: str, tune: Tune, findings: Sequence[Finding]) -> None:
    """Add what was measured on the fresh seeds to what `record_search` wrote."""
    held = read_studies(store, suite)
    assert held is not None
    found: dict[str, dict[str, MeasuredRecord]] = {
        each.subject.name: {name: _measured(tune, each.subject, one) for name, one in each.measured.items()}
        for each in findings
    }
    studies = [replace(study, measured=found.get(study.name, study.measured)) for study in held.studies]
    write_studies(store, Studies(suite, tuple(studies)))


def _study(store: Store, tune: Tune, subject: Subject, begun: str, tried: Sequence[Tried]) -> StudyRecord:
    settings = tune.settings
    return StudyRecord(
        subject.name,
        digest({"study": subject.identity(tune), "begun": begun}),
        {aim.name: aim.better for aim in subject.aims},
        {
            "trials": settings.trials,
            "seeds_per_trial": settings.seeds_per_trial,
            "sampler": settings.sampler,
            "seed": settings.seed,
            **({"prune": json.dumps(tune.prune.as_json())} if tune.prune else {}),
        },
        {each.name: {each.kind: each.ends} for each in subject.ranges},
        tuple(_trial(store, subject, each, range(settings.seeds_per_trial)) for each in tried),
    )


def _trial(store: Store, subject: Subject, tried: Tried, seeds: Sequence[int]) -> TrialRecord:
    cells = _keys(subject.rows(tried.settings, seeds))
    started, finished = _times(store, cells)
    scores = {aim.name: each for aim, each in zip(subject.aims, (tried.scores, *tried.further), strict=False)}
    return TrialRecord(
        tried.number, _state(tried), tried.settings, scores, tried.lost, cells, tried.ended, started, finished
    )


def _state(tried: Tried) -> State:
    if tried.feasible:
        return "complete"
    if tried.pruned is not None:
        return "pruned"
    return "failed" if any(why in ERRORS for why in tried.lost) else "infeasible"


def _measured(tune: Tune, subject: Subject, found: Measured) -> MeasuredRecord:
    cells = _keys(subject.rows(found.settings, fresh_seeds(tune)))
    means = {aim.name: _told(mean) for aim, mean in zip(subject.aims, found.means, strict=True)}
    return MeasuredRecord(found.settings, means, found.lost, cells)


def _told(mean: Interval) -> dict[str, float]:
    value = {"value": mean.value} if mean.n else {}
    ends = {"low": mean.low, "high": mean.high} if mean.offered else {}
    return {**value, **ends, "n": float(mean.n)}


def _keys(rows: Sequence[Planned]) -> tuple[str, ...]:
    return tuple(row.cell.key for row in rows if row.cell is not None)


def _times(store: Store, cells: Sequence[str]) -> tuple[str, str]:
    """Return when the first of these cells began to train and the last was finished; empty where that is not known."""
    begun, ended = [], []
    for key in cells:
        status = store.status(key)
        try:
            end = datetime.fromisoformat(status.provenance["finished"]) if status else None
        except (KeyError, ValueError):
            end = None
        if status and end:
            ended.append(end)
            begun.append(end - timedelta(seconds=status.cohort_seconds))
    return (min(begun).isoformat(), max(ended).isoformat()) if ended else ("", "")
