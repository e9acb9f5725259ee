"""How long cells will take: from the times of those that ran, here or in other stores, else from measured rates."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ganbench.records import Status
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.paces import Paces, kind_key, score_key, updates, updates_key
from ganbench.suite.packing import makespan
from ganbench.suite.sizing import Rates

if TYPE_CHECKING:
    from ganbench.suite.cohorts import Cohort, Entry

    _Done = tuple[Entry, Cell, Status]

START = 0.2  # seconds of a worker before it trains, where none was timed
READ = 4  # cells of a kind, whose scores are read for their times
# Each cell more makes the step of a cohort longer by this part of a lone cell's: where nothing else is known. Between
# .05 and .15 for small networks on a CPU (benchmarks/cohorts.py), 1 for convolutions there.
JOINING = 0.1


class Times:
    """What is known of the times of cells."""

    def __init__(
        self,
        entries: Iterable[Entry],
        shape_of: Callable[[Entry], str],
        store: Store | None,
        device: str,
        known: tuple[Paces, int] | None = None,
    ):
        """Take cells, of which those count that are done, and the store with their scores.

        Times on other kinds of devices than `device` do not count. Cells of one shape may train together. `known` are
        the paces of cells that ran in whatever suites on this device, and how many slots share it.
        """
        self._shape_of, self._store, self._device = shape_of, store, device
        self._paces, self._slots = known or (Paces(), 1)
        self._done: dict[Hashable, list[_Done]] = {}
        self._points: dict[str, dict[int, float]] = {}
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
        alone_or_not = len(cell.dataset.create().shape) > 1 and self._device == "cpu"
        joining = 1.0 if alone_or_not else JOINING  # convolutions on a CPU gain little from company
        points = self._ran(self._shape_of(entry), cell)
        if not points and rates is None:
            points = self._ran_alike(cell)
        if not points and rates is None:
            return None
        return _between(points, size, _Course(rates, joining, self._device == "cpu")) / size

    def _ran(self, shape: str, cell: Cell) -> dict[int, float]:
        """Return seconds per step of cohorts of a shape by their size; what this store has counts more."""
        if shape not in self._points:
            alike = self._done.get(_kind(cell), [])
            same = [one for one in alike if self._shape_of(one[0]) == shape]
            self._points[shape] = {**self._paces.steps(shape, self._slots), **_steps(same)}
        return self._points[shape]

    def _ran_alike(self, cell: Cell) -> dict[int, float]:
        """Return the same of cells with other objectives, at worst with other numbers of D steps."""
        key = kind_key(cell)
        if key not in self._points:
            per_update = self._paces.steps(updates_key(cell), self._slots)
            elsewhere = self._paces.steps(key, self._slots)
            here = _steps(self._done.get(_kind(cell), []))
            others = {size: seconds * updates(cell) for size, seconds in per_update.items()}
            self._points[key] = {**elsewhere, **here} or others
        return self._points[key]

    def scoring(self, cell: Cell, scoring: Scoring) -> float | None:
        """Return seconds that one cell's scores take; None where none like them were timed."""
        if not scoring.wanted:
            return 0.0
        key = score_key(cell, scoring)
        per_score = self._per_score.get(key, self._paces.scoring.get(key))
        return None if per_score is None else per_score * len(scoring.steps)

    def start(self, cell: Cell) -> float:
        """Return seconds that a worker takes before it trains or scores."""
        label = cell.dataset.label
        return self._starts.get(label, self._paces.starts.get(label, START))

    @cached_property
    def _starts(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for _, cell, status in itertools.chain.from_iterable(self._done.values()):
            if status.cohort_size:
                found.setdefault(cell.dataset.label, []).append(status.wait_seconds * status.cohort_size)
        return {label: statistics.median(seconds) for label, seconds in found.items()}

    @cached_property
    def _per_score(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for entry, cell, _ in itertools.chain.from_iterable(self._done.values()):
            scoring = entry.planned.scoring
            if self._store is None or scoring is None or not scoring.wanted:
                continue
            seen = found.setdefault(score_key(cell, scoring), [])
            scores = self._store.scores(cell.key, scoring.key) if len(seen) < READ else None
            if scores is not None and scores.rows:
                seen.append(scores.evaluate_seconds / len(scores.rows))
        return {key: statistics.mean(seconds) for key, seconds in found.items() if seconds}


def expected_seconds(cohorts: Sequence[Cohort], slots: int, around: float = 0.0) -> tuple[float, bool] | None:
    """Return how long a run of the cohorts will take on `slots` workers, and whether that is all or what is known.

    `around` are the seconds that it takes beside them. None while nothing like them has been measured.
    """
    known = [cohort.seconds for cohort in cohorts if cohort.seconds is not None]
    if cohorts and not known:
        return None
    whole = len(known) == len(cohorts) and all(cohort.timed for cohort in cohorts)
    return (makespan(known, slots) + around if cohorts else 0.0), whole


def _kind(cell: Cell) -> Hashable:
    return cell.dataset.label, cell.architecture.label, cell.train.d_steps or 1


def _steps(done: Sequence[_Done]) -> dict[int, float]:
    """Return seconds per step of whole cohorts by their size; those that went on to their end say it best."""
    counted = [one for one in done if one[2].outcome == "completed"] or done
    found: dict[int, list[float]] = {}
    for _, _, status in counted:
        size = max(status.cohort_size, 1)
        found.setdefault(size, []).append(size * status.train_seconds / status.g_updates)
    return {size: statistics.mean(seconds) for size, seconds in found.items() if sum(seconds) > 0}


class _Course:
    """How the step of a cohort grows with its size: along measured rates as far as they go, and beyond in a line."""

    def __init__(self, rates: Rates | None, joining: float, on_cpu: bool):
        self._rates = rates if rates is not None and rates.by_size else None
        self._joining, self._on_cpu = joining, on_cpu

    def at(self, size: int) -> float:
        """Return the seconds of a step; in units of a lone cell's where nothing was measured."""
        if self._rates is None:
            return 1 + self._joining * (size - 1)
        last = self._rates.largest
        if size <= last:
            return size / self._rates.at(size)
        return last / self._rates.by_size[last] + self._slope(self._rates) * (size - last)

    def _slope(self, rates: Rates) -> float:
        """Return seconds that each cell more takes: never less than before, nor more than if it trained alone."""
        sizes = sorted(rates.by_size)
        seconds = [size / rates.by_size[size] for size in sizes]
        if len(sizes) == 1:
            slopes = [self._joining * seconds[0] / sizes[0]]
        else:
            # Two sizes that are close say little: no network on a CPU gets its company for nothing.
            slopes = [JOINING / 2 * seconds[0] / sizes[0]] if self._on_cpu else [0.0]
            for before in (0, -2):
                slopes.append((seconds[-1] - seconds[before]) / (sizes[-1] - sizes[before]))
        return min(max(slopes), seconds[-1] / sizes[-1])


def _between(points: Mapping[int, float], size: int, course: _Course) -> float:
    """Return seconds per step of a cohort: in a line between sizes that ran, beyond them along a course."""
    if not points:
        return course.at(size)
    below = max((other for other in points if other <= size), default=0)
    above = min((other for other in points if other >= size), default=0)
    if below and above:
        share = (size - below) / (above - below) if above > below else 0.0
        return (1 - share) * points[below] + share * points[above]
    nearest = below or above
    return points[nearest] * course.at(size) / course.at(nearest)
