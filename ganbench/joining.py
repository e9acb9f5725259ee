"""Joining results: what one store has and another lacks is added, cell by cell; what is there is never overwritten.

A cell's status is copied last, as a worker writes it, so what an interrupted join leaves is no finished cell.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ganbench.paths import whole_file, write_whole
from ganbench.plain_data import as_json
from ganbench.records import Status, SuiteRecord
from ganbench.run_files import identity
from ganbench.store import CHECKPOINT, Store, StoreError

STATUS, SCORES = "status.json", "scores.json"
NO_RESULT = ("failed", "timed_out")
SHOWN = 4  # differences of a cell


@dataclass(frozen=True)
class Difference:
    """A number, or the outcome, that two stores have of one cell."""

    name: str
    here: object
    there: object


@dataclass(frozen=True)
class Joined:
    """What became of a cell: whether anything was added, or in what it differs from the one that stays.

    `replaced` is the outcome of a cell that had no result and made way for one.
    """

    added: bool = False
    differences: tuple[Difference, ...] = ()
    replaced: str = ""


def finished(store: Store) -> list[str]:
    """List the cells of a store that are trained."""
    return sorted(path.parent.name for path in (store.root / "cells").glob(f"*/{STATUS}"))


def join_cell(target: Store, source: Store, key: str) -> Joined:
    """Add what `source` has of a finished cell to `target`.

    Where both trained it and the numbers differ, the target's stays as it is. A cell that failed or timed out has
    no numbers, and makes way for one that has. What differs in cost, time or provenance alone is the same result: it
    gets the scores and the snapshots that it lacks.
    """
    theirs, mine = source.status(key), target.status(key)
    if theirs is None:
        return Joined()
    if mine is not None and theirs.outcome in NO_RESULT:
        return Joined()
    if mine is None or mine.outcome in NO_RESULT:
        return Joined(added=_copy_cell(target, source, key), replaced=mine.outcome if mine else "")
    if found := tuple(_differences(target, source, key, mine, theirs)):
        return Joined(differences=found)
    added = [_copy_scores(target, source, key, name) for name in _evaluations(source, key)]
    return Joined(added=any([*added, _copy_snapshots(target, source, key, mine, theirs)]))


def join_suites(first: SuiteRecord, second: SuiteRecord) -> SuiteRecord:
    """Return the list of a suite that two stores ran parts of: the rows of both, and else what the first one says."""
    rows = {identity(row): row for row in (*second.listed, *first.listed)}
    order = dict.fromkeys(identity(row) for row in (*first.listed, *second.listed))
    return replace(
        first,
        listed=tuple(rows[row] for row in order),
        datasets={**second.datasets, **first.datasets},
        objectives={**second.objectives, **first.objectives},
        plugins=tuple(dict.fromkeys((*first.plugins, *second.plugins))),
    )


def add_suite(target: Store, record: SuiteRecord) -> None:
    """Add the rows of a suite to the list that a store has of it, or its first list."""
    mine = target.suite(record.name)
    joined = record if mine is None else join_suites(mine, record)
    if joined != mine:
        target.write_suite(joined)


def said(differences: Iterable[Difference], here: str, there: str) -> str:
    """Say in what two results differ, with both values."""
    found = list(differences)
    told = [f"{one.name} is {one.here} in {here} and {one.there} in {there}" for one in found[:SHOWN]]
    return "; ".join([*told, f"and {len(found) - SHOWN} more" if len(found) > SHOWN else ""]).removesuffix("; ")


def _differences(target: Store, source: Store, key: str, mine: Status, theirs: Status) -> Iterable[Difference]:
    """Compare how training ended, its last record, and the last scores under each evaluation that both have."""
    yield from _compared({"outcome": mine.outcome, "step": mine.step}, {"outcome": theirs.outcome, "step": theirs.step})
    for name in _evaluations(source, key):
        ours, others = target.scores(key, name), source.scores(key, name)
        if ours and others:
            yield from _compared(_last(ours.rows), _last(others.rows))
    yield from _compared(_last(target.trace(key)), _last(source.trace(key)))


def _compared(mine: Mapping[str, object], theirs: Mapping[str, object]) -> Iterable[Difference]:
    for name in dict.fromkeys((*mine, *theirs)):
        if mine.get(name) != theirs.get(name):
            yield Difference(name, mine.get(name), theirs.get(name))


def _last(rows: Any) -> Mapping[str, object]:
    return rows[-1] if rows else {}


def _evaluations(store: Store, key: str) -> list[str]:
    """List the evaluations under which a cell is scored, in full."""
    return sorted(path.parent.name for path in (store.cell_folder(key) / "scores").glob(f"*/{SCORES}"))


def _copy_cell(target: Store, source: Store, key: str) -> bool:
    """Copy a finished cell, the status last; not where it was taken away or changed meanwhile."""
    origin, folder = source.cell_folder(key), target.cell_folder(key)
    status = (origin / STATUS).read_bytes()
    target.discard([key])
    try:
        for path in sorted(origin.rglob("*"), key=lambda path: (path.name == SCORES, path)):
            if path.name not in (STATUS, CHECKPOINT) and not path.name.startswith("."):
                _copy(path, folder / path.relative_to(origin))
        same = (origin / STATUS).read_bytes() == status
    except FileNotFoundError:
        same = False
    if same:
        write_whole(folder / STATUS, status)
    else:
        target.discard([key])
    return same


def _copy_scores(target: Store, source: Store, key: str, evaluation: str) -> bool:
    folder, origin = (store.cell_folder(key) / "scores" / evaluation for store in (target, source))
    if (folder / SCORES).exists():
        return False
    for path in sorted(origin.iterdir(), key=lambda path: path.name == SCORES):
        if not path.name.startswith("."):
            _copy(path, folder / path.name)
    return True


def _copy_snapshots(target: Store, source: Store, key: str, mine: Status, theirs: Status) -> bool:
    """Give a cell its snapshots where it has none, being from MLflow, so that a new metric need not train it again."""
    name = "snapshots.safetensors"
    if mine.snapshot_steps or not theirs.snapshot_steps:
        return False
    _copy(source.cell_folder(key) / name, target.cell_folder(key) / name)
    changed = replace(mine, snapshot_steps=theirs.snapshot_steps)
    write_whole(target.cell_folder(key) / STATUS, as_json(asdict(changed)))
    return True


def _copy(path: Path, target: Path) -> None:
    """Copy a plain file, whole or not at all; a link could lead anywhere."""
    if path.is_symlink():
        raise StoreError(f"{path} is a link, which a store does not have; put the file in its place")
    if path.is_file():
        with path.open("rb") as origin, whole_file(target) as file:
            shutil.copyfileobj(origin, file)
