"""Diversity of generated pictures by how alike pairs of them look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register
from ganbench.metrics.pairs import within_classes
from ganbench.plugins import Count

BLOCK = 100  # pairs at a time


@register("ms_ssim")
@dataclass(frozen=True)
class MsSsimDiversity:
    """Mean MS-SSIM of pairs of samples of one class (Odena et al. 2017, arXiv:1610.09585, section 4.1); low: diverse.

    MS-SSIM is that of Wang et al. 2003, the product over scales j of (contrast x structure)_j^w_j, with the luminance
    at the coarsest: 1 for equal pictures. `structural_similarity` in `ganbench.metrics.ssim` has the details. Five
    scales need 161 px a side; smaller pictures have as many as leave the 11 px window room (two from 21 px, three from
    41, four from 81) and their weights made to sum to one, so compare at one size. Real pictures have a value of their
    own, the ceiling: well below it is noise, above it collapse. The class is the one asked for, else the one seen.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("images",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"ms_ssim": "lower"}
    titles: ClassVar[Mapping[str, str]] = {"ms_ssim": "MS-SSIM of pairs"}

    pairs: Count = 500

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `ms_ssim` in [0, 1]; ValueError for pictures below 11 px, or where no two are of one class."""
        import torch

        from ganbench.metrics.ssim import structural_similarity

        if evidence.samples is None or evidence.samples.ndim != 4:
            raise ValueError("the samples are no pictures")
        samples, (first, second) = evidence.samples, within_classes(evidence, self.pairs)
        blocks = zip(torch.split(first, BLOCK), torch.split(second, BLOCK), strict=True)
        found = torch.cat([structural_similarity(samples[a].float(), samples[b].float()) for a, b in blocks])
        return {"ms_ssim": float(found.mean())}
