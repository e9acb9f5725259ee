"""What the report draws of a cell beside its samples: gathered while it is scored, a few dozen kilobytes of arrays.

Always:
    steps (k,) int64            about 12 of the scored G steps, the first and the last among them
    by_step (k, n, *shape)      what the first n latents of the cell give at each of them: up to 16 pictures uint8 NCHW,
                                fewer of large ones, or 500 points float16. Cells of one seed have the same latents,
                                where their size and distribution agree
Where modes are known:
    mode_counts (k, modes) int64   samples of high quality by mode, of all that are scored; a row of -1 where they
                                   could not be read, as some were not finite
    mode_weights (modes,) float64  the true shares
Of the first m = 8 samples of the last step (of samples.npy):
    neighbours (m, *shape)         the nearest row of the reference to each, in the features that metrics read
    neighbour_distances (m,) float32
    real_distances (2,) float64    how far real rows are from the nearest other one: the 1 % quantile and the median
Of points in the plane, arrays `(s, s)` over the same square, the lowest y in row 0 and the lowest x in column 0:
    box (4,) float64               xmin, xmax, ymin, ymax
    bandwidth () float64           the standard deviation by which densities are smoothed, the width of a pixel
    truth (s, s) float16           the real density, as the share of all points in a pixel
    generated (s, s) float16       that of all samples of the last step
    best (s, s) float16            D* = truth / (truth + generated); NaN where neither has points
    surface (s, s) float16         what D holds for the probability that a point is real, at the last step; or else
    logits (s, s) float32          D's output, larger for real points, where it stands for no probability
Where anything of this could not be had:
    absent (reasons,) text         `name: why`
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ganbench.evaluation.beliefs import surface
from ganbench.evaluation.evidence import Evidence
from ganbench.evaluation.plane import SIDE, best
from ganbench.evaluation.real_side import PLANE, RealSide
from ganbench.suite.cells import Cell
from ganbench.training.networks import has_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

STEPS = 12
IMAGES, FEWEST, IMAGE_BYTES = 16, 4, 600_000  # of a step, and of all steps before they are packed
POINTS = 500
COMPARED = 8  # samples whose neighbours are looked for
UNREAD = -1

Arrays = dict[str, "NDArray[np.generic]"]


def chosen(planned: Sequence[int], there: Sequence[int]) -> list[int]:
    """Choose from the steps of a cell that are `there`: the same of all cells of a plan, and the cell's last."""
    places = {round(place) for place in np.linspace(0, len(planned) - 1, min(STEPS, len(planned)))}
    wanted = {*(planned[place] for place in places), *there[-1:]}
    return [step for step in there if step in wanted]


class Pictures:
    """Gathers the arrays of one cell, step by step; what cannot be had is told and costs the others nothing.

    `count` is how many samples of a step are kept.
    """

    def __init__(self, cell: Cell, real: RealSide, planned: Sequence[int], there: Sequence[int]) -> None:
        """Take the cell, its real side, the steps that are to be scored and those of which there is a generator."""
        self._cell, self._real = cell, real
        self._shape = cell.dataset.create().shape
        self._steps = chosen(planned, there)
        fit = IMAGE_BYTES // (math.prod(self._shape) * max(1, len(self._steps)))
        self.count = min(IMAGES, max(FEWEST, fit)) if len(self._shape) == 3 else POINTS
        self._samples: list[Tensor] = []
        self._counts: list[NDArray[np.int64] | None] = []
        self._weights: NDArray[np.float64] | None = None

    def add(self, step: int, first: Tensor, evidence: Evidence | str) -> None:
        """Keep what is drawn of a step: its `first` samples `(count, *shape)`, uint8 or float32 points."""
        if step not in self._steps:
            return
        self._samples.append(first if first.dtype == torch.uint8 else first.half())
        modes = None if isinstance(evidence, str) else evidence.modes
        counts = None
        if modes is not None:
            self._weights = modes.weights
            counts = np.bincount(modes.nearest[modes.high_quality], minlength=len(modes.weights))
        self._counts.append(counts)

    def finished(self, evidence: Evidence | str, d: Tensor | None, device: torch.device) -> Arrays:
        """Return all arrays after the last step, of which the evidence is; `d` are D's parameters, where kept."""
        arrays: Arrays = {"steps": np.array(self._steps), "by_step": torch.stack(self._samples).numpy()}
        if self._weights is not None:
            unread = np.full(len(self._weights), UNREAD)
            rows = [unread if counts is None else counts for counts in self._counts]
            arrays |= {"mode_counts": np.stack(rows), "mode_weights": self._weights}
        wanted: dict[str, Callable[[], Arrays]] = {"neighbours": lambda: self._neighbours(evidence)}
        if self._shape == PLANE:
            wanted["truth"] = self._truth
            wanted["generated"] = lambda: self._generated(evidence)
            wanted["surface"] = lambda: self._surface(d, device)
        absent = []
        for name, make in wanted.items():
            try:
                arrays |= make()
            except Exception as error:  # a plugin's density or a damaged D may raise anything: scores do without
                kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                absent.append(f"{name}: {kind}{error}")
        return arrays | ({"absent": np.array(absent)} if absent else {})

    def _neighbours(self, evidence: Evidence | str) -> Arrays:
        rows, distances = self._real.nearest(_readable(evidence).features[:COMPARED])
        return {"neighbours": rows, "neighbour_distances": distances, "real_distances": self._real.distances}

    def _truth(self) -> Arrays:
        plane = self._real.plane
        return {
            "box": np.array(plane.box),
            "bandwidth": np.array(plane.bandwidth),
            "truth": self._real.truth.astype(np.float16),
        }

    def _generated(self, evidence: Evidence | str) -> Arrays:
        samples = _readable(evidence).samples
        assert samples is not None
        generated = self._real.plane.shares(samples.numpy())
        found = best(self._real.truth, generated)
        return {"generated": generated.astype(np.float16), "best": found.astype(np.float16)}

    def _surface(self, d: Tensor | None, device: torch.device) -> Arrays:
        if not has_surface(self._cell):
            raise ValueError("this objective's D gives a point no number of its own")
        if d is None:
            raise ValueError("D's parameters of the last scored step are not kept")
        name, values = surface(self._cell, d, device, torch.from_numpy(self._real.plane.centres))
        drawn = values.half() if name == "surface" else values.float()
        return {name: drawn.view(SIDE, SIDE).numpy()}


def _readable(evidence: Evidence | str) -> Evidence:
    """Return the evidence; ValueError where samples could not be read, with the reason."""
    if isinstance(evidence, str):
        raise ValueError(evidence)
    return evidence
