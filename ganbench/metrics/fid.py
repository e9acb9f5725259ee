"""Frechet distance of two sets of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import register

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Statistics = Mapping[str, NDArray[np.float64]]


@register("fid")
@dataclass(frozen=True)
class Fid:
    """Frechet Inception distance (Heusel et al. 2017, arXiv:1706.08500), eq. 6.

    FID = |mu - mu_r|^2 + tr(S + S_r - 2 (S S_r)^(1/2)), from the means and covariances of the features of n
    samples and of all reference rows. It is biased by n: compare at equal n. Rounding below zero is cut off. Statistics
    are torch-fidelity's; the trace of the root is taken as that of (F^T S F)^(1/2) with F F^T = S_r, which has the same
    eigenvalues, is symmetric, and leaves the real side to be factored once.

    By the extractor identity the features of points are the points: it is then their Frechet distance in data space,
    the squared 2-Wasserstein distance of the two Gaussians that have the moments of either side.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("features",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"fid": "lower"}
    titles: ClassVar[Mapping[str, str]] = {"fid": "FID"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `fid` >= 0; ValueError with fewer than two samples."""
        if len(evidence.features) < 2:
            raise ValueError("a covariance needs two samples or more")
        found = statistics(evidence.features)
        return {"fid": max(0.0, to_reference(found["mu"], found["sigma"], evidence.reference))}

    def prepare(self, reference: Reference, samples: int) -> None:  # noqa: ARG002 - a Gaussian has no size
        """Factor the real covariance, which the reference keeps."""
        _factor(reference)


def to_reference(mean: NDArray[np.float64], covariance: NDArray[np.float64], reference: Reference) -> float:
    """Return the Frechet distance of a Gaussian to the reference's, before rounding below zero is cut off."""
    import numpy as np

    factor, apart = _factor(reference), mean - reference.mean
    eigenvalues = np.linalg.eigvalsh(factor.T @ covariance @ factor)
    shared = float(np.sqrt(np.maximum(eigenvalues, 0)).sum())
    traces = float(np.trace(covariance) + np.trace(reference.covariance))
    return float(apart @ apart) + traces - 2 * shared


def _factor(reference: Reference) -> NDArray[np.float64]:
    return reference.kept("factor", lambda: _factored(reference.covariance))


def _factored(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F `(d, rank)` with F F^T the covariance; directions in which nothing varies are left out."""
    import numpy as np

    values, vectors = np.linalg.eigh(covariance)
    there = values > values[-1] * len(values) * np.finfo(np.float64).eps
    found: NDArray[np.float64] = vectors[:, there] * np.sqrt(values[there])
    return found


def statistics(features: Tensor) -> Statistics:
    """Return the mean `mu` (d,) and covariance `sigma` (d, d) of features (n, d), in float64."""
    import numpy as np
    from torch_fidelity.metric_fid import fid_features_to_statistics

    found: Statistics = fid_features_to_statistics(features.double())
    return {**found, "sigma": np.atleast_2d(found["sigma"])}  # a single feature comes back as a bare number


def distance(fake: Statistics, real: Statistics) -> float:
    """Return the Frechet distance of two Gaussians, which is not negative: rounding below zero is cut off."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric

    return max(0.0, float(fid_statistics_to_metric(fake, real, verbose=False)[KEY_METRIC_FID]))
