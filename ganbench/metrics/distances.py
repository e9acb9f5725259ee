"""Distances between many points, a block of rows at a time: what neighbourhoods in many dimensions are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 256  # a block of 256 x 2,000 float64 takes 4 MB
SAME = 1e-13  # relative to the squared norms: below what float32 features can tell apart


def squared_distances(rows: Tensor, columns: Tensor, others: bool = False) -> Iterator[Tensor]:
    """Yield blocks `(<= 256, m)` of squared distances of `rows` (n, d) to `columns` (m, d), float64.

    Points that are equal have a distance of exactly zero. With `others` the rows are the first of the columns, and the
    distance to oneself is infinite.
    """
    import torch

    centre = columns.double().mean(dim=0)
    rows, columns = rows.double() - centre, columns.double() - centre
    row_norms, column_norms = rows.square().sum(dim=1), columns.square().sum(dim=1)
    # |a|^2 + |b|^2 - 2 a.b as one product
    left = torch.cat([rows * -2, row_norms[:, None], torch.ones_like(row_norms)[:, None]], dim=1)
    right = torch.cat([columns, torch.ones_like(column_norms)[:, None], column_norms[:, None]], dim=1).T
    largest = float(column_norms.max()) if len(column_norms) else 0.0
    for start in range(0, len(rows), ROWS):
        norms = row_norms[start : start + ROWS]
        squared = left[start : start + ROWS] @ right
        if others:
            squared.diagonal(start).fill_(float("inf"))
        if squared.numel() and float(squared.amin()) <= SAME * (float(norms.max()) + largest):
            squared.masked_fill_(squared <= SAME * (norms[:, None] + column_norms), 0.0)
        yield squared
