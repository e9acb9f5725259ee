"""Distributions on a line, whose density is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import BeforeValidator

from ganbench.datasets import gaussians, register
from ganbench.plugins import Modes, Positive, Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def _read(value: object) -> object:
    """Turn "-2, 0, 2", a list or one number into a tuple of floats, and leave to pydantic what is none of these."""
    if isinstance(value, bool):
        return value
    given = value.split(",") if isinstance(value, str) else [value] if isinstance(value, int | float) else value
    if not isinstance(given, list | tuple) or any(isinstance(item, bool) for item in given):
        return value
    try:
        return tuple(float(item) for item in given)
    except (TypeError, ValueError):
        return value


Floats = Annotated[tuple[float, ...], BeforeValidator(_read)]


@register("gaussian1d")
@dataclass(frozen=True)
class Gaussian1D:
    """One Gaussian on a line, N(mean, std^2): the simplest thing to learn (Goodfellow et al. 2014, figure 1).

    100,000 points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    mean: float = 0.0
    std: Positive = 1.0

    @property
    def shape(self) -> Shape:
        """Points on a line."""
        return (1,)

    @property
    def classes(self) -> None:
        """No labels."""
        return None

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 1)` in raw coordinates."""
        return Split(gaussians.draw(_column((self.mean,)), self.std, split).samples)

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 1)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(_column((self.mean,)), self.std, points)


@register("mixture1d")
@dataclass(frozen=True)
class Mixture1D:
    """A few Gaussians on a line: p(x) = sum_k w_k N(x; mean_k, std_k^2), the weights made to sum to one.

    `means`, `stds` and `weights` are numbers with commas between, in a suite as text: `means: "-4, 0, 4"`; one std or
    weight stands for all. A point's mode is the mean that is nearest in standard deviations: count modes only where
    they do not overlap, as by default. 100,000 points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    means: Floats = (-4.0, 0.0, 4.0)
    stds: Floats = (0.25, 0.5, 0.25)
    weights: Floats = (0.3, 0.5, 0.2)

    def __post_init__(self) -> None:
        """Refuse numbers that make no mixture."""
        for name, values in (("stds", self.stds), ("weights", self.weights)):
            if len(values) not in (1, len(self.means)):
                raise ValueError(f"mixture1d: {len(self.means)} means and {len(values)} {name}; give as many, or one")
            if not all(0 < value < float("inf") for value in values):
                raise ValueError(f"mixture1d: {name} must be above 0 and finite, got {values}")
        if not self.means or not all(abs(mean) < float("inf") for mean in self.means):
            raise ValueError(f"mixture1d: means must be finite, and one at least, got {self.means}")

    @property
    def shape(self) -> Shape:
        """Points on a line."""
        return (1,)

    @property
    def classes(self) -> int:
        """The modes: a point's label is the one it was drawn from."""
        return len(self.means)

    @property
    def centres(self) -> NDArray[np.float64]:
        """The modes, `(k, 1)`."""
        return _column(self.means)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 1)` in raw coordinates, with their modes."""
        return gaussians.draw_weighted(self.centres, self._each(self.stds), self._each(self.weights), split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 1)` by the mean that is nearest in standard deviations; high quality is within 3 of them."""
        return gaussians.modes(self.centres, self._each(self.stds), samples, self._each(self.weights))

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 1)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(self.centres, self._each(self.stds), points, self._each(self.weights))

    def _each(self, values: tuple[float, ...]) -> NDArray[np.float64]:
        import numpy as np

        return np.broadcast_to(np.asarray(values, dtype=np.float64), (len(self.means),))


def _column(values: tuple[float, ...]) -> NDArray[np.float64]:
    import numpy as np

    return np.asarray(values, dtype=np.float64)[:, None]
