"""A suite's results as tables of numbers: one row per cell, per scored step and per trace record.

Everything that the report shows is derived from this frame; nothing here decides what is better than what.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting import contenders, stability
from ganbench.stats import Better
from ganbench.store import Store, StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray

IDENTITY = ("key", "objective", "architecture", "dataset", "seed", "outcome", "reason")
LABELS = ("contender", "protocol_id")
STABILITY = ("best_over_final", "best_step", "oscillation", "vanished_gradient_share", "equilibrium_distance")
ENERGY = "energy_joules"  # a column only where it is known of a cell
COSTS = (
    *("d_updates", "g_updates", "images_seen", "parameters"),
    *(ENERGY, "train_seconds", "evaluate_seconds", "wait_seconds"),
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """What a suite's last run left in the store.

    `cells` has the columns of cells.csv, one row per listed cell; `curves` (scores) and `traces` have a
    column `cell` that points at its index. `statuses` and `scores` are those of each cell, by the same index.
    `better` says for every value whether lower or higher is better, `protocols` what stands behind each id, `ceilings`
    what held-out real samples score under it.
    """

    store: Store
    suite: SuiteRecord
    cells: pd.DataFrame
    curves: pd.DataFrame
    traces: pd.DataFrame
    statuses: Mapping[int, Status]
    scores: Mapping[int, Scores]
    better: Mapping[str, str]
    protocols: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ceilings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def direction(self, value: str) -> Better:
        """Return whether lower or higher is better of a value; lower where it is not known."""
        return "higher" if self.better.get(value) == "higher" else "lower"

    @property
    def values(self) -> list[str]:
        """Names of all values scored, the headline of each dataset first."""
        headlines = [str(entry.get("headline") or "") for entry in self.suite.datasets.values()]
        return contenders.in_order(self.better, headlines)

    @property
    def objectives(self) -> list[str]:
        """Objectives in the order of the suite: the order and the colour that they keep everywhere."""
        return contenders.in_order(self.cells["objective"], self.suite.objectives)

    @property
    def datasets(self) -> list[str]:
        """Datasets in the order of the suite."""
        return contenders.in_order(self.cells["dataset"], self.suite.datasets)

    def title(self, dataset: str, value: str) -> str:
        """Return the human title of a value on a dataset."""
        titles = self.suite.datasets.get(dataset, {}).get("titles") or {}
        found = str(titles.get(value) or value.replace("_", " "))
        return found[:1].upper() + found[1:]


def load(store: Store, suite: str | None = None, with_traces: bool = True) -> Frame:
    """Read a suite's results (the latest suite's where none is named).

    Without traces it reads less, and what the cells' columns have from them is NaN.

    Raises StoreError when the store has no such suite, or holds a file that cannot be read.
    """
    name = suite or next(iter(store.suites()), None)
    record = store.suite(name) if name else None
    if record is None:
        known = ", ".join(store.suites()) or "none"
        raise StoreError(f"{store.root} holds no results of suite {name or 'any'} (it has: {known})")
    statuses, scores = _read(store, record.listed)
    better = {value: way for found in scores.values() for value, way in found.better.items()}
    labels = contenders.names(record.listed)
    rows: list[Row] = []
    curves, traces = _Numbers("step", *better), _Numbers("step", "d_loss")
    for place, listed in enumerate(record.listed):
        trace = store.trace(listed.key) if with_traces and place in statuses else []
        found = scores.get(place)
        rows.append(_cell(record, listed, labels[place], statuses.get(place), found, trace))
        curves.add(place, found.rows if found else ())
        traces.add(place, trace)
    return Frame(
        store,
        record,
        cells=_ordered(pd.DataFrame(rows), record, better),
        curves=curves.table(),
        traces=traces.table(),
        statuses=statuses,
        scores=scores,
        better=better,
        protocols={found.protocol_id: found.protocol for found in scores.values()},
        ceilings={found.protocol_id: found.ceiling for found in scores.values()},
    )


def _read(store: Store, listed: Sequence[Listed]) -> tuple[dict[int, Status], dict[int, Scores]]:
    statuses: dict[int, Status] = {}
    scores: dict[int, Scores] = {}
    for place, row in enumerate(listed):
        if row.skipped or (status := store.status(row.key)) is None:
            continue
        statuses[place] = status
        if (found := store.scores(row.key, row.evaluation_key)) is not None:
            scores[place] = found
    return statuses, scores


def _cell(
    record: SuiteRecord,
    listed: Listed,
    contender: str,
    status: Status | None,
    scores: Scores | None,
    trace: Sequence[Mapping[str, float | None]],
) -> Row:
    outcome = "skipped" if listed.skipped else status.outcome if status else "missing"
    row: Row = {name: getattr(listed, name) for name in IDENTITY[:5]}
    row |= {"outcome": outcome, "reason": listed.skipped or (status.reason if status else "")}
    row |= {_setting(name): contenders.plain(value) for name, value in listed.settings.items()}
    row |= {"contender": contender, "protocol_id": scores.protocol_id if scores else ""}
    headline = str(record.datasets.get(listed.dataset, {}).get("headline") or "")
    done = outcome == "completed"
    if scores:
        row |= _scored(scores, done, headline)
    equilibrium = record.objectives.get(listed.objective, {}).get("equilibrium")
    row["vanished_gradient_share"] = stability.vanished_gradient_share(trace)
    row["equilibrium_distance"] = stability.equilibrium_distance(trace, equilibrium) if done else math.nan
    if status:
        row |= {name: getattr(status, name) for name in COSTS if hasattr(status, name)}
        row["parameters"] = status.d_parameters + status.g_parameters
        row["evaluate_seconds"] = scores.evaluate_seconds if scores else math.nan
    return row


def _scored(scores: Scores, done: bool, headline: str) -> Row:
    """Final scores belong to cells that completed; the best one may come from a cell that diverged later."""
    row: Row = {}
    for value, better in scores.better.items():
        known = [(score, entry["step"]) for entry in scores.rows if (score := entry.get(value)) is not None]
        last = scores.rows[-1].get(value) if scores.rows else None
        final = last if done and last is not None else math.nan
        pick = min if better == "lower" else max
        best, step = pick(known, key=lambda pair: pair[0]) if known else (math.nan, math.nan)
        row |= {f"{value}_final": final, f"{value}_best": best}
        if value == headline:
            row["best_step"] = step
            row["best_over_final"] = stability.best_over_final(best, final, better)
            trajectory = [entry.get(value) for entry in scores.rows]
            row["oscillation"] = stability.oscillation(trajectory) if done else math.nan
    return row


@functools.cache
def _setting(name: str) -> str:
    fixed = {*IDENTITY, *LABELS, *STABILITY, *COSTS}
    return f"setting_{name}" if name in fixed else name


def _ordered(cells: pd.DataFrame, record: SuiteRecord, better: Mapping[str, str]) -> pd.DataFrame:
    settings = [_setting(name) for listed in record.listed for name in listed.settings]
    scored = [f"{value}_{which}" for value in better for which in ("final", "best")]
    columns = dict.fromkeys([*IDENTITY, *settings, *LABELS, *scored, *STABILITY, *COSTS])
    if ENERGY not in cells or not cells[ENERGY].notna().any():
        del columns[ENERGY]
    return cells.reindex(columns=list(columns))


class _Numbers:
    """Collects a table of floats (None is NaN), cell after cell.

    Traces have millions of records: they are kept by column, and no record as a mapping.
    """

    def __init__(self, *columns: str) -> None:
        """Have at least these columns beside `cell`, also when there are no rows."""
        self._columns: dict[str, list[tuple[int, NDArray[np.float64]]]] = {name: [] for name in columns}
        self._cells: list[NDArray[np.float64]] = []
        self._length = 0

    def add(self, cell: int, records: Sequence[Mapping[str, float | None]]) -> None:
        """Append a cell's records; what a record lacks is NaN."""
        for name in dict.fromkeys(itertools.chain.from_iterable(records)):
            values = np.array([record.get(name) for record in records], float)
            self._columns.setdefault(name, []).append((self._length, values))
        self._cells.append(np.full(len(records), float(cell)))
        self._length += len(records)

    def table(self) -> pd.DataFrame:
        """Return the table, `cell` first."""
        cells = np.concatenate(self._cells) if self._cells else np.empty(0)
        return pd.DataFrame({"cell": cells, **{name: self._column(name) for name in self._columns}})

    def _column(self, name: str) -> NDArray[np.float64]:
        whole = np.full(self._length, math.nan)
        for start, values in self._columns[name]:
            whole[start : start + len(values)] = values
        return whole
