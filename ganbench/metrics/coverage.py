"""Density and coverage of a set of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register
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
        around = evidence.neighbourhoods.fakes_around(self.neighbours)
        return {
            "coverage": float((around > 0).mean()),
            "density": float(around.sum()) / (self.neighbours * len(around)),
        }

    def prepare(self, reference: Reference, samples: int) -> None:
        """Measure the balls around real samples, which the reference keeps."""
        reference.first(samples).measure(self.neighbours)
