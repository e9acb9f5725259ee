"""From planned cells to cohorts: what the store already has is not run again, the rest is packed by shape."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ganbench import checkpoints, penalties
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.plugins import Remembering
from ganbench.records import Status
from ganbench.store import Store
from ganbench.suite import packing
from ganbench.suite.cells import Cell, Scoring, digest, hashed
from ganbench.suite.expected import Times
from ganbench.suite.paces import Paces
from ganbench.suite.plan import Planned
from ganbench.suite.settings import Train
from ganbench.suite.sizing import Rates, Setting
from ganbench.training.blocks import taken_up_at

State = Literal["done", "to score", "to train", "skipped"]

# These may differ between the cells of a cohort: they are tensors over cells in the training loop.
PER_CELL_SETTINGS = {"g_lr", "d_lr", "betas", "ema"}

# Where nothing was measured: on a CPU small networks gain from company up to so many cells, and most of it by half as
# many; convolutions gain nothing beyond a few.
LARGEST_COHORT = {"points": 32, "images": 8}


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

    `step` is the G step from which they go on with their training. `seconds` is how long they are expected to take,
    None where nothing like them was measured; where they are not `timed`, scores are not counted in it. Where there is
    a `pause`, training pauses soon after the last of its steps, and these alone are scored.
    """

    cells: tuple[Cell, ...]
    scoring: Scoring
    trains: bool
    seconds: float | None = None
    step: int = 0
    timed: bool = False
    pause: Scoring | None = None

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
        return _end(self.cells[0], self.pause) - self.step if self.trains else 0

    @property
    def until(self) -> int | None:
        """Return the G step at which its training pauses, if it does."""
        return _end(self.cells[0], self.pause) if self.pause else None


@dataclass(frozen=True)
class Measured:
    """What was measured before: rates by shape, the times of a store's cells on the kind of `device`, and any paces."""

    rates: Callable[[str], Rates | None] = lambda _: None
    store: Store | None = None
    device: str = "cpu"
    paces: Paces = field(default_factory=Paces)


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
        if row.pause is not None:
            entries.append(_paused(row, row.cell, row.pause, status, store))
            continue
        state = _state(row.cell.key, row.scoring, status, store, retry_failed, fresh)
        goes_on = state == "to train" and not fresh
        step = checkpoints.step_of(store, row.cell.key, row.scoring.steps) if goes_on else 0
        entries.append(Entry(row, state, status, step))
    return entries


def _paused(row: Planned, cell: Cell, pause: Scoring, status: Status | None, store: Store) -> Entry:
    """Say what is left to do of a cell until it pauses: nothing of one that has ended in another way than well."""
    assert row.scoring is not None
    step = checkpoints.step_of(store, cell.key, row.scoring.steps)
    if store.scored(cell.key, pause.key) or (status is not None and status.outcome != "completed"):
        return Entry(row, "done", status, step)
    there = status is not None and set(pause.steps) <= set(status.snapshot_steps)
    return Entry(row, "to score" if there or step >= pause.steps[-1] else "to train", status, step)


def _state(key: str, scoring: Scoring, status: Status | None, store: Store, retry_failed: bool, fresh: bool) -> State:
    if status is None or fresh:
        return "to train"
    if status.outcome in ("failed", "timed_out") and retry_failed:
        return "to train"
    # A cell that was pulled from MLflow has scores and no snapshots: what is new is trained again.
    if status.outcome == "failed" or not scoring.wanted or store.scored(key, scoring.key):
        return "done"
    reached = [step for step in scoring.steps if status.outcome == "completed" or step < status.step]
    if status.outcome != "timed_out" and not set(reached) <= set(status.snapshot_steps):
        return "to train"
    return "to score"


def pack(
    entries: Sequence[Entry], slots: int, cohort: Setting = "auto", measured: Measured | None = None
) -> list[Cohort]:
    """Pack what is left to do into cohorts, the longest first, at least one per slot where there are cells enough.

    `cohort` is how many cells train together at most; `auto` takes what was measured to be best, else a default.
    """
    measured = measured or Measured()
    times = Times(entries, _remembering(size_key), measured.store, measured.device, (measured.paces, slots))
    left = groups(entries)
    rates = [measured.rates(size_key(group[0])) if group[0].state == "to train" else None for group in left]
    wanted = [_group(group, cohort, known, times) for group, known in zip(left, rates, strict=True)]
    found: list[Cohort] = []
    for group, known, sizes in zip(left, rates, packing.split(wanted, slots), strict=True):
        bounds = itertools.pairwise(itertools.accumulate(sizes, initial=0))
        found += [_cohort(group[low:high], known, times) for low, high in bounds]
    timed = all(one.seconds is not None for one in found)
    return sorted(found, key=lambda one: one.seconds if timed and one.seconds is not None else one.work, reverse=True)


def groups(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return what is left to do by what may go together, equal losses side by side."""
    found: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        cell = entry.planned.cell
        if cell is not None and entry.state in ("to train", "to score"):
            found.setdefault(_shape(entry), {}).setdefault(cell.key, entry)
    return [sorted(group.values(), key=_order) for group in found.values()]


def whole(group: Sequence[Entry]) -> Cohort:
    """Return all of a group as if it went together."""
    first = group[0].planned
    assert first.cell is not None
    assert first.scoring is not None
    cells = tuple(entry.planned.cell for entry in group if entry.planned.cell is not None)
    return Cohort(cells, first.scoring, group[0].state == "to train", step=group[0].step, pause=first.pause)


def default_size(cell: Cell) -> int:
    """Return how many cells like this train together at most, where nothing was measured."""
    return LARGEST_COHORT["points" if len(cell.dataset.create().shape) == 1 else "images"]


def size_key(entry: Entry) -> str:
    """Hash what decides how many cells like this best train together: not for how long, nor how they are scored."""
    planned, cell, scoring = entry.planned, entry.planned.cell, entry.planned.scoring
    assert cell is not None
    assert scoring is not None
    alike = replace(cell, train=cell.train.model_copy(update={"g_steps": 1}))
    unscored = Scoring(EvaluationSettings(1, scoring.settings.extractor, ()), ())
    return _shape(Entry(replace(planned, cell=alike, scoring=unscored, pause=None), "to train"))


def _remembering(key_of: Callable[[Entry], str]) -> Callable[[Entry], str]:
    """Ask once for all seeds: their cells share the very objects of the suite."""
    found: dict[Any, str] = {}

    def remembered(entry: Entry) -> str:
        cell = entry.planned.cell
        assert cell is not None
        same = id(cell.objective), id(cell.architecture), id(cell.dataset), cell.train
        if same not in found:
            found[same] = key_of(entry)
        return found[same]

    return remembered


def _shape(entry: Entry) -> str:
    """Hash what all cells of a cohort have in common."""
    cell, scoring = entry.planned.cell, entry.planned.scoring
    assert cell is not None
    assert scoring is not None
    parts = cell.objective.text, cell.architecture.text, cell.dataset.text, cell.fingerprint
    pause = entry.planned.pause.key if entry.planned.pause else ""
    known = (parts, _shared(cell.train), scoring.key, entry.state, entry.step, pause)
    if known not in _shapes:
        _shapes[known] = _hashed_shape(cell, scoring, entry.state, entry.step, pause)
    return _shapes[known]


# A shape is hashed once for all seeds and for all that a cohort may mix, not once per cell.
_shapes: dict[tuple[object, ...], str] = {}
_shared = operator.attrgetter(*(name for name in Train.model_fields if name not in PER_CELL_SETTINGS))


def _hashed_shape(cell: Cell, scoring: Scoring, state: State, step: int, pause: str) -> str:
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
    until = {"pause": pause} if pause else {}
    return digest({**shared, "scoring": scoring.key, "state": state, "step": step, **until})


def _structure(penalty: Mapping[str, Any]) -> dict[str, Any]:
    per_cell = getattr(penalties.registry.get(penalty["name"]), "per_cell", ())
    kept = {name: value for name, value in penalty["parameters"].items() if name not in per_cell}
    return {**penalty, "parameters": kept}


def _end(cell: Cell, pause: Scoring | None) -> int:
    """Return the G step up to which a cell is trained: its last, or the first from its pause on to be taken up at."""
    return cell.train.g_steps if pause is None else min(cell.train.g_steps, taken_up_at(pause.steps[-1]))


def _order(entry: Entry) -> tuple[str, int]:
    """Put equal losses side by side: each is then computed once for all its cells."""
    cell = entry.planned.cell
    assert cell is not None
    return hashed(cell.objective.text), cell.seed


def _group(group: Sequence[Entry], cohort: Setting, rates: Rates | None, times: Times) -> packing.Group:
    cell, scoring = group[0].planned.cell, group[0].planned.scoring
    assert cell is not None
    assert scoring is not None
    if cohort != "auto":
        return packing.Group(len(group), cohort)
    largest = default_size(cell) if rates is None else rates.size(default_size(cell))
    if rates is None or largest > rates.largest:  # there was no time to measure it
        return packing.Group(len(group), largest, batch=cell.train.batch_size)
    pause = group[0].planned.pause
    steps, scores = _end(cell, pause) - group[0].step, times.scoring(cell, pause or scoring) or 0.0
    return packing.Group(len(group), largest, lambda size: times.start(cell) + size * (steps / rates.at(size) + scores))


def _cohort(part: Sequence[Entry], rates: Rates | None, times: Times) -> Cohort:
    cohort = whole(part)
    cell, size = cohort.cells[0], len(part)
    training = times.training(part[0], size, rates) if cohort.trains else 0.0
    scores = times.scoring(cell, cohort.pause or cohort.scoring)
    if training is None or (scores is None and not cohort.trains):
        return cohort
    seconds = times.start(cell) + size * (training * cohort.steps + (scores or 0.0))
    return replace(cohort, seconds=seconds, timed=scores is not None)
