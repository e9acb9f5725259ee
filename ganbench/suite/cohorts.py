"""From planned cells to cohorts: what the store already has is not run again, the rest is packed by shape."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ganbench import checkpoints, penalties
from ganbench.plugins import Remembering
from ganbench.records import Status
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring, digest, hashed
from ganbench.suite.plan import Planned
from ganbench.suite.settings import Train

State = Literal["done", "to score", "to train", "skipped"]

# These may differ between the cells of a cohort: they are tensors over cells in the training loop.
PER_CELL_SETTINGS = {"g_lr", "d_lr", "betas", "ema"}

# On a CPU small networks gain from company up to about this many cells, and most of it by half as many; convolutions
# gain nothing beyond a few.
LARGEST_COHORT = {"points": 32, "images": 8}
ENOUGH = 16


@dataclass(frozen=True)
class Entry:
    """A planned cell with its state in the store; `step` is where its training can be gone on with."""

    planned: Planned
    state: State
    status: Status | None = None
    step: int = 0


@dataclass(frozen=True)
class Cohort:
    """Cells of equal shape that train, or are scored, together: the unit of scheduling.

    `step` is the G step from which they go on with their training.
    """

    cells: tuple[Cell, ...]
    scoring: Scoring
    trains: bool
    seconds: float | None = None
    step: int = 0

    @property
    def name(self) -> str:
        """Say what the cohort is, for progress lines."""
        first = self.cells[0]
        return f"{first.dataset.name} x {first.architecture.name} ({len(self.cells)} cells)"

    @property
    def work(self) -> float:
        """Guess the work in arbitrary units, to start the largest first and to say how far a run is.

        Updates of both players times samples; the size of a sample counts by its root, since small networks cost
        their launches more than their pixels.
        """
        cell = self.cells[0]
        size: int = math.prod(cell.dataset.create().shape)
        updates = max(self.steps, 1) * ((cell.train.d_steps or 1) + 1) * len(self.cells)
        return updates * cell.train.batch_size * math.sqrt(size)

    @property
    def steps(self) -> int:
        """Return the G steps that are left of its training."""
        return self.cells[0].train.g_steps - self.step if self.trains else 0


def look_up(planned: Iterable[Planned], store: Store, retry_failed: bool = False, fresh: bool = False) -> list[Entry]:
    """Say of each planned cell what is left to do, given what the store holds."""
    stored = store.keys()
    entries = []
    for row in planned:
        if row.cell is None or row.scoring is None:
            entries.append(Entry(row, "skipped"))
            continue
        if row.cell.key not in stored:
            entries.append(Entry(row, "to train"))
            continue
        status = store.status(row.cell.key)
        state = _state(row.cell.key, row.scoring, status, store, retry_failed, fresh)
        goes_on = state == "to train" and not fresh
        step = checkpoints.step_of(store, row.cell.key, row.scoring.steps) if goes_on else 0
        entries.append(Entry(row, state, status, step))
    return entries


def _state(key: str, scoring: Scoring, status: Status | None, store: Store, retry_failed: bool, fresh: bool) -> State:
    if status is None or fresh:
        return "to train"
    if status.outcome in ("failed", "timed_out") and retry_failed:
        return "to train"
    if status.outcome == "failed":
        return "done"
    reached = [step for step in scoring.steps if status.outcome == "completed" or step < status.step]
    if status.outcome != "timed_out" and not set(reached) <= set(status.snapshot_steps):
        return "to train"
    return "to score" if scoring.wanted and not store.scored(key, scoring.key) else "done"


def pack(entries: Sequence[Entry], slots: int) -> list[Cohort]:
    """Pack what is left to do into cohorts, the longest first, at least one per slot where there are cells enough."""
    groups: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        cell = entry.planned.cell
        if cell is not None and entry.state in ("to train", "to score"):
            groups.setdefault(_shape(entry), {}).setdefault(cell.key, entry)
    pace = _pace(entries)
    parts = [part for group in groups.values() for part in _split(sorted(group.values(), key=_order))]
    # A cohort is halved for an idle slot while both halves keep company, and a large one so that a slot has two: what
    # the first has finished is stored and tracked while the second trains.
    for wanted, smallest in ((slots, 2), (2 * slots, ENOUGH)):
        while parts and len(parts) < wanted and len(largest := max(parts, key=len)) >= 2 * smallest:
            parts.remove(largest)
            parts += [largest[: len(largest) // 2], largest[len(largest) // 2 :]]
    return sorted((_cohort(part, pace) for part in parts), key=lambda cohort: cohort.work, reverse=True)


def expected_seconds(cohorts: Sequence[Cohort], slots: int) -> float | None:
    """Return how long the cohorts will take on `slots` workers; None while nothing like them has been measured."""
    known = [cohort.seconds for cohort in cohorts if cohort.seconds is not None]
    if not cohorts or len(known) < len(cohorts):
        return 0.0 if not cohorts else None
    return max(sum(known) / slots, max(known))


def _shape(entry: Entry) -> str:
    """Hash what all cells of a cohort have in common."""
    cell, scoring = entry.planned.cell, entry.planned.scoring
    assert cell is not None
    assert scoring is not None
    parts = cell.objective.text, cell.architecture.text, cell.dataset.text, cell.fingerprint
    known = (parts, _shared(cell.train), scoring.key, entry.state, entry.step)
    if known not in _shapes:
        _shapes[known] = _hashed_shape(cell, scoring, entry.state, entry.step)
    return _shapes[known]


# A shape is hashed once for all seeds and for all that a cohort may mix, not once per cell.
_shapes: dict[tuple[object, ...], str] = {}
_shared = operator.attrgetter(*(name for name in Train.model_fields if name not in PER_CELL_SETTINGS))


def _hashed_shape(cell: Cell, scoring: Scoring, state: State, step: int) -> str:
    described = cell.as_json()
    train = {name: value for name, value in described["train"].items() if name not in PER_CELL_SETTINGS}
    objective, loss = described["objective"], cell.objective.loss.create()
    shared = {
        "architecture": described["architecture"],
        "dataset": described["dataset"],
        "train": train,
        "critic": [getattr(loss, name, None) for name in ("critic", "features", "error")],
        # One loss that reads real samples in G's step would have all cells' views draw noise for them.
        "needs_real": getattr(loss, "needs_real", True),
        "remembers": cell.objective.loss.name if isinstance(loss, Remembering) else "",
        "penalties": [_structure(part) for part in objective["penalties"]],
        "techniques": objective.get("techniques", []),
    }
    return digest({**shared, "scoring": scoring.key, "state": state, "step": step})


def _structure(penalty: Mapping[str, Any]) -> dict[str, Any]:
    per_cell = getattr(penalties.registry.get(penalty["name"]), "per_cell", ())
    kept = {name: value for name, value in penalty["parameters"].items() if name not in per_cell}
    return {**penalty, "parameters": kept}


def _order(entry: Entry) -> tuple[str, int]:
    """Put equal losses side by side: each is then computed once for all its cells."""
    cell = entry.planned.cell
    assert cell is not None
    return hashed(cell.objective.text), cell.seed


def _split(group: Sequence[Entry]) -> list[Sequence[Entry]]:
    cell = group[0].planned.cell
    assert cell is not None
    largest = LARGEST_COHORT["points" if len(cell.dataset.create().shape) == 1 else "images"]
    parts = math.ceil(len(group) / largest)
    bounds = [round(position * len(group) / parts) for position in range(parts + 1)]
    return [group[low:high] for low, high in itertools.pairwise(bounds)]


def _cohort(entries: Sequence[Entry], pace: Mapping[tuple[str, str, int], float]) -> Cohort:
    first = entries[0].planned
    assert first.cell is not None
    assert first.scoring is not None
    cells = tuple(entry.planned.cell for entry in entries if entry.planned.cell is not None)
    trains = entries[0].state == "to train"
    per_step = pace.get(_pace_key(first.cell)) if trains else None
    step = entries[0].step
    seconds = None if per_step is None else per_step * (first.cell.train.g_steps - step) * len(cells)
    return Cohort(cells, first.scoring, trains, seconds, step)


def _pace(entries: Iterable[Entry]) -> dict[tuple[str, str, int], float]:
    """Return measured seconds per G step and cell, by what decides them most."""
    seen: dict[tuple[str, str, int], list[float]] = {}
    for entry in entries:
        cell, status = entry.planned.cell, entry.status
        if cell is not None and status is not None and status.g_updates:
            seen.setdefault(_pace_key(cell), []).append(status.train_seconds / status.g_updates)
    return {key: sum(values) / len(values) for key, values in seen.items()}


def _pace_key(cell: Cell) -> tuple[str, str, int]:
    return cell.dataset.name, cell.architecture.label, cell.train.d_steps or 1
