"""The birthday paradox: how often a generator repeats itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register

SHARE = 0.01  # of real samples that count as duplicates, by definition of the threshold


@register("duplicates")
@dataclass(frozen=True)
class Duplicates:
    """Duplicates and support size by the birthday paradox (Arora and Zhang 2017, arXiv:1706.08224).

    Two samples collide when their features are no farther apart than t, the 1 % quantile of the distances of
    n real samples to their nearest other. `duplicates` is the share of n samples that collide with another
    one: .01 for real ones. `support` = n (n - 1) / (2 c), c the number of colliding pairs, estimates from how
    many equally likely samples the generator draws; c is taken as 1 when there is none, so that n (n - 1) / 2
    means "at least".
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"duplicates": "lower", "support": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"duplicates": "duplicates", "support": "support size"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `duplicates` in [0, 1] and `support` >= 1; ValueError with fewer than two samples."""
        import numpy as np

        near = evidence.neighbourhoods
        # the lower of the two neighbours of the quantile: an interpolated one moves with a single outlier
        threshold = float(np.quantile(near.real.radii(1), SHARE, method="lower"))
        repeated, colliding = near.colliding(threshold)
        pairs = len(near) * (len(near) - 1) / 2
        return {"duplicates": repeated / len(near), "support": pairs / max(colliding, 1)}

    def prepare(self, reference: Reference, samples: int) -> None:
        """Measure how near real samples come to each other, which the reference keeps."""
        reference.first(samples).measure(1)
