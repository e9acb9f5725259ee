"""Random streams by name, one per cell, derived from the cell's seed alone.

Draws come in blocks of steps, each block from a generator of its own. So a cell draws the same numbers alone or
in a cohort and on any device, and training can begin at any block as if it had never stopped. Cells with the
same seed draw the same numbers, whatever their objective: comparisons by seed are paired.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ganbench.plugins import Noise, Shape
from ganbench.training.blocks import BLOCK as BLOCK


def generator(seed: int, name: str, block: int = 0) -> torch.Generator:
    """Return the generator of one block of the stream `name` of the cell seed `seed`."""
    number = int.from_bytes(hashlib.sha256(f"{name}/{seed}/{block}".encode()).digest()[:8], "big")
    return torch.Generator().manual_seed(number >> 1)


class Blocks:
    """One stream of every cell, drawn ahead by blocks of steps."""

    def __init__(
        self,
        seeds: Sequence[int],
        name: str,
        shape: Shape,
        dtype: torch.dtype,
        draw: Callable[[Tensor, torch.Generator], object],
        device: torch.device,
    ) -> None:
        """Take the cells' seeds and a function that draws a block `(BLOCK, *shape)` from a generator.

        Fractions are drawn in single precision, whatever `dtype` they are wanted in.
        """
        self._distinct, self._rows = _shared(seeds, device)
        self._name, self._draw, self._device = name, draw, device
        self._shape, self._dtype = (len(self._distinct), BLOCK, *shape), dtype
        self._drawn_as = torch.float32 if dtype.is_floating_point else dtype
        self._block, self._drawn = -1, torch.empty(0)

    def at(self, step: int) -> Tensor:
        """Return what the cells draw at `step`, `(cells, ...)`."""
        block, position = divmod(step, BLOCK)
        if block != self._block:
            drawn = torch.empty(self._shape, dtype=self._drawn_as)
            for own, seed in zip(drawn, self._distinct, strict=True):
                self._draw(own, generator(seed, self._name, block))
            self._block, self._drawn = block, drawn.to(self._device, self._dtype)
        now = self._drawn[:, position]
        return now if self._rows is None else now.index_select(0, self._rows)


def _shared(seeds: Sequence[int], device: torch.device) -> tuple[list[int], Tensor | None]:
    """Return the distinct seeds, and each cell's place among them; None where every cell has a seed of its own."""
    distinct = list(dict.fromkeys(seeds))
    if len(distinct) == len(seeds):
        return distinct, None
    return distinct, torch.tensor([distinct.index(seed) for seed in seeds], device=device)


def index_blocks(seeds: Sequence[int], name: str, shape: Shape, samples: int, device: torch.device) -> Blocks:
    """Draw positions of real samples, uniformly with replacement: `(cells, *shape)` int64 per step."""

    def draw(own: Tensor, source: torch.Generator) -> None:
        torch.randint(samples, own.shape, generator=source, out=own)

    return Blocks(seeds, name, shape, torch.int64, draw, device)


def latent_blocks(
    seeds: Sequence[int], name: str, shape: Shape, law: str, dtype: torch.dtype, device: torch.device
) -> Blocks:
    """Draw latents `(cells, *shape)` per step from N(0, 1) (`normal`) or U(-1, 1) (`uniform`)."""

    def draw(own: Tensor, source: torch.Generator) -> None:
        latents(own.shape, law, source, own)

    return Blocks(seeds, name, shape, dtype, draw, device)


def latents(shape: Shape, law: str, source: torch.Generator, out: Tensor | None = None) -> Tensor:
    """Draw float32 latents of `shape` from N(0, 1) or U(-1, 1), into `out` where it is given."""
    if law == "normal":
        return torch.randn(shape, generator=source, out=out)
    return torch.rand(shape, generator=source, out=out).mul_(2).sub_(1)


class StreamNoise(Noise, Protocol):
    """Noise that is drawn by steps."""

    def begin(self, step: int) -> None:
        """Start a step."""


class CellNoise:
    """The `noise` stream of every cell, drawn as penalties ask for it."""

    def __init__(self, seeds: Sequence[int], name: str, dtype: torch.dtype, device: torch.device) -> None:
        """Take the cells' seeds; `begin` must be called before each step."""
        self._distinct, self._rows = _shared(seeds, device)
        self._name, self._dtype, self._device = name, dtype, device
        self._block, self._generators = 0, list[torch.Generator]()

    def begin(self, step: int) -> None:
        """Start a step: the first of a block has the block's own generators."""
        block, position = divmod(step, BLOCK)
        if position == 0:
            self._block, self._generators = block, []

    def uniform(self, shape: Shape) -> Tensor:
        """Draw from U[0, 1): `(cells, *shape)`."""
        return self._spread([torch.rand(shape, generator=g) for g in self._sources()])

    def normal(self, shape: Shape) -> Tensor:
        """Draw from N(0, 1): `(cells, *shape)`."""
        return self._spread([torch.randn(shape, generator=g) for g in self._sources()])

    def _sources(self) -> list[torch.Generator]:
        """Return the block's generators, which most games have no use for."""
        if not self._generators:
            self._generators = [generator(seed, self._name, self._block) for seed in self._distinct]
        return self._generators

    def _spread(self, drawn: list[Tensor]) -> Tensor:
        stacked = torch.stack(drawn).to(self._device, self._dtype)
        return stacked if self._rows is None else stacked.index_select(0, self._rows)
