"""Which cells were measured together, and how many of them train together for it: for people to read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ganbench.suite.cohorts import Entry, default_size, groups, size_key
from ganbench.suite.sizing import Rates


def chosen_sizes(
    entries: Sequence[Entry], known: Callable[[str], Rates | None], only: Collection[str] | None = None
) -> list[str]:
    """Say for each group whose size was chosen by measuring how many cells train together; `only` of some shapes."""
    found = []
    for name, group in named_groups(entries):
        key = size_key(group[0])
        rates = known(key) if group[0].state == "to train" and (only is None or key in only) else None
        if rates is None or group[0].planned.cell is None:
            continue
        size = rates.size(default_size(group[0].planned.cell))
        if len(rates.by_size) > 1 and size <= rates.largest:
            found.append(f"{name}: cohorts of {min(size, len(group))} (measured: {rates.told()})")
    return found


def named_groups(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """Return what is left to do by what may go together, each with a name for people.

    Groups of one dataset and architecture are told apart by their objectives.
    """
    found = [(" x ".join(_labels(group[0])), group) for group in groups(entries)]
    names = [name for name, _ in found]
    return [(name if names.count(name) == 1 else f"{name} ({_objectives(group)})", group) for name, group in found]


def _labels(entry: Entry) -> tuple[str, str]:
    return entry.planned.dataset.label, entry.planned.architecture.label


def _objectives(group: Iterable[Entry]) -> str:
    first, *others = dict.fromkeys(entry.planned.objective.label for entry in group)
    return f"{first} and {len(others)} more" if others else first
