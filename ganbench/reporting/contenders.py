"""Contenders: what is ranked on a dataset, with all of its seeds, and the names they go by."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganbench.records import Listed

SEPARATOR = " · "


def plain(value: Any) -> Any:
    """Return a setting as one cell of a table: scalars as they are, lists and mappings as JSON."""
    return json.dumps(value) if isinstance(value, list | tuple | Mapping) else value


def names(listed: Sequence[Listed]) -> list[str]:
    """Name the contender of each row.

    The objective, the architecture where a dataset has several, and the swept settings. Rows of one dataset
    that would share a name and a seed without being one cell are told apart by the settings that differ.
    """
    architectures: dict[str, set[str]] = defaultdict(set)
    for row in listed:
        if not row.skipped:
            architectures[row.dataset].add(row.architecture)
    found = [_name(row, len(architectures[row.dataset]) > 1) for row in listed]
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (row, name) in enumerate(zip(listed, found, strict=True)):
        rows[row.dataset, name].append(place)
    for places in rows.values():
        if _clash(listed, places):
            for place, tail in zip(places, _tails([listed[place] for place in places]), strict=True):
                found[place] = SEPARATOR.join([found[place], *tail])
    return found


def in_order(found: Iterable[str], declared: Iterable[str]) -> list[str]:
    """List what was found once each: in the order declared by the suite, then in the order of appearance."""
    present = dict.fromkeys(found)
    first = [name for name in dict.fromkeys(declared) if name in present]
    return [*first, *(name for name in present if name not in first)]


def _name(row: Listed, with_architecture: bool) -> str:
    parts = [row.objective]
    if with_architecture:
        parts.append(row.architecture)
    for setting in row.swept:
        short = setting.rsplit(".", 1)[-1]
        for name in (setting, short):
            if name in row.settings:
                parts.append(f"{short}={plain(row.settings[name])}")
                break
    return SEPARATOR.join(parts)


def _clash(listed: Sequence[Listed], places: Sequence[int]) -> bool:
    seeds = Counter(seed for seed, _ in {(listed[p].seed, listed[p].key) for p in places if not listed[p].skipped})
    return any(count > 1 for count in seeds.values())


def _tails(rows: Sequence[Listed]) -> list[list[str]]:
    values = {name: {plain(row.settings.get(name)) for row in rows} for row in rows for name in row.settings}
    differing = [name for name in values if len(values[name]) > 1]
    if not differing:
        return [[row.key[:8]] for row in rows]
    return [[f"{name}={plain(row.settings.get(name))}" for name in differing] for row in rows]
