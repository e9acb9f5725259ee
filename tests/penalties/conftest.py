"""A noise of known numbers, and a discriminator whose gradient is known everywhere."""

from __future__ import annotations

import pytest
import torch


class Seeded:
    """Each cell's own stream, from its own seed."""

    def __init__(self, seeds, dtype=torch.float64):
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.dtype = dtype

    def uniform(self, shape):
        return torch.stack([torch.rand(shape, generator=s, dtype=self.dtype) for s in self.streams])

    def normal(self, shape):
        return torch.stack([torch.randn(shape, generator=s, dtype=self.dtype) for s in self.streams])


@pytest.fixture
def seeded():
    return Seeded


@pytest.fixture
def linear():
    """D(x) = w.x for each cell: its gradient is w at every point."""

    def make(weights):
        return lambda x: (x.flatten(2) * weights.unsqueeze(1)).sum(-1)

    return make
