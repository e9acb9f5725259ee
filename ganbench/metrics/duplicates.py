"""The birthday paradox: how often a generator repeats itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.metrics.distances import equally_many, squared_distances_to_others, squared_neighbour_distances

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
        fake, real = equally_many(evidence.features, evidence.reference.features)
        nearest = squared_neighbour_distances(real, 1)
        # the lower of the two neighbours of the quantile: an interpolated one moves with a single outlier
        threshold = nearest.quantile(SHARE, interpolation="lower")
        repeated = colliding = 0
        for block in squared_distances_to_others(fake):
            close = block <= threshold
            repeated += int(close.any(dim=1).sum())
            colliding += int(close.sum())
        pairs = len(fake) * (len(fake) - 1) / 2
        return {"duplicates": repeated / len(fake), "support": pairs / max(colliding / 2, 1)}
