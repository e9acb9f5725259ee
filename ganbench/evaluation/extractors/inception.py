"""Inception-v3, the network that published FIDs come from, as torch-fidelity ports it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ganbench.evaluation.extractors import register
from ganbench.evaluation.extractors.pretrained import ImageFeatures, Weights, grey, hash_of, tensors_in, unreadable
from ganbench.plugins import Dataset
from ganbench.registry import Part

PUBLISHED = Weights(
    "Inception",
    "weights-inception-2015-12-05-6726825d.pth",
    91,
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    "6726825d",
)


@register("inception")
@dataclass(frozen=True)
class Inception:
    """Inception-v3 of 2015 (Szegedy et al. 2016) with the original FID weights, by torch-fidelity.

    2,048 pooled features, and logits without bias for the inception score. Images are resized to 299 x 299 as
    TensorFlow 1 did; one grey channel is repeated to three. `weights` is the path of a weights file; when it
    is empty torch-fidelity's own (91 MB) is downloaded to the cache.
    """

    version: ClassVar[int] = 1
    gives: ClassVar[Sequence[str]] = ("features", "logits")
    images_per_cpu_second: ClassVar[float] = 4.0

    weights: str = field(default="", metadata={"in_key": False})

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse all but images with one or three channels."""
        return unreadable("inception", dataset)

    def missing(self, dataset: Dataset, cache: Path) -> str | None:
        """Say that the weights are absent and how to come by them, or None."""
        return PUBLISHED.missing(self.weights, cache)

    def files(self, dataset: Part, data_root: Path, cache: Path) -> tuple[Path, ...]:
        """Return where the weights lie."""
        return (PUBLISHED.path(self.weights, cache),)

    def damaged(self, dataset: Part, data_root: Path, cache: Path) -> str | None:
        """Say that the weights in the cache are not the published ones, or None."""
        return PUBLISHED.damaged(self.weights, cache)

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Download the weights, checked by their hash, unless there; FileNotFoundError for a wrong path."""
        PUBLISHED.fetch(self.weights, cache)

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> ImageFeatures:
        """Return the network with the weights from `weights` or the cache; nothing is ever unpickled."""
        import torch
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        self.prepare(dataset, data_root, cache)
        content = PUBLISHED.path(self.weights, cache).read_bytes()
        # torch-fidelity unpickles whatever it is given: let it see nothing but tensors
        tensors = io.BytesIO()
        torch.save(tensors_in(content), tensors)
        tensors.seek(0)
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], tensors)
        identity = {
            "weights": hash_of(content),
            "resize": "bilinear to 299 x 299 as in TensorFlow 1, inside the network",
            "grey": grey(dataset.create()),
        }
        return ImageFeatures(network.to(device), identity, device)
