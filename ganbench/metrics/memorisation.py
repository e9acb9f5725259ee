"""Whether samples are copies of training samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@register("memorisation")
@dataclass(frozen=True)
class Memorisation:
    """How much nearer samples come to training samples than those come to each other, in feature space.

    memorisation = max(0, 1 - E_i d(fake_i, nearest real) / E_j d(real_j, nearest other real)), over all samples and
    all reference rows, which are rows of the train split: 1 where every sample is a copy, 0 where samples lie as far
    from the training set as its members from each other, as fresh real ones do, or farther. 0 thus says that nothing is
    copied, not that samples are good: read it beside precision. It sees copies of reference rows alone, and a collapse
    onto a typical sample looks like one: read it beside recall. After the nearest-neighbour tests of Xu et al. 2018
    (arXiv:1806.07755) and Meehan et al. 2020 (arXiv:2004.05675), with the training set's own distances, left one out,
    in the place of a held-out set's.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"memorisation": "lower"}
    titles: ClassVar[Mapping[str, str]] = {"memorisation": "memorisation"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `memorisation` in [0, 1]; ValueError where the reference has fewer than two different rows."""
        import numpy as np

        between = float(np.sqrt(_among_real(evidence.reference)).mean())
        if between == 0:
            raise ValueError("every real row has an equal one, so that no distance says what a copy is")
        to_real = float(np.sqrt(_to_nearest_real(evidence)).mean())
        return {"memorisation": max(0.0, 1 - to_real / between)}

    def prepare(self, reference: Reference, samples: int) -> None:  # noqa: ARG002 - it takes all rows
        """Measure how near real rows come to each other, which the reference keeps."""
        if len(reference.features) > 1:
            _among_real(reference)


def _among_real(reference: Reference) -> NDArray[np.float64]:
    return reference.first(len(reference.features)).radii(1)


def _to_nearest_real(evidence: Evidence) -> NDArray[np.float64]:
    """Return the squared distance `(n,)` of each sample to the nearest real row."""
    import numpy as np

    from ganbench.metrics.distances import squared_distances
    from ganbench.metrics.neighbourhoods import squared

    real = evidence.reference.first(len(evidence.reference.features))
    if real.few_dimensions:
        points = evidence.features.double().numpy()
        return squared(points, real.points[np.asarray(real.tree.query(points)[1])])
    blocks = squared_distances(evidence.features, real.features)
    return np.concatenate([block.amin(dim=1).clamp(min=0).numpy() for block in blocks])
