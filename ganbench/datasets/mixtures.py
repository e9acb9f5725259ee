"""Mixtures of Gaussians in the plane, whose modes are known: the quickest test of mode collapse there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ganbench.datasets import gaussians, register
from ganbench.plugins import Count, Modes, Positive, Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register("ring8")
@dataclass(frozen=True)
class Ring8:
    """Eight Gaussians on the unit circle, standard deviation .01 (Metz et al. 2017, arXiv:1611.02163).

    centre_i = (cos(2 pi i / 8), sin(2 pi i / 8)), all of weight 1/8. 100,000 points to train on, 10,000
    to test.
    """

    version: ClassVar[int] = 1
    std: ClassVar[float] = 0.01

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> int:
        """The modes: a point's label is the one it was drawn from."""
        return 8

    @property
    def centres(self) -> NDArray[np.float64]:
        """The modes, `(8, 2)`."""
        return _on_a_circle(8)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return gaussians.draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return gaussians.modes(self.centres, self.std, samples)

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 2)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(self.centres, self.std, points)


@register("ring")
@dataclass(frozen=True)
class Ring:
    """`n` Gaussians of equal weight on a circle: `ring8` with the numbers of your choice.

    centre_i = radius (cos(2 pi i / n), sin(2 pi i / n)). With the defaults, the very points of `ring8`. 100,000
    points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    n: Count = 8
    radius: Positive = 1.0
    std: Positive = 0.01

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> int:
        """The modes: a point's label is the one it was drawn from."""
        return self.n

    @property
    def centres(self) -> NDArray[np.float64]:
        """The modes, `(n, 2)`."""
        return self.radius * _on_a_circle(self.n)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return gaussians.draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return gaussians.modes(self.centres, self.std, samples)

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 2)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(self.centres, self.std, points)


@register("grid25")
@dataclass(frozen=True)
class Grid25:
    """A 5 x 5 grid of Gaussians at {-4, -2, 0, 2, 4}^2, standard deviation .05 (Dumoulin et al. 2017).

    All of weight 1/25; 100,000 points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1
    std: ClassVar[float] = 0.05

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> int:
        """The modes: a point's label is the one it was drawn from."""
        return 25

    @property
    def centres(self) -> NDArray[np.float64]:
        """The modes, `(25, 2)`, row by row."""
        return _on_a_grid(5, 2.0)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return gaussians.draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return gaussians.modes(self.centres, self.std, samples)

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 2)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(self.centres, self.std, points)


@register("grid")
@dataclass(frozen=True)
class Grid:
    """`n` x `n` Gaussians of equal weight on a grid about 0: `grid25` with the numbers of your choice.

    Coordinates of the centres: spacing (i - (n - 1) / 2), i = 0 .. n - 1. With the defaults, the very points of
    `grid25`. 100,000 points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    n: Count = 5
    spacing: Positive = 2.0
    std: Positive = 0.05

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> int:
        """The modes: a point's label is the one it was drawn from."""
        return self.n**2

    @property
    def centres(self) -> NDArray[np.float64]:
        """The modes, `(n * n, 2)`, row by row."""
        return _on_a_grid(self.n, self.spacing)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return gaussians.draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return gaussians.modes(self.centres, self.std, samples)

    def log_density(self, points: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return log p of points `(n, 2)`, in raw coordinates: natural logarithms `(n,)`."""
        return gaussians.log_density(self.centres, self.std, points)


def _on_a_circle(n: int) -> NDArray[np.float64]:
    import numpy as np

    angle = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _on_a_grid(n: int, spacing: float) -> NDArray[np.float64]:
    import numpy as np

    axis = spacing * (np.arange(n) - (n - 1) / 2)
    return np.stack([np.tile(axis, n), np.repeat(axis, n)], axis=1)
