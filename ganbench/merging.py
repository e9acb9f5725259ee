"""Merging: what several machines trained becomes one store, and what does not fit together is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ganbench.joining import Difference, add_suite, finished, join_cell, said
from ganbench.locks import alone
from ganbench.records import Listed, SuiteRecord
from ganbench.reporting.protocol import differing
from ganbench.store import Store, StoreError

Protocols = dict[str, dict[str, Mapping[str, Any]]]  # by dataset and id


@dataclass
class Merged:
    """What a merge did: how many cells each store added to, results that stay beside others, and what to know."""

    added: dict[str, int] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(stores: Sequence[Store], into: Store, waiting: Callable[[], None] = lambda: None) -> Merged:
    """Add to `into`, which may be one of the stores, what the others have; the first store that has a cell wins.

    `into` comes before all others: what it has stays. Cells that are still in training are left where they are.
    `waiting` is called where another run has `into`. Raises StoreError for a store without results.
    """
    others = [store for store in stores if store.root.resolve() != into.root.resolve()]
    for store in stores:
        if not finished(store) and not store.suites():
            raise StoreError(f"{store.root} holds no results, so there is nothing to merge")
    merged, made_by = Merged(), dict[str, Store]()
    with alone(into.root / "run", waiting):
        for place, store in enumerate(others):
            merged.notes += [*_other_protocols([into, *others[:place]], store), *_other_cells(into, store)]
            _add(into, store, merged, made_by)
    return merged


def _add(into: Store, store: Store, merged: Merged, made_by: dict[str, Store]) -> None:
    """Add one store; `made_by` is where the cells of those before it came from."""
    titles = {row.key: _title(row) for record in _records(store) for row in record.listed}
    added = 0
    for key in finished(store):
        joined = join_cell(into, store, key)
        added += joined.added
        first = made_by.get(key, into).root
        if joined.added:
            made_by[key] = store
        name = f"{titles.get(key, 'a cell of no suite')} ({key})"
        if joined.replaced:
            merged.notes.append(f"{name}: {joined.replaced} in {first}, and made way for what {store.root} has")
        if joined.differences:
            what = said(joined.differences, str(first), str(store.root))
            merged.conflicts.append(f"{name}: {what}; what {first} has stays")
    for record in reversed(_records(store)):  # the latest last, as it was run
        add_suite(into, record)
        _add_tuning(into, store, record.name, merged)
    merged.added[str(store.root)] = added


def _add_tuning(into: Store, store: Store, suite: str, merged: Merged) -> None:
    """Add what tuning came to whose reported cells are a suite's."""
    try:
        here, there = into.tuning(suite), store.tuning(suite)
    except StoreError as error:
        merged.notes.append(f"what tuning came to stays where it is: {error}")
        return
    if there is None or there == here:
        return
    if here is None:
        into.write_tuning(suite, there)
    else:
        merged.conflicts.append(
            f"suite {suite}: tuning came to something else in {store.root}; what {into.root} has stays"
        )


def _other_protocols(before: Sequence[Store], store: Store) -> Iterator[str]:
    """Say which datasets one store scored under a protocol that the stores before it did not use."""
    found = [(one, _protocols(one)) for one in before]
    for dataset, mine in _protocols(store).items():
        known = {name: (one, protocol) for one, used in found for name, protocol in used.get(dataset, {}).items()}
        for name, protocol in mine.items():
            if known and name not in known:
                # The one that is most like it: what differs is then what a reader has to know.
                nearest = min(known.values(), key=lambda used: len(differing(used[1], protocol)))
                what = [Difference(*one) for one in differing(nearest[1], protocol)]
                told = said(what, str(nearest[0].root), str(store.root))
                yield f"{dataset} is scored under other protocols: {told}; the report ranks them apart"


def _protocols(store: Store) -> Protocols:
    found: Protocols = {}
    for row in (row for record in _records(store) for row in record.listed if not row.skipped):
        scores = store.scores(row.key, row.evaluation_key)
        if scores is not None:
            found.setdefault(row.dataset, {}).setdefault(scores.protocol_id, scores.protocol)
    return found


def _other_cells(into: Store, store: Store) -> Iterator[str]:
    """Say which rows of a suite have one name and are two cells: of other plugins, or other data."""
    for record in _records(store):
        mine = into.suite(record.name)
        known = {_labels(row): row for row in mine.listed if row.key} if mine else {}
        told: set[tuple[str, str]] = set()
        for row in record.listed:
            same = known.get(_labels(row))
            if same is None or not row.key or same.key == row.key or same.settings != row.settings:
                continue  # settings that differ are in the names of the report
            here, there = into.cell(same.key), store.cell(row.key)
            if here and there and (row.objective, row.dataset) not in told:
                told.add((row.objective, row.dataset))
                what = said([Difference(*one) for one in differing(here, there)], str(into.root), str(store.root))
                yield f"suite {record.name}: {row.objective} on {row.dataset} is not the same in both: {what}"


def _records(store: Store) -> list[SuiteRecord]:
    return [record for name in store.suites() if (record := store.suite(name)) is not None]


def _labels(row: Listed) -> tuple[object, ...]:
    return row.objective, row.architecture, row.dataset, row.seed


def _title(row: Listed) -> str:
    return f"{row.objective} · {row.dataset} · {row.seed}"
