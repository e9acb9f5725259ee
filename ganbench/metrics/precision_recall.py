"""Precision and recall of a set of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register
from ganbench.plugins import Count


@register("precision_recall")
@dataclass(frozen=True)
class PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991), eq. 1 to 3.

    precision: the share of samples within the ball of some real one, whose radius is the distance to its k-th
    nearest other real one; recall: the share of real ones within such balls of the samples. Of both sides the
    first n rows. The numbers are torch-fidelity's on features in double precision; in single precision, its own
    choice, distances between points of a narrow mode are mostly rounding.
    """

    version: ClassVar[int] = 2
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"precision": "higher", "recall": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"precision": "precision", "recall": "recall"}

    neighbours: Count = 3

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `precision` and `recall` in [0, 1]; ValueError with too few samples for the neighbours."""
        near = evidence.neighbourhoods
        return {
            "precision": float(near.inside_any("fake", self.neighbours).mean()),
            "recall": float(near.inside_any("real", self.neighbours).mean()),
        }

    def prepare(self, reference: Reference, samples: int) -> None:
        """Measure the balls around real samples, which the reference keeps."""
        reference.first(samples).measure(self.neighbours)
