"""What a metric sees: one set of generated samples and the real side, already turned into features."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.paths import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ganbench.metrics.neighbourhoods import Neighbourhoods, Side
    from ganbench.plugins import Modes


@dataclass(frozen=True)
class Reference:
    """The real side of every score, computed once per dataset and protocol.

    `features` (n, d) float32 in a fixed shuffled order, `logits` (n, classes) where the extractor classifies,
    `mean` (d,) and `covariance` (d, d) float64 over all n, `labels` (n,) int64 where the dataset has classes.
    `path` is the file it was read from, beside which `kept` puts what metrics derive from it; None keeps it in memory.
    """

    features: Tensor
    logits: Tensor | None
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    labels: Tensor | None = None
    path: Path | None = None
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: object, compute: Callable[[], Any]) -> Any:
        """Return what `compute` gave for `key` the first time: a term of the real side that later scores share."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def kept(self, name: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the array `name`, from memory, from the cache's folder, or computed now and put there."""
        return self.once(name, lambda: self._from_disk(name, compute))  # type: ignore[no-any-return]

    def _from_disk(self, name: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        import numpy as np

        if self.path is None:
            return compute()
        path = self.path.with_name(f"{self.path.stem}-{name}.npy")
        if not path.exists():
            buffer = io.BytesIO()
            np.save(buffer, compute(), allow_pickle=False)
            write_whole(path, buffer.getvalue())
        found: NDArray[np.float64] = np.load(path, allow_pickle=False)
        return found

    def first(self, count: int) -> Side:
        """Return the first `count` rows, with what is known of their neighbourhoods."""
        from ganbench.metrics.neighbourhoods import Side

        side: Side = self.once(("first", count), lambda: Side(self.features[:count], self))
        return side


@dataclass(frozen=True)
class Evidence:
    """One set of samples: features (n, d), logits (n, classes) or None, modes where known; and the real side.

    `seed` drives whatever a metric draws, so that the same samples always get the same score. `labels` (n,) are the
    classes that were asked for, None where the generator is not told any; `seen_as` (n,) those that the samples are
    taken for, where something can tell. `samples` are what the features were extracted from, uint8 NCHW or float32
    points; `log_density` maps points (n, d) to the logarithm of the truth's density, where it is known; `posterior`
    maps points to what the discriminator holds for the probability that each is real, where it holds any.
    """

    features: Tensor
    logits: Tensor | None
    modes: Modes | None
    reference: Reference
    seed: int = 0
    labels: Tensor | None = None
    seen_as: Tensor | None = None
    samples: Tensor | None = None
    log_density: Callable[[NDArray[np.generic]], NDArray[np.float64]] | None = None
    posterior: Callable[[Tensor], Tensor] | None = None

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """Who lies near whom among equally many first rows of both sides, computed once for all metrics."""
        from ganbench.metrics.neighbourhoods import Neighbourhoods

        return Neighbourhoods.of(self.features, self.reference)
