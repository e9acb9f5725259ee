"""What losses on features need of all pairs of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return |a_i - b_j|^2, `(..., n, m)` from features `(..., n, size)` and `(..., m, size)`."""
    # Through products, since all differences would take `size` times the memory. Distances do not depend on the
    # origin: one near the points leaves float32 the fewest digits to lose.
    origin = b.detach().mean(-2, keepdim=True)
    a, b = a - origin, b - origin
    return (a.square().sum(-1).unsqueeze(-1) + b.square().sum(-1).unsqueeze(-2) - 2 * a @ b.mT).relu()


def mean_of_others(pairs: Tensor) -> Tensor:
    """Return the mean over i != j of a symmetric `(..., n, n)`, a sample's pair with itself left out."""
    n = pairs.shape[-1]
    if n < 2:
        raise ValueError("this loss compares the samples of a batch: it needs a batch of at least two")
    own = pairs.diagonal(dim1=-2, dim2=-1).sum(-1)
    return (pairs.sum((-2, -1)) - own) / (n * (n - 1))
