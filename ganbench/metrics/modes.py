"""Which of the known modes a generator reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register


@register("modes")
@dataclass(frozen=True)
class ModeCoverage:
    """Modes covered, share of high quality and KL to the truth (Metz et al. 2017; Srivastava et al. 2017).

    `modes`: modes with at least one high-quality sample. `high_quality`: the share of samples close to a mode
    (all of them, where a classifier tells the modes). `mode_kl` = sum_i q_i log(q_i / w_i), q the modes'
    shares among the high-quality samples, w their true weights. Finite samples of the truth itself score
    above zero: .0014 +- .0007 (8 modes) and .0048 +- .0014 (25 modes) with 2,500 samples.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("modes",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {
        "modes": "higher",
        "high_quality": "higher",
        "mode_kl": "lower",
    }
    titles: ClassVar[Mapping[str, str]] = {
        "modes": "modes covered",
        "high_quality": "high-quality share",
        "mode_kl": "KL of modes",
    }
    undefined: ClassVar[Mapping[str, str]] = {"mode_kl": "no sample is of high quality"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `modes`, `high_quality` in [0, 1] and `mode_kl` (NaN when no sample is of high quality)."""
        import numpy as np

        if evidence.modes is None:
            raise ValueError("the modes of this dataset are not known")
        truth = evidence.modes
        counts = np.bincount(truth.nearest[truth.high_quality], minlength=len(truth.weights))
        total = int(counts.sum())
        if total == 0:
            return {"modes": 0.0, "high_quality": 0.0, "mode_kl": math.nan}
        seen = counts > 0
        shares = counts[seen] / total
        with np.errstate(divide="ignore"):  # a mode that the truth does not have makes the KL infinite
            divergence = float(np.sum(shares * np.log(shares / truth.weights[seen])))
        share = float(np.mean(truth.high_quality))
        return {"modes": float(seen.sum()), "high_quality": share, "mode_kl": max(0.0, divergence)}
