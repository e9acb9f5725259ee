"""Into how many cohorts the cells of each group go, and when a list of cohorts is over on so many slots."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Seconds = Callable[[int], float]

ENOUGH, SAMPLES = 16, 2048  # cells, and samples of all their batches, that train about as fast as twice as many
CLEARLY = 0.97  # of the time, and more cohorts are worth it
COHORTS_PER_SLOT = 4  # with so many, one more shortens nothing


@dataclass(frozen=True)
class Group:
    """Cells that may train together, at most `largest` at once; `seconds` of a cohort by its size, where measured."""

    cells: int
    largest: int
    seconds: Seconds | None = None
    batch: int = SAMPLES // ENOUGH

    @property
    def enough(self) -> int:
        """The fewest cells that train about as fast as twice as many, where nothing was measured."""
        return max(ENOUGH, math.ceil(SAMPLES / self.batch))


def makespan(durations: Iterable[float], slots: int) -> float:
    """Return when the last is over, each taken in order by the first slot that is free; seconds, 0 for none."""
    free = [0.0] * slots
    for duration in durations:
        heapq.heapreplace(free, free[0] + duration)
    return max(free)


def split(groups: Sequence[Group], slots: int) -> list[list[int]]:
    """Return the sizes of each group's cohorts."""
    if groups and all(group.seconds is not None for group in groups):
        return _balanced(groups, slots)
    return _halved(groups, slots)


def even(cells: int, parts: int) -> list[int]:
    """Divide cells into as many parts of about the same size: the sizes."""
    bounds = [round(position * cells / parts) for position in range(parts + 1)]
    return [high - low for low, high in itertools.pairwise(bounds)]


def _halved(groups: Sequence[Group], slots: int) -> list[list[int]]:
    """Halve the largest cohorts for idle slots while both halves keep company.

    Large ones also so that a slot has two: what the first has finished is stored and tracked while the second trains.
    """
    parts = [(size, at) for at, group in enumerate(groups) for size in even(group.cells, _fewest(group))]
    for wanted, idle in ((slots, True), (2 * slots, False)):
        while len(parts) < wanted:
            able = [part for part in parts if _can_be_halved(groups[part[1]], part[0], idle)]
            if not able:
                break
            size, at = max(able, key=lambda part: part[0])
            parts.remove((size, at))
            parts += [(size // 2, at), (size - size // 2, at)]
    return [[size for size, other in parts if other == at] for at in range(len(groups))]


def _can_be_halved(group: Group, size: int, idle: bool) -> bool:
    if group.seconds is None:
        return size >= 2 * (2 if idle else group.enough)
    # Measured halves are slower than the whole, or the size would have been chosen smaller: they only fill idle slots.
    return idle and size > 1 and group.seconds(size - size // 2) < CLEARLY * group.seconds(size)


def _balanced(groups: Sequence[Group], slots: int) -> list[list[int]]:
    """Add cohorts, always where one takes longest, and keep the fewest with which all is over soonest."""
    counts = [_fewest(group) for group in groups]
    best, soonest = list(counts), _over(groups, counts, slots)
    while sum(counts) < COHORTS_PER_SLOT * slots:
        able = [at for at, group in enumerate(groups) if counts[at] < group.cells]
        if not able:
            break
        counts[max(able, key=lambda at: _longest(groups[at], counts[at]))] += 1
        over = _over(groups, counts, slots)
        if over < CLEARLY * soonest:
            best, soonest = list(counts), over
    return [even(group.cells, count) for group, count in zip(groups, best, strict=True)]


def _fewest(group: Group) -> int:
    return math.ceil(group.cells / group.largest)


def _longest(group: Group, parts: int) -> float:
    assert group.seconds is not None
    return group.seconds(math.ceil(group.cells / parts))


def _over(groups: Sequence[Group], counts: Sequence[int], slots: int) -> float:
    durations = [
        group.seconds(size)
        for group, count in zip(groups, counts, strict=True)
        for size in even(group.cells, count)
        if group.seconds is not None
    ]
    return makespan(sorted(durations, reverse=True), slots)
