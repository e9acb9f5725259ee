"""DINOv2, a network trained without labels, whose distances agree better with people than Inception's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from ganbench.evaluation.extractors import register
from ganbench.evaluation.extractors.pretrained import (
    ImageFeatures,
    Weights,
    assembled,
    grey,
    hash_of,
    tensors_in,
    unreadable,
)
from ganbench.plugins import Dataset
from ganbench.registry import Part

SITE = "https://dl.fbaipublicfiles.com/dinov2"
# Meta publishes no checksums: these are of the files as they have been since April 2023.
PUBLISHED = {
    "vit-s-14": ("dinov2_vits14", 88, "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"),
    "vit-b-14": ("dinov2_vitb14", 346, "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73"),
    "vit-l-14": ("dinov2_vitl14", 1218, "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428"),
}


@register("dinov2")
@dataclass(frozen=True)
class DinoV2:
    """DINOv2 (Oquab et al. 2024, arXiv:2304.07193): the class token of a vision transformer, 384, 768 or 1,024 numbers.

    Stein et al. 2023 (arXiv:2306.04675) recommend ViT-L/14 for scores of generative models. Resized to 224 x 224 as
    TensorFlow 1 did and normalised by torch-fidelity; one grey channel is repeated to three. torch-fidelity takes
    the network's code from the newest state of a repository and unpickles its weights: here the transformer is
    ganbench's own, and of the weights nothing but tensors is read. `weights` is the path of a weights file; when it
    is empty Meta's own (88, 346 or 1,218 MB) is downloaded to the cache. It does not classify, so no inception score.
    Tests run it with random weights: of the published files they know the sizes only, which fit.
    """

    version: ClassVar[int] = 1
    gives: ClassVar[Sequence[str]] = ("features",)

    model: Literal["vit-s-14", "vit-b-14", "vit-l-14"] = "vit-l-14"
    weights: str = field(default="", metadata={"in_key": False})

    @property
    def images_per_cpu_second(self) -> float:
        """What one core gets through, roughly."""
        return {"vit-s-14": 5.0, "vit-b-14": 1.2, "vit-l-14": 0.5}[self.model]

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse all but images with one or three channels."""
        return unreadable("dinov2", dataset)

    def missing(self, dataset: Dataset, cache: Path) -> str | None:
        """Say that the weights are absent and how to come by them, or None."""
        return self._published.missing(self.weights, cache)

    def files(self, dataset: Part, data_root: Path, cache: Path) -> tuple[Path, ...]:
        """Return where the weights lie."""
        return (self._published.path(self.weights, cache),)

    def damaged(self, dataset: Part, data_root: Path, cache: Path) -> str | None:
        """Say that the weights in the cache are not the published ones, or None."""
        return self._published.damaged(self.weights, cache)

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Download the weights, checked by their hash, unless there; FileNotFoundError for a wrong path."""
        self._published.fetch(self.weights, cache)

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> ImageFeatures:
        """Return the network with the weights from `weights` or the cache; RuntimeError when they are another's."""
        import torch
        from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

        from ganbench.evaluation.extractors.dinov2_network import SIZES, VisionTransformer

        self.prepare(dataset, data_root, cache)
        content = self._published.path(self.weights, cache).read_bytes()
        tensors = tensors_in(content)
        with torch.device("meta"):  # no random weights for nothing
            transformer = VisionTransformer(*SIZES[self.model])
        transformer.load_state_dict(tensors, assign=True)
        transformer.float()
        network = assembled(FeatureExtractorDinoV2, f"dinov2-{self.model}", "dinov2", model=transformer)
        identity = {
            "weights": hash_of(content),
            "resize": "bilinear to 224 x 224 as in TensorFlow 1, inside the network",
            "grey": grey(dataset.create()),
        }
        return ImageFeatures(network.to(device), identity, device)

    @property
    def _published(self) -> Weights:
        name, megabytes, sha256 = PUBLISHED[self.model]
        file = f"{name}_pretrain.pth"
        return Weights("DINOv2", file, megabytes, f"{SITE}/{name}/{file}", sha256)
