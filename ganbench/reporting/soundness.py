"""What of a cell's kept pictures a report can draw: anybody may have made a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]

PLANES = ("truth", "generated", "best", "surface", "logits")
ODD = "it is not what ganbench writes"


def sound(arrays: Arrays) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that are what `ganbench.evaluation.pictures` says, and in `absent` which are not."""
    told = [str(text) for text in arrays.get("absent", np.array([])).ravel().tolist()]
    found: dict[str, NDArray[np.generic]] = {}
    for names, fits in CHECKS:
        mine = {name: arrays[name] for name in names if name in arrays}
        if not mine:
            continue
        if len(mine) == len(names) and all(_numeric(array) for array in mine.values()) and fits(mine):
            found |= mine
        else:
            told.append(f"{names[0]}: {ODD}")
    return found | ({"absent": np.array(told)} if told else {})


def _numeric(array: NDArray[np.generic]) -> bool:
    return np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)


def _steps(mine: Arrays) -> bool:
    steps, samples = mine["steps"], mine["by_step"]
    same = steps.ndim == 1 and len(steps) == len(samples) > 0 and bool(np.isfinite(steps.astype(float)).all())
    return same and samples.ndim in (3, 5) and samples.size > 0 and (samples.ndim == 3 or samples.dtype == np.uint8)


def _modes(mine: Arrays) -> bool:
    counts, weights = mine["mode_counts"], mine["mode_weights"]
    return counts.ndim == 2 and weights.ndim == 1 and counts.shape[1] == len(weights) > 0 and len(counts) > 0


def _neighbours(mine: Arrays) -> bool:
    distances = mine["neighbour_distances"]
    return mine["neighbours"].ndim in (2, 4) and distances.ndim == 1 and len(mine["neighbours"]) == len(distances) > 0


def _plane(mine: Arrays) -> bool:
    return all(array.ndim == 2 and array.size > 0 for array in mine.values())


CHECKS: tuple[tuple[tuple[str, ...], Callable[[Arrays], bool]], ...] = (
    (("by_step", "steps"), _steps),
    (("mode_counts", "mode_weights"), _modes),
    (("neighbours", "neighbour_distances"), _neighbours),
    (("real_distances",), lambda mine: mine["real_distances"].ndim == 1 and mine["real_distances"].size > 0),
    *(((name,), _plane) for name in PLANES),
)
