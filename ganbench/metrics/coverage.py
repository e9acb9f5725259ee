"""Density and coverage of a set of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.metrics.distances import equally_many, squared_distances, squared_neighbour_distances
from ganbench.plugins import Count


@register("coverage")
@dataclass(frozen=True)
class Coverage:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797), eq. 4 and 5.

    With B_i the open ball around real sample i whose radius is the distance to its k-th nearest other real
    one: density = 1/(k n) sum_ij 1[fake_j in B_i], coverage = 1/n sum_i 1[some fake_j in B_i]; of both sides
    the first n rows. The expected coverage of real samples is 1 - 2^-k for large n; their density is 1.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"coverage": "higher", "density": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"coverage": "coverage", "density": "density"}

    neighbours: Count = 5

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `coverage` in [0, 1] and `density` >= 0; ValueError with too few samples."""
        fake, real = equally_many(evidence.features, evidence.reference.features)
        radii = squared_neighbour_distances(real, self.neighbours)
        covered = inside = start = 0
        for block in squared_distances(real, fake):
            within = block < radii[start : start + len(block), None]
            covered += int(within.any(dim=1).sum())
            inside += int(within.sum())
            start += len(block)
        return {"coverage": covered / len(real), "density": inside / (self.neighbours * len(fake))}
