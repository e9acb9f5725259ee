"""One extractor with its real side: turns samples into the evidence that metrics read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.evidence import Evidence
from ganbench.evaluation.extractors import ExtractorPlugin
from ganbench.evaluation.reference import reference
from ganbench.plugins import Dataset, Modes
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor

Posterior = Callable[["Tensor"], "Tensor"]


class Reader:
    """Extracts features of samples of one dataset.

    `identity` holds what tells its features from another extractor's, `reference` the real side.
    """

    def __init__(
        self, dataset: Part, extractor: Part, rows: int, roots: tuple[Path, Path], device: str = "cpu"
    ) -> None:
        """Load the extractor and at most `rows` real samples; ValueError when it cannot read the dataset.

        `roots` are the folders of data and of the cache.
        """
        plugin: ExtractorPlugin = extractor.create()
        self._dataset: Dataset = dataset.create()
        why = plugin.supports(self._dataset)
        if why is not None:
            raise ValueError(f"{dataset.label}: {why}")
        self._gives: Sequence[str] = plugin.gives
        self._extractor = plugin.load(dataset, *roots, device)
        self.identity: dict[str, Any] = {**extractor.as_json(), **self._extractor.identity}
        self.reference = reference(dataset, self._extractor, self.identity, rows, *roots)
        self._weights = self._class_weights()

    def read(
        self, samples: Tensor, seed: int, labels: Tensor | None = None, posterior: Posterior | None = None
    ) -> Evidence | str:
        """Extract features of samples as the dataset stores them, or say why they cannot be scored."""
        features, logits = self._extractor(samples)
        if not bool(features.isfinite().all()):
            return "the features are not finite: the samples are too large"
        modes = self._modes(samples, logits)
        seen_as = self._seen_as(logits, modes)
        density = getattr(self._dataset, "log_density", None)
        return Evidence(features, logits, modes, self.reference, seed, labels, seen_as, samples, density, posterior)

    def _seen_as(self, logits: Tensor | None, modes: Modes | None) -> Tensor | None:
        import torch

        if logits is not None and "modes" in self._gives:
            return logits.argmax(dim=1)
        if modes is not None and len(modes.weights) == self._dataset.classes:
            return torch.from_numpy(modes.nearest)
        return None

    def _modes(self, samples: Tensor, logits: Tensor | None) -> Modes | None:
        import numpy as np

        own = getattr(self._dataset, "modes", None)
        if own is not None:
            found: Modes = own(samples.numpy())
            return found
        if self._weights is None or logits is None:
            return None
        # a classifier has no notion of a bad picture: every sample counts as its class
        return Modes(logits.argmax(dim=1).numpy(), np.ones(len(logits), dtype=bool), self._weights)

    def _class_weights(self) -> Any:
        """Return the classes' shares among the real samples, known or as the same classifier sees them."""
        if hasattr(self._extractor, "mode_weights"):
            return self._extractor.mode_weights
        logits = self.reference.logits
        if logits is None or "modes" not in self._gives:
            return None
        counts = logits.argmax(dim=1).bincount(minlength=logits.shape[1]).double()
        return (counts / counts.sum()).numpy()
