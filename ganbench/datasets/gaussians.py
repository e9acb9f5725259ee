"""Mixtures of Gaussians with equal spread in every direction: drawn, told apart, and their density."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.plugins import Modes, Split, SplitName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

SIZES: dict[SplitName, int] = {"train": 100_000, "test": 10_000}
SEEDS: dict[SplitName, int] = {"train": 0, "test": 1}
RADIUS = 3.0  # of a high-quality sample, in standard deviations
CHUNK = 1 << 20  # distances at a time


def draw(centres: NDArray[np.float64], std: float, split: SplitName) -> Split:
    """Draw float32 points `(n, d)` of a mixture with equal weights, labelled by the mode each was drawn from."""
    import numpy as np

    stream = np.random.RandomState(SEEDS[split])  # its numbers are frozen for good, a Generator's are not
    mode = stream.randint(0, len(centres), SIZES[split])
    points = centres[mode] + std * stream.standard_normal((SIZES[split], centres.shape[1]))
    return Split(points.astype(np.float32), mode.astype(np.int64))


def draw_weighted(
    centres: NDArray[np.float64], stds: NDArray[np.float64], weights: NDArray[np.float64], split: SplitName
) -> Split:
    """Draw float32 points `(n, d)` of a mixture whose modes have their own spreads and weights `(k,)`, labelled."""
    import numpy as np

    stream = np.random.RandomState(SEEDS[split])
    ends = np.cumsum(weights) / np.sum(weights)
    mode = np.searchsorted(ends, stream.random_sample(SIZES[split]), side="right").clip(max=len(weights) - 1)
    points = centres[mode] + stds[mode, None] * stream.standard_normal((SIZES[split], centres.shape[1]))
    return Split(points.astype(np.float32), mode.astype(np.int64))


def modes(
    centres: NDArray[np.float64],
    stds: ArrayLike,
    samples: NDArray[np.generic],
    weights: NDArray[np.float64] | None = None,
) -> Modes:
    """Tell points `(n, d)` by the centre `(k, d)` that is nearest in standard deviations; three of them are the limit.

    `stds` is one for all or `(k,)`; `weights` `(k,)` are equal unless given.
    """
    import numpy as np

    points = samples.astype(np.float64)
    squared = ((points[:, None, :] - centres[None]) ** 2).sum(axis=2)
    spreads = np.broadcast_to(np.asarray(stds, dtype=np.float64), (len(centres),))
    # with one spread for all, no division may change which of two centres is the nearer
    nearest = (squared if np.ndim(stds) == 0 else squared / spreads**2).argmin(axis=1)
    high_quality = squared[np.arange(len(points)), nearest] <= (RADIUS * spreads[nearest]) ** 2
    shares = np.full(len(centres), 1 / len(centres)) if weights is None else weights / weights.sum()
    return Modes(nearest.astype(np.int64), high_quality, shares)


def log_density(
    centres: NDArray[np.float64],
    stds: ArrayLike,
    points: NDArray[np.generic],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return log p(x) = log sum_k w_k N(x; centre_k, std_k^2 I) of points `(n, d)`: natural logarithms `(n,)`.

    `stds` is one for all or `(k,)`; `weights` `(k,)` are equal unless given. It does not underflow: far from every
    centre it falls with the square of the distance. ValueError when the points have another dimension.
    """
    import numpy as np

    if points.ndim != 2 or points.shape[1] != centres.shape[1]:
        raise ValueError(f"expected points of shape (n, {centres.shape[1]}), got {points.shape}")
    spreads = np.broadcast_to(np.asarray(stds, dtype=np.float64), (len(centres),))
    shares = np.full(len(centres), 1 / len(centres)) if weights is None else weights / weights.sum()
    heights = np.log(shares) - centres.shape[1] * (np.log(spreads) + 0.5 * np.log(2 * np.pi))
    found = np.empty(len(points))
    step = max(1, CHUNK // centres.size)
    for start in range(0, len(points), step):
        some = points[start : start + step].astype(np.float64)
        squared = (((some[:, None, :] - centres[None]) / spreads[:, None]) ** 2).sum(axis=2)
        terms = heights - 0.5 * squared
        largest = terms.max(axis=1, keepdims=True)
        found[start : start + step] = largest[:, 0] + np.log(np.exp(terms - largest).sum(axis=1))
    return found
