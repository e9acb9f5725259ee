"""The series that a tracker shows of a cell: what its trace and its scores hold, thinned, and best and final scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from ganbench.sent import Result

T = TypeVar("T")
POINTS = 50  # of one series
Point = tuple[str, float, int]


def series(result: Result, trace: Iterable[Mapping[str, float | None]]) -> tuple[list[Point], int]:
    """Return points (name, value, step), and how many are left out because they are not finite.

    At most POINTS of each name, evenly spaced, the first and the last finite ones among them.
    """
    scores = result.scores
    rows = [*trace, *(scores.rows if scores else ())]
    points = [(name, value, row["step"]) for row in rows for name, value in row.items() if name != "step"]
    if scores and scores.rows:
        last = scores.rows[-1]
        for name, better in scores.better.items():
            known = [value for row in scores.rows if (value := row.get(name)) is not None]
            if known:
                points.append((f"{name}_best", (min if better == "lower" else max)(known), last["step"]))
            if result.status.outcome == "completed":
                points.append((f"{name}_final", last.get(name), last["step"]))
    finite = 0
    by_name: dict[str, list[Point]] = {}
    for name, value, step in points:
        if value is not None and math.isfinite(value) and step is not None:
            finite += 1
            by_name.setdefault(name, []).append((name, float(value), int(step)))
    return [point for one in by_name.values() for point in thinned(one)], len(points) - finite


def thinned(points: Sequence[T], most: int = POINTS) -> Sequence[T]:
    """Keep at most `most` points (two or more), evenly spaced, the first and the last among them."""
    if len(points) <= most:
        return points
    return [points[round(position * (len(points) - 1) / (most - 1))] for position in range(most)]
