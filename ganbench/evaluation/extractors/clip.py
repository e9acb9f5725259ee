"""CLIP, a network trained on pictures with their captions."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

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

if TYPE_CHECKING:
    from torch import Tensor

SITE = "https://openaipublic.azureedge.net/clip/models"  # the SHA-256 of a file is part of its address
NAMES = {"visual.conv1.weight", "visual.positional_embedding", "visual.proj", "text_projection"}
FIRST = {"vit-b-32": (768, 32), "vit-b-16": (768, 16), "vit-l-14": (1024, 14)}  # width and patch of the first layer
PUBLISHED = {
    "vit-b-32": ("ViT-B-32", 354, "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
    "vit-b-16": ("ViT-B-16", 351, "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
    "vit-l-14": ("ViT-L-14", 933, "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"),
}


@register("clip")
@dataclass(frozen=True)
class Clip:
    """The image side of CLIP (Radford et al. 2021, arXiv:2103.00020) by torch-fidelity: 512 or 768 numbers.

    Resized to 224 x 224 as TensorFlow 1 did and normalised by torch-fidelity; one grey channel is repeated to three;
    weights have half precision, sums single. `weights` is the path of a weights file; when it is empty OpenAI's own
    (351 to 933 MB) is downloaded to the cache. OpenAI's files are TorchScript, which can hold code: such a file is
    opened only when it has the published checksum, any other must hold nothing but tensors, under OpenAI's names. It
    does not classify, so no inception score. Tests run it with random weights, in both forms of file.
    """

    version: ClassVar[int] = 1
    gives: ClassVar[Sequence[str]] = ("features",)

    model: Literal["vit-b-32", "vit-b-16", "vit-l-14"] = "vit-b-32"
    weights: str = field(default="", metadata={"in_key": False})

    @property
    def images_per_cpu_second(self) -> float:
        """What one core gets through, roughly."""
        return {"vit-b-32": 10.0, "vit-b-16": 2.0, "vit-l-14": 0.4}[self.model]

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse all but images with one or three channels."""
        return unreadable("clip", dataset)

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
        """Return the network with the weights from `weights` or the cache; ValueError when they are not CLIP's."""
        import torch
        from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP, build_model

        self.prepare(dataset, data_root, cache)
        content = self._published.path(self.weights, cache).read_bytes()
        tensors = _tensors(content, self._published.sha256)
        _check(tensors, self.model)
        model = build_model(tensors, torch.float32)
        side = model.visual.input_resolution
        network = assembled(FeatureExtractorCLIP, f"clip-{self.model}", "clip", model=model, resolution=side)
        identity = {
            "weights": hash_of(content),
            "resize": f"bilinear to {side} x {side} as in TensorFlow 1, inside the network",
            "grey": grey(dataset.create()),
        }
        return ImageFeatures(network.to(device), identity, device)

    @property
    def _published(self) -> Weights:
        name, megabytes, sha256 = PUBLISHED[self.model]
        return Weights("CLIP", f"{name}.pt", megabytes, f"{SITE}/{sha256}/{name}.pt", sha256)


def _tensors(content: bytes, published: str) -> dict[str, Tensor]:
    """Read tensors, from a TorchScript archive only when it is the published one."""
    if not _is_torchscript(content):
        return tensors_in(content)
    if hashlib.sha256(content).hexdigest() != published:
        raise ValueError("the weights are TorchScript, which can hold code, and not the file that OpenAI published")
    import torch

    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning):  # TorchScript as a whole is deprecated
            warnings.simplefilter("ignore", category)
        archive = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
        return dict(archive.state_dict())


def _is_torchscript(content: bytes) -> bool:
    try:
        return any(name.endswith("/constants.pkl") for name in zipfile.ZipFile(io.BytesIO(content)).namelist())
    except zipfile.BadZipFile:
        return False


def _check(tensors: Mapping[str, Tensor], model: str) -> None:
    """Refuse weights of another network: torch-fidelity would build whatever they describe."""
    if absent := NAMES - tensors.keys():
        raise ValueError(f"the weights lack {', '.join(sorted(absent))}: they are not CLIP's")
    width, _, _, patch = tensors["visual.conv1.weight"].shape
    if (width, patch) != FIRST[model]:
        raise ValueError(f"the weights have width {width} and patches of {patch} pixels, which is not {model}")
