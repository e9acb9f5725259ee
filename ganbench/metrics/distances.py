"""Distances between many points, a block of rows at a time: what coverage and duplicates are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 512  # a block of 512 x 10,000 float64 takes 41 MB
SAME = 1e-13  # relative to the squared norms: below what float32 features can tell apart


def squared_distances(rows: Tensor, columns: Tensor) -> Iterator[Tensor]:
    """Yield blocks `(<= 512, m)` of squared distances of `rows` (n, d) to `columns` (m, d), float64.

    Points that are equal have a distance of exactly zero.
    """
    import torch

    centre = columns.double().mean(dim=0)
    rows, columns = rows.double() - centre, columns.double() - centre
    column_norms = columns.square().sum(dim=1)
    for block in torch.split(rows, ROWS):
        norms = block.square().sum(dim=1)[:, None] + column_norms
        squared = norms.addmm(block, columns.T, alpha=-2)
        yield squared.masked_fill_(squared <= SAME * norms, 0.0)


def squared_distances_to_others(points: Tensor) -> Iterator[Tensor]:
    """Yield the blocks of distances among `points` (n, d), where the distance to oneself is infinite."""
    start = 0
    for block in squared_distances(points, points):
        block.diagonal(start).fill_(float("inf"))
        start += len(block)
        yield block


def squared_neighbour_distances(points: Tensor, k: int) -> Tensor:
    """Return the squared distance `(n,)` of each point to its k-th nearest other; ValueError if too few."""
    import torch

    if len(points) <= k:
        raise ValueError(f"{len(points)} samples are too few for {k} neighbours each")
    blocks = squared_distances_to_others(points)
    return torch.cat([block.topk(k, dim=1, largest=False).values[:, -1] for block in blocks])


def equally_many(fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Cut both sides to the first rows that both have: neighbourhoods shrink with the number of points."""
    count = min(len(fake), len(real))
    return fake[:count], real[:count]
