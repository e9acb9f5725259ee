"""Inception score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.plugins import Count


@register("is")
@dataclass(frozen=True)
class InceptionScore:
    """Inception score (Salimans et al. 2016, arXiv:1606.03498), section 4, by torch-fidelity.

    IS = exp(E_x KL(p(y|x) || p(y))), the mean over `splits` parts of the shuffled samples; 1 to the number of
    classes. With a classifier other than Inception it is the same formula on that classifier's classes.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("logits",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"is": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"is": "IS"}

    splits: Count = 10

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `is`; ValueError without logits or with fewer samples than splits."""
        from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

        if evidence.logits is None:
            raise ValueError("there are no logits: the extractor does not classify")
        if len(evidence.logits) < self.splits:
            raise ValueError(f"{len(evidence.logits)} samples cannot be split into {self.splits} parts")
        scores = isc_features_to_metric(evidence.logits, self.splits, shuffle=True, rng_seed=evidence.seed % 2**32)
        return {"is": scores[KEY_METRIC_ISC_MEAN]}
