"""Samples of trained generators, from their stored parameters and the cells' `evaluation` streams alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganbench.plugins import Conditioning
from ganbench.suite.cells import Cell
from ganbench.suite.packing import even
from ganbench.techniques.conditioning import conditioning_of
from ganbench.training.players import Player
from ganbench.training.streams import CellNoise, generator, latents

BATCH = 250
STANDING_BATCHES, STANDING_BATCH = 20, 100
LABELS = "generators that are told a class: sample i is asked for class i modulo their number"
STANDING = f"standing statistics over {STANDING_BATCHES} batches of {STANDING_BATCH} latents"
PASS = 2**22  # numbers that the generators of one pass put out: activations then take some hundred megabytes
SAMPLES = 2**26  # numbers of all samples in memory: 268 MB


def together(cell: Cell, count: int) -> int:
    """Return of how many cells like this one samples can be drawn at once, two or more."""
    numbers: int = math.prod(cell.dataset.create().shape)
    return max(2, min(PASS // (BATCH * numbers), SAMPLES // (count * numbers)))


def in_company(cells: int, size: int) -> list[int]:
    """Divide cells into groups of about a size, one more at most, none of them of one cell that could have company.

    A lone cell is drawn beside a copy of itself: twice the work.
    """
    return even(cells, max(1, min(math.ceil(cells / size), cells // 2)))


class Sampler:
    """Draws the same latents of each cell for every set of its parameters: scores differ by the generator only.

    The cells are of one cohort and are drawn from together; what a cell gets does not depend on its company. Batch
    normalisation uses standing statistics, averaged over 20 batches of 100 latents. A generator that is told a class
    is asked for all of them in turn: sample i is to be of class `labels[i]` = i mod classes; `labels` is None for any
    other. `size` is the number of parameters of one generator.
    """

    labels: Tensor | None = None

    def __init__(self, cells: Sequence[Cell], count: int, device: torch.device, label: int | None = None) -> None:
        """Draw the latents of `count` samples of each cell, and the codes where the generators take any.

        With a `label` all samples are asked to be of this class.
        """
        architecture, dataset, train = cells[0].architecture.create(), cells[0].dataset.create(), cells[0].train
        self._shape = dataset.shape
        conditioning = conditioning_of(cells[0].objective.techniques)
        codes = conditioning.code_size(dataset.classes) if conditioning else 0
        with torch.random.fork_rng(devices=[]):
            module = architecture.generator(dataset.shape, train.latent_size + codes)
        self._player = Player(module, device, torch.float32)
        self.size = self._player.size
        early = _up_to_last_norm(module)
        self._normalised, self._early = Player(early, device, torch.float32), [n for n, _ in early.named_parameters()]
        seeds = [cell.seed for cell in cells]
        drawn = {seed: _latents(seed, count, train.latent_size, train.latent) for seed in seeds}
        standing, own = (torch.stack([drawn[seed][which] for seed in seeds]) for which in (0, 1))
        if conditioning:
            noise = CellNoise(seeds, "evaluation/codes", torch.float32, torch.device("cpu"))
            told, _ = _codes(conditioning, dataset.classes, len(seeds), standing.shape[1], noise)
            standing = torch.cat([standing, told], dim=-1)
            told, self.labels = _codes(conditioning, dataset.classes, len(seeds), count, noise, label)
            own = torch.cat([own, told], dim=-1)
        self._standing, self._latents = standing.to(device), own.to(device)

    @torch.no_grad()
    def draw(self, flats: Tensor, which: Sequence[int] | None = None) -> Tensor:
        """Return samples `(cells, count, *shape)` of generators with parameters `(cells, size)`, images in [-1, 1].

        `which` are the positions of these cells among the sampler's, where they are not all of them.
        """
        device = self._latents.device
        rows, flats = torch.tensor(range(len(flats)) if which is None else which, device=device), flats.to(device)
        if len(rows) == 1:
            # A lone cell would run other kernels than in company; beside a copy of itself it gets the same bits.
            return self._drawn(flats.expand(2, -1), rows.expand(2))[:1]
        return self._drawn(flats, rows)

    def _drawn(self, flats: Tensor, rows: Tensor) -> Tensor:
        parameters = self._player.parameters(flats)
        standing = torch.split(self._standing[rows], STANDING_BATCH, dim=1)
        buffers = self._normalised.standing_statistics({name: parameters[name] for name in self._early}, standing)
        own = self._latents[rows]
        samples = own.new_empty(*own.shape[:2], *self._shape)
        with self._player.settled():
            for batch, place in zip(torch.split(own, BATCH, 1), torch.split(samples, BATCH, 1), strict=True):
                # To its place at once: a list of all batches beside their concatenation would be all samples twice.
                place.copy_(self._player(parameters, batch, buffers=buffers))
        return samples


def _up_to_last_norm(module: nn.Module) -> nn.Module:
    """Leave out what comes after the last batch norm: statistics do not depend on it, and often it costs the most."""
    if not isinstance(module, nn.Sequential):
        return module
    norms = nn.modules.batchnorm._BatchNorm
    last = max(
        (at for at, child in enumerate(module) if any(isinstance(m, norms) for m in child.modules())), default=-1
    )
    return module[: last + 1]


def _latents(seed: int, count: int, size: int, law: str) -> tuple[Tensor, Tensor]:
    """Return what the `evaluation` stream of a seed gives: latents for standing statistics, then for samples."""
    stream = generator(seed, "evaluation")
    standing = latents((STANDING_BATCHES, STANDING_BATCH, size), law, stream).flatten(0, 1)
    return standing, latents((count, size), law, stream)


def _codes(
    conditioning: Conditioning,
    classes: int | None,
    cells: int,
    count: int,
    noise: CellNoise,
    label: int | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Return codes `(cells, count, size)`, and the labels `(count,)` that they stand for where there are any."""
    labels = None
    if conditioning.needs_labels and classes:
        labels = torch.arange(count) % classes if label is None else torch.full((count,), label)
    codes = conditioning.codes(None if labels is None else labels.expand(cells, -1), classes, count, noise)
    return codes.float(), labels
