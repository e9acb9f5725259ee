"""Densities in the plane as pictures have them: smoothed alike, on the pixels of one square."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SIDE = 48  # pixels of the square
REACH = 1.3  # times that of the points
OUTSIDE = 0.001  # of the points, beyond either end of an axis: they do not count for the reach
FINER = 4  # points of a pixel along an axis, at which a density is looked at
LOST = 0.01  # of all points: a density of which more falls between those is taken from its points
EMPTY = 1e-5  # of all points in a pixel, of both densities: below, nothing is known there

Numbers = NDArray[np.float64]
LogDensity = Callable[[NDArray[np.generic]], Numbers]


@dataclass(frozen=True)
class Plane:
    """A square of SIDE x SIDE pixels; arrays `(SIDE, SIDE)` have the lowest y in row 0 and the lowest x in column 0.

    `box` is (xmin, xmax, ymin, ymax). A density is given as the share of all points in a pixel (over the pixel's area
    it is the density itself), smoothed by a Gaussian whose standard deviation is `bandwidth`, the width of a pixel.
    """

    box: tuple[float, float, float, float]

    @classmethod
    def around(cls, points: NDArray[np.generic]) -> Plane:
        """Return the square about points `(n, 2)`, 1.3 times as wide as they reach, but for one in 500 of an axis."""
        low, high = np.quantile(points.astype(np.float64), (OUTSIDE, 1 - OUTSIDE), axis=0)
        half = max(float((high - low).max()) / 2 * REACH, 1e-6)
        x, y = ((low + high) / 2).tolist()
        return cls((x - half, x + half, y - half, y + half))

    @property
    def bandwidth(self) -> float:
        """The width of a pixel."""
        return (self.box[1] - self.box[0]) / SIDE

    @cached_property
    def centres(self) -> Numbers:
        """The centres of the pixels `(SIDE * SIDE, 2)`, row by row."""
        return _points(*self._axes(1))

    def shares(self, points: NDArray[np.generic]) -> Numbers:
        """Return the density of points `(n, 2)`: exact, wherever they lie; ValueError where one is not finite."""
        rows = points.astype(np.float64)
        if not np.isfinite(rows).all():
            raise ValueError("not all points are finite")
        across, up = (self._smoothing(axis, rows[:, place]) for place, axis in enumerate(self._axes(1)))
        return up @ across.T / len(rows)

    def truth(self, points: NDArray[np.generic], log_density: LogDensity | None) -> Numbers:
        """Return the density that real points `(n, 2)` are from: the known one, or else that of the points.

        One that is too narrow to be seen at four points per pixel and axis is taken from the points, too.
        """
        if log_density is not None:
            x, y = self._axes(FINER)
            masses = np.exp(log_density(_points(x, y))).reshape(len(y), len(x)) * (self.bandwidth / FINER) ** 2
            if abs(float(masses.sum()) - self._inside(points)) < LOST:
                across, up = (self._smoothing(*pair) for pair in zip(self._axes(1), (x, y), strict=True))
                return up @ masses @ across.T
        return self.shares(points)

    def _inside(self, points: NDArray[np.generic]) -> float:
        low, high = np.array(self.box[::2]), np.array(self.box[1::2])
        return float(((points >= low) & (points <= high)).all(axis=1).mean())

    def _axes(self, finer: int) -> tuple[Numbers, Numbers]:
        places = (np.arange(SIDE * finer) + 0.5) / (SIDE * finer)
        return tuple(low + (high - low) * places for low, high in (self.box[:2], self.box[2:]))  # type: ignore[return-value]

    def _smoothing(self, pixels: Numbers, points: Numbers) -> Numbers:
        """Return the share of each point that each pixel of an axis gets `(pixels, points)`."""
        apart = (pixels[:, None] - points) / self.bandwidth
        shares: Numbers = np.exp(-0.5 * apart**2) / np.sqrt(2 * np.pi)
        return shares


def best(truth: Numbers, generated: Numbers) -> Numbers:
    """Return D* = p / (p + q), the best D there is (Goodfellow et al. 2014, prop. 1); NaN where neither has points."""
    both = truth + generated
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(both < EMPTY, np.nan, truth / both)


def _points(x: Numbers, y: Numbers) -> Numbers:
    return np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
