"""Precision and recall of a set of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.metrics.distances import equally_many
from ganbench.plugins import Count

ROWS = 500  # at once: 10 MB for 2,500 samples, and half the time of torch-fidelity's own 10,000


@register("precision_recall")
@dataclass(frozen=True)
class PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991), eq. 1 to 3.

    precision: the share of samples within the ball of some real one, whose radius is the distance to its k-th
    nearest other real one; recall: the share of real ones within such balls of the samples. Of both sides the
    first n rows. By torch-fidelity.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"precision": "higher", "recall": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"precision": "precision", "recall": "recall"}

    neighbours: Count = 3

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `precision` and `recall` in [0, 1]; ValueError with too few samples for the neighbours."""
        from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

        fake, real = equally_many(evidence.features, evidence.reference.features)
        if len(fake) <= self.neighbours:
            raise ValueError(f"{len(fake)} samples are too few for {self.neighbours} neighbours each")
        # torch-fidelity 0.4 takes the samples first and the real side second; before 0.4 it mixed them up
        scores = prc_features_to_metric(
            fake,
            real,
            prc_neighborhood=self.neighbours,
            prc_batch_size=ROWS,
            save_cpu_ram=True,
            verbose=False,
        )
        return {"precision": scores[KEY_METRIC_PRECISION], "recall": scores[KEY_METRIC_RECALL]}
