"""Frechet distance as it would be of infinitely many samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register
from ganbench.plugins import Count

POINTS = 15
LEAST = 20  # so that the smallest of the counts, a tenth of it, has a covariance


@register("fid_infinity")
@dataclass(frozen=True)
class FidInfinity:
    """FID without the bias of finitely many samples (Chong and Forsyth 2020, arXiv:1911.07023), section 4.

    FID_inf = a of the least-squares line FID(m) = a + b / m through `points` counts m, evenly spaced from n / 10 to n
    (the paper's 5,000 to 50,000 of 50,000); FID(m) is that of m of the n samples, drawn anew for each m. May come out
    slightly below zero. The bias is linear in 1 / m where m is well above the number of features: FID(n / 10) of 2,048
    features needs 50,000 samples and says little with 2,000. The reference has finitely many rows as in the FID itself,
    so that the bias of that side stays. Costs as much as `points` FIDs.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"fid_infinity": "lower"}
    titles: ClassVar[Mapping[str, str]] = {"fid_infinity": "FID of infinitely many"}

    points: Count = POINTS

    def __post_init__(self) -> None:
        """Refuse fewer than two points, which give no line."""
        if self.points < 2:
            raise ValueError("points: a line needs two or more")

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `fid_infinity`; ValueError with fewer than twenty samples."""
        import numpy as np
        import torch

        from ganbench.metrics.fid import statistics, to_reference

        count = len(evidence.features)
        if count < LEAST:
            raise ValueError(f"{count} samples are too few to extrapolate from: it takes {LEAST}")
        stream = np.random.RandomState(evidence.seed % 2**32)
        counts = np.linspace(count / 10, count, self.points).astype(int)
        found = []
        for size in counts:
            drawn = torch.from_numpy(stream.permutation(count)[:size])
            known = statistics(evidence.features[drawn])
            found.append(to_reference(known["mu"], known["sigma"], evidence.reference))
        return {"fid_infinity": float(np.polynomial.Polynomial.fit(1 / counts, found, 1)(0.0))}

    def prepare(self, reference: Reference, samples: int) -> None:
        """Factor the real covariance, which the reference keeps."""
        from ganbench.metrics.fid import Fid

        Fid().prepare(reference, samples)
