"""Mixtures of Gaussians in the plane, whose modes are known: the quickest test of mode collapse there is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ganbench.datasets import register
from ganbench.plugins import Modes, Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES: dict[SplitName, int] = {"train": 100_000, "test": 10_000}
SEEDS: dict[SplitName, int] = {"train": 0, "test": 1}
RADIUS = 3.0  # of a high-quality sample, in standard deviations


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
        import numpy as np

        angle = 2 * np.pi * np.arange(8) / 8
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return _draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return _modes(self.centres, self.std, samples)


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
        import numpy as np

        axis = np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
        return np.stack([np.tile(axis, 5), np.repeat(axis, 5)], axis=1)

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their modes."""
        return _draw(self.centres, self.std, split)

    def modes(self, samples: NDArray[np.generic]) -> Modes:
        """Tell points `(n, 2)` by their nearest centre; high quality is within 3 std of it."""
        return _modes(self.centres, self.std, samples)


def _draw(centres: NDArray[np.float64], std: float, split: SplitName) -> Split:
    import numpy as np

    stream = np.random.RandomState(SEEDS[split])  # its numbers are frozen for good, a Generator's are not
    mode = stream.randint(0, len(centres), SIZES[split])
    points = centres[mode] + std * stream.standard_normal((SIZES[split], centres.shape[1]))
    return Split(points.astype(np.float32), mode.astype(np.int64))


def _modes(centres: NDArray[np.float64], std: float, samples: NDArray[np.generic]) -> Modes:
    import numpy as np

    points = samples.astype(np.float64)
    squared = ((points[:, None, :] - centres[None]) ** 2).sum(axis=2)
    nearest = squared.argmin(axis=1)
    high_quality = squared[np.arange(len(points)), nearest] <= (RADIUS * std) ** 2
    return Modes(nearest.astype(np.int64), high_quality, np.full(len(centres), 1 / len(centres)))
