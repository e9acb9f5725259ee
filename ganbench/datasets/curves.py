"""Curves in the plane, with a little noise across them: connected, without modes to count."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ganbench.datasets import register
from ganbench.datasets.gaussians import SEEDS, SIZES
from ganbench.plugins import Count, NonNegative, Positive, Shape, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register("spiral")
@dataclass(frozen=True)
class Spiral:
    """Interleaved arms of an Archimedean spiral that end on the unit circle, each a class.

    x = r (cos(2 pi (turns r + a / arms)), sin(2 pi (turns r + a / arms))) + std e, with r = sqrt(U(0, 1)), the arm a
    uniform in 0 .. arms - 1 and e ~ N(0, I). 100,000 points to train on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    arms: Count = 2
    turns: Positive = 1.5
    std: NonNegative = 0.02

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> int | None:
        """The arms; None where there is one alone."""
        return self.arms if self.arms > 1 else None

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates, with their arms."""
        import numpy as np

        stream = np.random.RandomState(SEEDS[split])  # its numbers are frozen for good, a Generator's are not
        arm = stream.randint(0, self.arms, SIZES[split])
        radius = np.sqrt(stream.random_sample(SIZES[split]))
        angle = 2 * np.pi * (self.turns * radius + arm / self.arms)
        points = _at(radius, angle) + self.std * stream.standard_normal((SIZES[split], 2))
        return Split(points.astype(np.float32), arm.astype(np.int64) if self.arms > 1 else None)


@register("swiss_roll")
@dataclass(frozen=True)
class SwissRoll:
    """The section of the Swiss roll (Marsland 2009; scikit-learn's first and third coordinate), within the unit circle.

    x = t / (4.5 pi) (cos t, sin t) + std e, with t = 1.5 pi (1 + 2 U(0, 1)) and e ~ N(0, I). 100,000 points to train
    on, 10,000 to test.
    """

    version: ClassVar[int] = 1

    std: NonNegative = 0.02

    @property
    def shape(self) -> Shape:
        """Points in the plane."""
        return (2,)

    @property
    def classes(self) -> None:
        """No labels."""
        return None

    def missing(self, root: Path) -> None:
        """Nothing: the points are drawn, not fetched."""

    def prepare(self, root: Path) -> None:
        """Do nothing."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Draw the points, the same ones every time: float32 `(n, 2)` in raw coordinates."""
        import numpy as np

        stream = np.random.RandomState(SEEDS[split])
        angle = 1.5 * np.pi * (1 + 2 * stream.random_sample(SIZES[split]))
        points = _at(angle / (4.5 * np.pi), angle) + self.std * stream.standard_normal((SIZES[split], 2))
        return Split(points.astype(np.float32))


def _at(radius: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
