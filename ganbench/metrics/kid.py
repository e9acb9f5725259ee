"""Kernel distance of two sets of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.plugins import Count


@register("kid")
@dataclass(frozen=True)
class Kid:
    """Kernel Inception distance (Binkowski et al. 2018, arXiv:1801.01401), section 4, by torch-fidelity.

    The unbiased squared MMD with the kernel (x.y / d + 1)^3, averaged over random subsets of both sides. Its
    expectation does not depend on the size of the subsets, its cost does: 100 subsets of 250 take a tenth of
    the time of the customary 100 subsets of 1,000. May come out slightly below zero.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"kid": "lower"}
    titles: ClassVar[Mapping[str, str]] = {"kid": "KID"}

    subsets: Count = 100
    subset_size: Count = 250

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `kid`; subsets shrink to the smaller side, ValueError when that is below two."""
        from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

        real = evidence.reference.features
        size = min(self.subset_size, len(evidence.features), len(real))
        if size < 2:
            raise ValueError("subsets need two samples or more")
        scores = kid_features_to_metric(
            evidence.features,
            real,
            kid_subsets=self.subsets,
            kid_subset_size=size,
            rng_seed=evidence.seed % 2**32,
            verbose=False,
        )
        return {"kid": scores[KEY_METRIC_KID_MEAN]}
