"""What published networks have in common: a file of weights, and images in batches."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.locks import alone
from ganbench.plugins import Dataset

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 32


@dataclass(frozen=True)
class Weights:
    """A published file of weights: whose, how large, where from, and how it begins in SHA-256."""

    network: str
    file: str
    megabytes: int
    url: str
    sha256: str

    def path(self, given: str, cache: Path) -> Path:
        """Return where the file lies: at the path that was `given`, or in the cache."""
        return Path(given).expanduser() if given else cache / self.network.lower() / self.file

    def missing(self, given: str, cache: Path) -> str | None:
        """Say that the weights are absent and how to come by them, or None."""
        path = self.path(given, cache)
        if path.is_file():
            return None
        if given:
            return f"there are no {self.network} weights at {path}"
        return (
            f"{self.network} weights ({self.megabytes} MB) would be downloaded to {path}; without a network, put "
            f"the file of {self.url} there or name it in the extractor's parameter weights"
        )

    def damaged(self, given: str, cache: Path) -> str | None:
        """Say that the file in the cache is not the published one, or None; a file that was `given` is trusted."""
        path = self.path(given, cache)
        if given or sha256_of(path).startswith(self.sha256):
            return None
        return f"{path} is not what was published: its SHA-256 does not begin with {self.sha256[:16]}"

    def fetch(self, given: str, cache: Path) -> None:
        """Download the file unless it is there.

        FileNotFoundError for a wrong path, ConnectionError when the download fails or is not what was published.
        """
        path = self.path(given, cache)
        if path.is_file():
            return
        if given:
            raise FileNotFoundError(f"there are no {self.network} weights at {path}")
        from torch.hub import download_url_to_file

        with alone(path):
            if path.is_file():
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                download_url_to_file(self.url, str(path), hash_prefix=self.sha256, progress=False)
            except (OSError, RuntimeError) as error:  # no network, no room, another hash
                raise ConnectionError(
                    f"{self.url} was not downloaded ({error}); get it elsewhere and put it at {path}"
                ) from error


@dataclass(frozen=True)
class ImageFeatures:
    """A network of torch-fidelity; `identity` holds the hash of its weights, its resize and what becomes of grey."""

    network: nn.Module
    identity: Mapping[str, Any]
    device: str

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map uint8 images with 1 or 3 channels to features `(n, f)` and logits, where the network has them."""
        import torch

        found = []
        with torch.no_grad(), _exact():
            for batch in torch.split(samples, BATCH):
                coloured = batch.expand(-1, 3, -1, -1).to(self.device)
                found.append([values.cpu() for values in self.network(coloured)])
        features, *logits = (torch.cat(batches) for batches in zip(*found, strict=True))
        return features, logits[0] if logits else None


def unreadable(name: str, dataset: Dataset) -> str | None:
    """Refuse all but images with one or three channels."""
    if len(dataset.shape) != 3:
        return f"{name} is for images; take identity"
    channels = dataset.shape[0]
    return None if channels in (1, 3) else f"{name} needs 1 or 3 channels, not {channels}"


def hash_of(content: bytes) -> str:
    """Return the start of the SHA-256 of a file of weights, as protocols show it."""
    return hashlib.sha256(content).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read a piece at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def grey(dataset: Dataset) -> str:
    """Say what becomes of a dataset's one channel."""
    return "repeated to three channels" if dataset.shape[0] == 1 else "none"


def tensors_in(content: bytes) -> dict[str, Tensor]:
    """Read a file of weights as tensors and nothing else; pickle.UnpicklingError when it holds any code."""
    import torch

    found: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return found


def assembled(kind: type[nn.Module], name: str, layer: str, **attributes: Any) -> nn.Module:
    """Build an extractor of torch-fidelity around a network at hand: its constructor would download one."""
    import torch
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    made = kind.__new__(kind)
    FeatureExtractorBase.__init__(made, name, [layer])
    for key, value in {"feature_extractor_internal_dtype": torch.float32, **attributes}.items():
        setattr(made, key, value)
    return made.eval().requires_grad_(False)


@contextmanager
def _exact() -> Iterator[None]:
    """Compute in full float32, attention too: TF32 would make the same pictures score differently on another card."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
            sdpa_kernel(SDPBackend.MATH),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
