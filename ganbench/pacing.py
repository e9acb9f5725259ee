"""What a run teaches about how long cells take: told to the cache once the run has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from ganbench.planning import Plan
from ganbench.records import Status
from ganbench.suite.cells import Cell
from ganbench.suite.cohorts import Cohort, size_key
from ganbench.suite.expected import READ
from ganbench.suite.paces import Pace, Paces, averaged, kind_key, score_key, updates, updates_key
from ganbench.suite.plan import Planned

ONE_GO = 0.99  # of a cell's training seconds in its last cohort: of one that was taken up again no size is known


def remember(plan: Plan, around: float = 0.0) -> None:
    """Keep the times of a plan's cohorts that ran to their end; a cache that cannot be written costs nothing.

    `around` are the seconds that the run took beside them, where that is known.
    """
    found = replace(observed(plan), around=around)
    if found != Paces():
        with suppress(OSError):
            plan.paces.add(found)


def observed(plan: Plan) -> Paces:
    """Return the paces of a plan's cohorts, each by one cell that has completed its training; reads the store."""
    planned = {entry.planned.cell.key: entry for entry in plan.entries if entry.planned.cell is not None}
    training: dict[str, list[Pace]] = {}
    scoring: dict[str, list[float]] = {}
    starts: dict[str, float] = {}
    for cohort, cell, status in _ended(plan):
        entry, slots = planned[cell.key], max(1, len(plan.devices))
        if cohort.trains and _in_one_go(status):
            step, seconds, size = status.cohort_seconds / status.g_updates, status.cohort_seconds, status.cohort_size
            pace = Pace(size, slots, step, seconds)
            for key in (size_key(entry), kind_key(cell)):
                training.setdefault(key, []).append(pace)
            training.setdefault(updates_key(cell), []).append(Pace(size, slots, step / updates(cell), seconds))
            starts[cell.dataset.label] = status.wait_seconds * status.cohort_size
        if entry.planned.scoring is not None and entry.planned.scoring.wanted:
            _add_score(plan, entry.planned, cell, scoring)
    means = {key: sum(seconds) / len(seconds) for key, seconds in scoring.items() if seconds}
    return Paces({key: averaged(paces) for key, paces in training.items()}, means, starts)


def _ended(plan: Plan) -> Iterator[tuple[Cohort, Cell, Status]]:
    for cohort in plan.cohorts:
        for cell in cohort.cells:
            status = plan.store.status(cell.key)
            if status is not None and status.outcome == "completed" and status.g_updates:
                yield cohort, cell, status
                break


def _in_one_go(status: Status) -> bool:
    return bool(status.cohort_size) and 0 < ONE_GO * status.train_seconds * status.cohort_size <= status.cohort_seconds


def _add_score(plan: Plan, planned: Planned, cell: Cell, scoring: dict[str, list[float]]) -> None:
    assert planned.scoring is not None
    seen = scoring.setdefault(score_key(cell, planned.scoring), [])
    scores = plan.store.scores(cell.key, planned.scoring.key) if len(seen) < READ else None
    if scores is not None and scores.rows:
        seen.append(scores.evaluate_seconds / len(scores.rows))
