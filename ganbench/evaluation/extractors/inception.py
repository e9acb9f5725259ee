"""Inception-v3, the network that published FIDs come from, as torch-fidelity ports it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ganbench.evaluation.extractors import register
from ganbench.plugins import Dataset
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 32
FILE = "weights-inception-2015-12-05-6726825d.pth"  # the digits are the start of the file's own hash


@dataclass(frozen=True)
class InceptionFeatures:
    """The network; `identity` holds the hash of its weights, its resize and what happens to grey images."""

    network: nn.Module
    identity: Mapping[str, Any]
    device: str

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Map uint8 images with 1 or 3 channels to features `(n, 2048)` and unbiased logits `(n, 1008)`."""
        import torch

        features, logits = [], []
        # TF32 would make the same pictures score differently on another card
        with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for batch in torch.split(samples, BATCH):
                coloured = batch.expand(-1, 3, -1, -1).to(self.device)
                both = self.network(coloured)
                features.append(both[0].cpu())
                logits.append(both[1].cpu())
        return torch.cat(features), torch.cat(logits)


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

    weights: str = field(default="", metadata={"in_key": False})

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse all but images with one or three channels."""
        if len(dataset.shape) != 3:
            return "inception is for images; take identity"
        channels = dataset.shape[0]
        return None if channels in (1, 3) else f"inception needs 1 or 3 channels, not {channels}"

    def missing(self, dataset: Dataset, cache: Path) -> str | None:
        """Say that the weights are absent and how to come by them, or None."""
        path = self._path(cache)
        if path.is_file():
            return None
        if self.weights:
            return f"there are no Inception weights at {path}"
        return (
            f"Inception weights (91 MB) would be downloaded to {path}; "
            "without a network, put the file there or name it in inception's parameter weights"
        )

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Download the weights, checked by their hash, unless there; FileNotFoundError for a wrong path."""
        path = self._path(cache)
        if path.is_file():
            return
        if self.weights:
            raise FileNotFoundError(f"there are no Inception weights at {path}")
        from torch.hub import download_url_to_file
        from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

        path.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(URL_INCEPTION_V3, str(path), hash_prefix=_hash_prefix(FILE), progress=False)

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> InceptionFeatures:
        """Return the network with the weights from `weights` or the cache; nothing is ever unpickled."""
        import torch
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        self.prepare(dataset, data_root, cache)
        content = self._path(cache).read_bytes()
        # torch-fidelity unpickles whatever it is given: let it see nothing but tensors
        tensors = io.BytesIO()
        torch.save(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), tensors)
        tensors.seek(0)
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], tensors)
        identity = {
            "weights": hashlib.sha256(content).hexdigest()[:16],
            "resize": "bilinear to 299 x 299 as in TensorFlow 1, inside the network",
            "grey": "repeated to three channels" if dataset.create().shape[0] == 1 else "none",
        }
        return InceptionFeatures(network.to(device), identity, device)

    def _path(self, cache: Path) -> Path:
        return Path(self.weights).expanduser() if self.weights else cache / "inception" / FILE


def _hash_prefix(name: str) -> str:
    return name.rsplit("-", 1)[1].removesuffix(".pth")
