"""No network at all: points are their own features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ganbench.evaluation.extractors import register
from ganbench.plugins import Dataset
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Unchanged:
    """Gives points back as they are."""

    identity: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, samples: Tensor) -> tuple[Tensor, None]:
        """Return points `(n, d)` as float32 on the CPU."""
        return samples.float().cpu(), None


@register("identity")
@dataclass(frozen=True)
class Identity:
    """Features are the coordinates of points, raw."""

    version: ClassVar[int] = 1
    gives: ClassVar[Sequence[str]] = ("features",)

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse images: distances of pixels say little about how alike two pictures are."""
        return None if len(dataset.shape) == 1 else "identity is for points; take classifier or inception"

    def missing(self, dataset: Dataset, cache: Path) -> None:
        """Nothing."""

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Do nothing."""

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> Unchanged:
        """Return the identity."""
        return Unchanged()
