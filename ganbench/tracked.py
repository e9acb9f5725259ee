"""What a tracker shows of a cell: its settings, its tags, and the series of its trace and its scores, thinned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ganbench.records import Listed
from ganbench.sent import Result

T = TypeVar("T")
POINTS = 50  # of one series
TEXT, NAME = 5000, 250  # MLflow's limits for a parameter or a tag, and for a name
Point = tuple[str, float, int]


def series(result: Result, trace: Iterable[Mapping[str, float | None]]) -> tuple[list[Point], int]:
    """Return points (name, value, step), and how many are left out because they are not finite.

    At most POINTS of each name, evenly spaced, the first and the last finite ones among them.
    """
    rows = [*trace, *(result.scores.rows if result.scores else ()), *_best_and_final(result)]
    left_out = 0
    by_name: dict[str, list[tuple[float, int]]] = {}
    for row in rows:
        step = row["step"]
        for name, value in row.items():
            if name == "step":
                continue
            if value is not None and step is not None and math.isfinite(value):
                by_name.setdefault(name, []).append((float(value), int(step)))
            else:
                left_out += 1
    thin = [(allowed(name), thinned(known)) for name, known in by_name.items()]
    return [(name, value, step) for name, known in thin for value, step in known], left_out


def _best_and_final(result: Result) -> Iterator[Mapping[str, float | None]]:
    """Give the best score and, of a completed cell, the last one, of each name, as a row of the last scored step."""
    scores = result.scores
    if scores and scores.rows:
        last = scores.rows[-1]
        for name, better in scores.better.items():
            known = [value for row in scores.rows if (value := row.get(name)) is not None]
            if known:
                yield {"step": last["step"], f"{name}_best": (min if better == "lower" else max)(known)}
            if result.status.outcome == "completed":
                yield {"step": last["step"], f"{name}_final": last.get(name)}


def thinned(points: Sequence[T], most: int = POINTS) -> Sequence[T]:
    """Keep at most `most` points (two or more), evenly spaced, the first and the last among them."""
    if len(points) <= most:
        return points
    return [points[round(position * (len(points) - 1) / (most - 1))] for position in range(most)]


def parameters_of(listed: Listed) -> dict[str, str]:
    """Return what a cell was trained with, nested settings by their path."""
    named = {name: getattr(listed, name) for name in ("objective", "architecture", "dataset", "seed")}
    return {allowed(name): str(value)[:TEXT] for name, value in {**_flat(listed.settings), **named}.items()}


def tags_of(result: Result) -> dict[str, str]:
    """Return what a cell is known by, how it ended and what made it; empty ones are left out."""
    listed, status = result.listed, result.status
    tags = {
        "ganbench.key": listed.key,
        "ganbench.evaluation_key": listed.evaluation_key,
        "ganbench.content": result.content,
        "ganbench.outcome": status.outcome,
        "ganbench.protocol_id": result.scores.protocol_id if result.scores else "",
        "ganbench.reason": status.reason[:TEXT],
        **{f"ganbench.provenance.{allowed(name)}": value[:TEXT] for name, value in status.provenance.items()},
    }
    return {name: value for name, value in tags.items() if value}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def allowed(text: str) -> str:
    """Return a name that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", text, flags=re.ASCII)[:NAME]
