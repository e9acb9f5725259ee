"""Diversity of generated pictures by how differently a network sees pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register
from ganbench.metrics.pairs import within_classes
from ganbench.paths import cache_root
from ganbench.plugins import Count

VGG, CHANNELS = "vgg16-397923af.pth", "weights-vgg16-lpips.pth"  # as torchvision and torch-fidelity publish them
LEAST_SIDE = 16  # four poolings of it leave one pixel


@register("lpips")
@dataclass(frozen=True)
class LpipsDiversity:
    """Mean LPIPS of pairs of samples of one class (Zhang et al. 2018, arXiv:1801.03924, eq. 1); high: diverse.

    LPIPS(a, b) = sum_l mean_hw sum_c w_lc (f_lc(a) - f_lc(b))^2, f the unit-length features of VGG-16 at five depths:
    torch-fidelity's (v0.1 of the authors' weights), at the pictures' own size, grey repeated to three channels. 0 for
    equal pictures. Noise is diverse, too: read it beside the ceiling, which is that of real pictures, and FID. The
    class is the one that was asked for, else the one seen. On a CPU 200 pairs of 32 px take seconds.

    `weights` is a folder with the files vgg16-397923af.pth and weights-vgg16-lpips.pth; when it is empty they (528 MB)
    are downloaded into `lpips` in the cache when the dataset is prepared, before anything trains.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("images",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"lpips": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"lpips": "LPIPS of pairs"}

    pairs: Count = 200
    weights: str = field(default="", metadata={"in_key": False})

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `lpips` >= 0; ValueError for pictures below 16 px, FileNotFoundError without weights."""
        samples = evidence.samples
        if samples is None or samples.ndim != 4:
            raise ValueError("the samples are no pictures")
        if min(samples.shape[2:]) < LEAST_SIDE or samples.shape[1] not in (1, 3):
            raise ValueError(f"LPIPS is for pictures of {LEAST_SIDE} px and more with 1 or 3 channels")
        folder = self._folder(evidence.reference)
        absent = self._absent(folder)
        if absent:
            raise FileNotFoundError(f"{absent}; without a network, put them there or name their folder in weights")
        from ganbench.metrics.lpips_network import Lpips

        network: Lpips = evidence.reference.once(("lpips", folder), lambda: Lpips(folder))
        first, second = within_classes(evidence, self.pairs)
        return {"lpips": float(network(samples[first], samples[second]).double().mean())}

    def prepare(self, reference: Reference, samples: int) -> None:  # noqa: ARG002 - weights have no size
        """Download the weights unless they are there; FileNotFoundError for a wrong folder."""
        folder = self._folder(reference)
        if not self._absent(folder):
            return
        if self.weights:
            raise FileNotFoundError(self._absent(folder))
        from ganbench.metrics.lpips_network import fetch

        fetch(folder)

    def _folder(self, reference: Reference) -> Path:
        if self.weights:
            return Path(self.weights).expanduser()
        return (reference.path.parents[1] if reference.path else cache_root()) / "lpips"

    def _absent(self, folder: Path) -> str:
        absent = [name for name in (VGG, CHANNELS) if not (folder / name).is_file()]
        return f"there are no LPIPS weights {' and '.join(absent)} in {folder}" if absent else ""
