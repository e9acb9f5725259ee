"""Who lies near whom: what precision, recall, coverage, density and duplicates have in common.

Points of few dimensions are looked up in a k-d tree; of many, all distances are computed, once. Both are exact, in
double precision. The real side keeps what it knows for all samples that it is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ganbench.metrics.distances import squared_distances

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree
    from torch import Tensor

    from ganbench.evaluation.evidence import Reference

    Numbers = NDArray[np.float64]

FEW_DIMENSIONS = 5  # up to here a tree is the quicker one, by measurement from 1,000 to 10,000 points
KEPT_DISTANCES = 2**24  # as float64 they take 134 MB; more are computed again for every question
SLACK = 1e-15  # relative: above the rounding of a root that is squared again, below any distance of float32 points
ROUNDING = 1e-14  # of a sum of a few products, relative to the largest
NEAREST, ROWS = 1, 128

Which = Literal["fake", "real"]


class Side:
    """Points of one side, and how far each of them is from its nearest others."""

    def __init__(self, features: Tensor, reference: Reference | None = None) -> None:
        """Take features `(n, d)`; with a reference they are its first rows, and what is found is kept with it."""
        self.features, self._reference = features, reference
        self.few_dimensions = features.shape[1] <= FEW_DIMENSIONS
        self._found: Numbers | None = None

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.features)

    @cached_property
    def points(self) -> Numbers:
        """The points `(n, d)` as float64."""
        found: Numbers = self.features.double().numpy()
        return found

    @cached_property
    def tree(self) -> cKDTree:
        """The points in a k-d tree."""
        from scipy.spatial import cKDTree

        return cKDTree(self.points)

    def radii(self, k: int) -> Numbers:
        """Return the squared distance `(n,)` of each point to its k-th nearest other; ValueError if too few."""
        if len(self) <= k:
            raise ValueError(f"{len(self)} samples are too few for {k} neighbours each")
        if self._reference is not None:
            return self._reference.kept(f"radii-{k}-of-{len(self)}", lambda: self._nearest(k)[:, k - 1].copy())
        if self._found is None or self._found.shape[1] < k:
            self._found = self._nearest(k)
        return self._found[:, k - 1]

    def measure(self, k: int) -> None:
        """Find the radii now, if there are points enough: a reference then has them for whoever asks."""
        if len(self) > k:
            self.radii(k)

    def _nearest(self, k: int) -> Numbers:
        """Return the squared distances `(n, k)` to the k nearest others, the nearest first."""
        import numpy as np
        import torch

        if self.few_dimensions:
            # of k + 1 one is the point itself, or another one at the same place
            which = np.asarray(self.tree.query(self.points, k=k + 1)[1])
            return squared(self.points[:, None], self.points[which[:, 1:]])
        nearest = [block.topk(k, dim=1, largest=False).values for block in self.others()]
        found: Numbers = torch.cat(nearest).numpy()
        return found

    def others(self) -> Iterator[Tensor]:
        """Yield blocks of squared distances among the points, infinite to oneself."""
        yield from self._others or squared_distances(self.features, self.features, others=True)

    @cached_property
    def _others(self) -> list[Tensor]:
        if len(self) ** 2 > KEPT_DISTANCES:
            return []
        return list(squared_distances(self.features, self.features, others=True))


@dataclass(frozen=True)
class Neighbourhoods:
    """Equally many points of both sides: neighbourhoods shrink with the number of points."""

    fake: Side
    real: Side
    _inside: dict[int, dict[Which, NDArray[np.bool_]]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, features: Tensor, reference: Reference) -> Neighbourhoods:
        """Take the first rows that both sides have."""
        count = min(len(features), len(reference.features))
        return cls(Side(features[:count]), reference.first(count))

    def __len__(self) -> int:
        """Return the number of points on either side."""
        return len(self.fake)

    def inside_any(self, which: Which, k: int) -> NDArray[np.bool_]:
        """Say which points of one side `(n,)` lie in the closed ball of any point of the other.

        A ball reaches to the k-th nearest other point of its own side.
        """
        points, centres = (self.fake, self.real) if which == "fake" else (self.real, self.fake)
        if points.few_dimensions:
            return _inside_any(points, centres, centres.radii(k))
        if k not in self._inside:
            self._inside[k] = self._inside_by_distances(k)
        return self._inside[k][which]

    def _inside_by_distances(self, k: int) -> dict[Which, NDArray[np.bool_]]:
        """Go through the distances once for both sides: of many points they are not kept."""
        import numpy as np

        of_real, of_fake = self.real.radii(k), self.fake.radii(k)
        fakes, reals, start = np.zeros(len(self), dtype=bool), [], 0
        for block in self._between():
            distances = block.numpy()
            fakes |= (distances <= of_real[start : start + len(block), None]).any(axis=0)
            reals.append((distances <= of_fake).any(axis=1))
            start += len(block)
        return {"fake": fakes, "real": np.concatenate(reals)}

    def fakes_around(self, k: int) -> NDArray[np.int64]:
        """Count the generated points in the open ball of each real one `(n,)`, which reaches to its k-th nearest."""
        import numpy as np

        radii = self.real.radii(k)
        if self.real.few_dimensions:
            # the tree's balls are closed: a little less than the radius leaves out what lies on it
            within = np.sqrt(radii) * (1 - SLACK)
            counts = self.fake.tree.query_ball_point(self.real.points, within, return_length=True)
            return np.where(radii > 0, counts, 0)
        found, start = [], 0
        for block in self._between():
            found.append((block.numpy() < radii[start : start + len(block), None]).sum(axis=1))
            start += len(block)
        return np.concatenate(found)

    def colliding(self, squared_distance: float) -> tuple[int, int]:
        """Count the generated points that have another one within a distance, and such pairs."""
        import numpy as np

        alone = self.fake.radii(1) > squared_distance
        if self.fake.few_dimensions:
            within = float(np.sqrt(squared_distance)) * (1 + SLACK)
            twice = int(self.fake.tree.count_neighbors(self.fake.tree, within)) - len(self)
        else:
            twice = sum(int(np.count_nonzero(block.numpy() <= squared_distance)) for block in self.fake.others())
        return int(np.count_nonzero(~alone)), twice // 2

    def _between(self) -> Iterator[Tensor]:
        """Yield blocks of squared distances, a row for each real point and a column for each generated one."""
        yield from self._kept or squared_distances(self.real.features, self.fake.features)

    @cached_property
    def _kept(self) -> list[Tensor]:
        if len(self) ** 2 > KEPT_DISTANCES:
            return []
        return list(squared_distances(self.real.features, self.fake.features))


def squared(points: Numbers, others: Numbers) -> Numbers:
    """Return squared distances over the last dimension; of equal pairs they are equal to the last bit."""
    found: Numbers = (points[..., 0] - others[..., 0]) ** 2
    for axis in range(1, points.shape[-1]):
        found += (points[..., axis] - others[..., axis]) ** 2
    return found


def _inside_any(points: Side, centres: Side, radii: Numbers) -> NDArray[np.bool_]:
    """Ask the nearest centres first, and for points that are in none of their balls those whose balls are wide.

    A centre beyond the nearest ones needs a ball that reaches farther than they are, which few have.
    """
    import numpy as np

    count = min(NEAREST, len(centres))
    distances, nearest = map(np.asarray, centres.tree.query(points.points, k=list(range(1, count + 1))))
    between = squared(points.points[:, None], centres.points[nearest])
    inside: NDArray[np.bool_] = (between <= radii[nearest]).any(axis=1)
    left = np.flatnonzero(~inside)
    left = left[np.argsort(distances[left, -1])]
    order = np.argsort(radii)
    middle, sizes = centres.points.mean(axis=0), radii[order]
    spread = centres.points[order] - middle
    powers = _powers_of(spread, sizes)
    for start in range(0, len(left), ROWS):
        rows = left[start : start + ROWS]
        first = np.searchsorted(sizes, (distances[rows[0], -1] * (1 - SLACK)) ** 2)
        inside[rows] = _reached(points.points[rows] - middle, spread[first:], sizes[first:], powers[first:])
    return inside


def _powers_of(centres: Numbers, radii: Numbers) -> Numbers:
    """Return what gives |a - c|^2 - r^2 as the product with (-2 a, |a|^2, 1)."""
    import numpy as np

    return np.column_stack([centres, np.ones(len(centres)), (centres**2).sum(axis=1) - radii])


def _reached(points: Numbers, centres: Numbers, radii: Numbers, powers: Numbers) -> NDArray[np.bool_]:
    """Say which points lie in any ball: by the sign of the least power, and in full where rounding could decide it."""
    import numpy as np

    if not len(centres):
        return np.zeros(len(points), dtype=bool)
    norms = (points**2).sum(axis=1)
    least = (np.column_stack([points * -2, norms, np.ones(len(points))]) @ powers.T).min(axis=1)
    unsure = np.abs(least) <= ROUNDING * (norms + np.abs(powers[:, -1]).max() + radii[-1])
    found: NDArray[np.bool_] = least <= 0
    found[unsure] = (squared(points[unsure, None], centres) <= radii).any(axis=1)
    return found
