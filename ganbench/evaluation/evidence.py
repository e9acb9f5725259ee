"""What a metric sees: one set of generated samples and the real side, already turned into features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ganbench.plugins import Modes


@dataclass(frozen=True)
class Reference:
    """The real side of every score, computed once per dataset and protocol.

    `features` (n, d) float32 in a fixed shuffled order, `logits` (n, classes) where the extractor classifies,
    `mean` (d,) and `covariance` (d, d) float64 over all n, `labels` (n,) int64 where the dataset has classes.
    """

    features: Tensor
    logits: Tensor | None
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    labels: Tensor | None = None


@dataclass(frozen=True)
class Evidence:
    """One set of samples: features (n, d), logits (n, classes) or None, modes where known; and the real side.

    `seed` drives whatever a metric draws, so that the same samples always get the same score. `labels` (n,) are the
    classes that were asked for, None where the generator is not told any; `seen_as` (n,) those that the samples are
    taken for, where something can tell.
    """

    features: Tensor
    logits: Tensor | None
    modes: Modes | None
    reference: Reference
    seed: int = 0
    labels: Tensor | None = None
    seen_as: Tensor | None = None
