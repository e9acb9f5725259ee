"""The Pareto front of points with several values, and a few places that stand for all of it. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganbench.stats.wins import Better


def pareto_front(points: Sequence[Sequence[float]], better: Sequence[Better]) -> list[int]:
    """Return the positions of the points that no other one dominates, in the order of the points.

    A point dominates another that it is no worse than in any value, and better than in one. Points that are equal in
    all values do not dominate each other: all of them are on the front, or none. Empty without points. ValueError
    where a value is not finite, or a point has not one value for each direction.
    """
    if not points:
        return []
    if any(len(point) != len(better) for point in points):
        raise ValueError(f"pareto_front needs {len(better)} values of each point")
    values = np.array(points, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("pareto_front needs finite values")
    values *= np.array([1.0 if way == "lower" else -1.0 for way in better])
    return [
        place
        for place, mine in enumerate(values)
        if not ((values <= mine).all(axis=1) & (values < mine).any(axis=1)).any()
    ]


def spread(length: int, most: int) -> list[int]:
    """Return at most `most` places of `length` in a row, evenly apart: both ends and between; of one, the first.

    ValueError where `most` is not positive.
    """
    if most < 1:
        raise ValueError(f"spread needs one place or more, not {most}")
    if length <= most:
        return list(range(length))
    return [0] if most == 1 else [round(place * (length - 1) / (most - 1)) for place in range(most)]
