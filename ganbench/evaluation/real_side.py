"""What pictures show of the real side: training rows near samples, and densities. Once for all cells of a dataset."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.datasets.pixels import mapped
from ganbench.evaluation.evidence import Reference
from ganbench.evaluation.plane import SIDE, Plane
from ganbench.evaluation.reference import rows_of
from ganbench.metrics.distances import squared_distances
from ganbench.paths import whole_file
from ganbench.plugins import Dataset, Shape
from ganbench.registry import Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

AMONG = 1000  # real rows whose distances to their nearest stand for those of all
QUANTILES = (0.01, 0.5)  # of these distances
PLANE: Shape = (2,)  # the shape of a point that can be drawn


class RealSide:
    """The rows of a reference as they are, and what is near what by its features.

    The rows lie in the cache, beside the reference, and are read from there where one is looked at: a large dataset
    is not in memory again.
    """

    def __init__(self, dataset: Part, reference: Reference, data_root: Path) -> None:
        """Take the dataset's reference; nothing is read yet."""
        self._dataset, self._reference, self._data_root = dataset, reference, data_root

    def prepare(self) -> None:
        """Put all into the cache that cells share."""
        assert len(self.rows) == len(self._reference.features)
        if len(self._reference.features) > 1:
            self.distances.sum()
        if self.rows.shape[1:] == PLANE:
            self.truth.sum()

    @cached_property
    def rows(self) -> NDArray[np.generic]:
        """The rows `(n, *shape)` as the dataset stores them, in the reference's order."""
        import numpy as np

        path = self._reference.path
        if path is None:
            return self._read()
        kept = path.with_name(f"{path.stem}-rows.npy")
        if not kept.exists():
            with whole_file(kept) as file:
                np.save(file, self._read(), allow_pickle=False)
        return mapped(kept)

    def _read(self) -> NDArray[np.generic]:
        return rows_of(self._dataset, len(self._reference.features), self._data_root)[0].numpy()

    def nearest(self, features: Tensor) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
        """Return the rows `(m, *shape)` nearest to features `(m, d)`, and how far they are `(m,)`; 0 for equal ones."""
        import numpy as np
        import torch

        # By differences: what is gained by a product instead is lost in the digits of a small distance.
        apart = torch.cdist(features, self._reference.features, compute_mode="donot_use_mm_for_euclid_dist")
        distances, which = apart.min(dim=1)
        return np.array(self.rows[which.numpy()]), distances.numpy()

    @property
    def distances(self) -> NDArray[np.float64]:
        """How far real rows are from the nearest other one, for scale: the 1 % quantile and the median.

        ValueError where there is one row alone.
        """
        return self._reference.kept("nearest-real", self._distances)

    def _distances(self) -> NDArray[np.float64]:
        import numpy as np
        import torch

        features = self._reference.features
        if len(features) < 2:
            raise ValueError("one real row has no other one")
        blocks = squared_distances(features[:AMONG], features, others=True)
        nearest = torch.cat([block.amin(dim=1).clamp(min=0) for block in blocks]).sqrt().numpy()
        found: NDArray[np.float64] = np.quantile(nearest, QUANTILES)
        return found

    @cached_property
    def plane(self) -> Plane:
        """The square that shows the rows, which are to be points in the plane."""
        return Plane.around(self.rows)

    @property
    def truth(self) -> NDArray[np.float64]:
        """The real density over the plane, as Plane gives it."""
        return self._reference.kept(f"density-{SIDE}", self._truth)

    def _truth(self) -> NDArray[np.float64]:
        source: Dataset = self._dataset.create()
        return self.plane.truth(self.rows, getattr(source, "log_density", None))
