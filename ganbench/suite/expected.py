"""How long cells will take: from the times of those that are done, else from the rates of their shape."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ganbench.records import Status
from ganbench.registry import Part
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.packing import makespan
from ganbench.suite.sizing import Rates

if TYPE_CHECKING:
    from ganbench.suite.cohorts import Cohort, Entry

    _Done = tuple[Entry, Cell, Status]

START = 0.2  # seconds of a worker before it trains, where none was timed
READ = 4  # cells of a kind, whose scores are read for their times
# A step of k small networks takes as long as one of (1 + JOINING k) / (1 + JOINING): where nothing else is known.
JOINING = 0.35


class Times:
    """What is known of the times of cells."""

    def __init__(self, entries: Iterable[Entry], shape_of: Callable[[Entry], str], store: Store | None, device: str):
        """Take cells, of which those count that are done, and the store with their scores.

        Times on other kinds of devices than `device` do not count. Cells of one shape may train together.
        """
        self._shape_of, self._store = shape_of, store
        self._done: dict[Hashable, list[_Done]] = {}
        for entry in entries:
            cell, status = entry.planned.cell, entry.status
            if cell is None or status is None or not status.g_updates:
                continue
            if status.provenance.get("device", device) == device:
                self._done.setdefault(_kind(cell), []).append((entry, cell, status))

    def training(self, entry: Entry, size: int, rates: Rates | None) -> float | None:
        """Return seconds per cell-step in a cohort of a size; None where nothing like it was measured."""
        cell = entry.planned.cell
        assert cell is not None
        alike = self._done.get(_kind(cell), [])
        shape = self._shape_of(entry) if alike else ""
        if same := [one for one in alike if self._shape_of(one[0]) == shape]:
            return _nearest(same, size, rates)
        if rates is not None:
            return 1 / rates.at(size)
        return _nearest(alike, size, None) if alike else None

    def scoring(self, cell: Cell, scoring: Scoring) -> float | None:
        """Return seconds that one cell's scores take; None where none like them were timed."""
        if not scoring.wanted:
            return 0.0
        per_score = self._per_score.get(_evaluation(cell, scoring))
        return None if per_score is None else per_score * len(scoring.steps)

    def start(self, cell: Cell) -> float:
        """Return seconds that a worker takes before it trains or scores."""
        return self._starts.get(cell.dataset.label, START)

    @cached_property
    def _starts(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for _, cell, status in itertools.chain.from_iterable(self._done.values()):
            if status.cohort_size:
                found.setdefault(cell.dataset.label, []).append(status.wait_seconds * status.cohort_size)
        return {label: statistics.median(seconds) for label, seconds in found.items()}

    @cached_property
    def _per_score(self) -> dict[Hashable, float]:
        found: dict[Hashable, list[float]] = {}
        for entry, cell, _ in itertools.chain.from_iterable(self._done.values()):
            scoring = entry.planned.scoring
            if self._store is None or scoring is None or not scoring.wanted:
                continue
            seen = found.setdefault(_evaluation(cell, scoring), [])
            scores = self._store.scores(cell.key, scoring.key) if len(seen) < READ else None
            if scores is not None and scores.rows:
                seen.append(scores.evaluate_seconds / len(scores.rows))
        return {kind: statistics.mean(seconds) for kind, seconds in found.items() if seconds}


def expected_seconds(cohorts: Sequence[Cohort], slots: int) -> tuple[float, bool] | None:
    """Return how long the cohorts will take on `slots` workers, and whether that is all or only what is known of them.

    None while nothing like them has been measured.
    """
    known = [cohort.seconds for cohort in cohorts if cohort.seconds is not None]
    if cohorts and not known:
        return None
    whole = len(known) == len(cohorts) and all(cohort.timed for cohort in cohorts)
    return makespan(known, slots), whole


def _kind(cell: Cell) -> Hashable:
    return cell.dataset.label, cell.architecture.label, cell.train.d_steps or 1


def _evaluation(cell: Cell, scoring: Scoring) -> Hashable:
    """Return what decides the time of a score."""

    def named(parts: Iterable[Part]) -> tuple[str, ...]:
        return tuple(part.label for part in parts)

    settings = scoring.settings
    of = settings.samples, settings.reference, settings.between, named(settings.metrics), named(settings.extractors)
    return cell.dataset.label, cell.architecture.label, of


def _nearest(seen: Sequence[_Done], size: int, rates: Rates | None) -> float:
    """Return the mean over the cells whose cohorts were nearest in size."""
    distances = [abs(math.log(max(status.cohort_size, 1) / size)) for _, _, status in seen]
    least = min(distances) + 1e-9
    near = [one for one, distance in zip(seen, distances, strict=True) if distance <= least]
    return statistics.mean(_scaled(cell, status, size, rates) for _, cell, status in near)


def _scaled(cell: Cell, status: Status, size: int, rates: Rates | None) -> float:
    """Return the seconds per step of a cell that is done, as they would be in a cohort of another size."""
    seconds, then = status.train_seconds / status.g_updates, status.cohort_size
    if not then or then == size:
        return seconds
    if rates is not None and len(rates.by_size) > 1:
        return seconds * rates.at(then) / rates.at(size)
    if len(cell.dataset.create().shape) > 1 and status.provenance.get("device") == "cpu":
        return seconds  # convolutions on a CPU gain little from company
    return seconds * (1 / size + JOINING) / (1 / then + JOINING)
