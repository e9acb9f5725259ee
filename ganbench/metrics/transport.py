"""Optimal transport between equally many points on a line: what distances of Wasserstein have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.evaluation.evidence import Evidence


def squared_on_a_line(a: Tensor, b: Tensor) -> Tensor:
    """Return the squared 2-Wasserstein distance of numbers `(..., n)` and `(..., n)`: their quantiles are matched."""
    return (a.sort(dim=-1).values - b.sort(dim=-1).values).square().mean(dim=-1)


def both_sides(evidence: Evidence, most: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the first rows `(n, d)` of samples and real side as float64, as many as both have and at most `most`."""
    real = evidence.reference.features
    count = min(len(evidence.features), len(real), most or len(real))
    if not count:
        raise ValueError("there are no samples to transport")
    return evidence.features[:count].double(), real[:count].double()
