"""Extractors: networks that turn samples into the features which scores compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ganbench.plugins import Dataset
from ganbench.registry import Part, Registry

if TYPE_CHECKING:
    from torch import Tensor


class Extractor(Protocol):
    """A loaded network. `identity` holds what tells its features from another's, as plain data.

    Optional: `mode_weights` `(k,)`, the true shares of its classes; without it they are counted among real samples.
    """

    identity: Mapping[str, Any]

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map images `(n, c, h, w)` or points `(n, d)` to features `(n, f)` and logits `(n, k)` or None.

        Batched inside; both come back as float32 on the CPU.
        """


class ExtractorPlugin(Protocol):
    """What is registered: how an extractor is made ready for one dataset.

    `gives` lists what it yields: "features", "logits" when it classifies, "modes" when its classes are the
    dataset's. Optional: `files(dataset, data_root, cache)`, the paths of what it keeps on disk; `known(dataset,
    data_root, cache)`, of one that is trained on the dataset, how good it is or that it is not trained yet; `damaged(
    dataset, data_root, cache)`, that the files are there and not what they should be, or None;
    `images_per_cpu_second`, of one that is slow without a GPU, what a core gets through.
    """

    gives: ClassVar[Sequence[str]]

    def supports(self, dataset: Dataset) -> str | None:
        """Return None when it can read the dataset's samples, else why not."""

    def missing(self, dataset: Dataset, cache: Path) -> str | None:
        """Say what `prepare` would have to fetch, or None when all is there."""

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Fetch or train what `load` reads; a second call does nothing."""

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> Extractor:
        """Return the network on `device`."""


registry = Registry(
    "extractor",
    {
        "classifier": "ganbench.evaluation.extractors.classifier",
        "clip": "ganbench.evaluation.extractors.clip",
        "dinov2": "ganbench.evaluation.extractors.dinov2",
        "identity": "ganbench.evaluation.extractors.identity",
        "inception": "ganbench.evaluation.extractors.inception",
    },
)
register = registry.register
create = registry.create
names = registry.names
