"""Samples of a trained generator, from its stored parameters and the cell's `evaluation` stream alone."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.suite.cells import Cell
from ganbench.training.players import Player
from ganbench.training.streams import generator, latents

BATCH = 250
STANDING_BATCHES, STANDING_BATCH = 20, 100
STANDING = f"standing statistics over {STANDING_BATCHES} batches of {STANDING_BATCH} latents"


class Sampler:
    """Draws the same latents of one cell for every set of parameters: scores differ by the generator only.

    One cell at a time, so that samples do not depend on the cohort that the cell trained in. Batch normalisation
    uses standing statistics, averaged over 20 batches of 100 latents.
    """

    def __init__(self, cell: Cell, count: int, device: torch.device) -> None:
        """Draw the latents of `count` samples."""
        architecture, dataset = cell.architecture.create(), cell.dataset.create()
        with torch.random.fork_rng(devices=[]):
            module = architecture.generator(dataset.shape, cell.train.latent_size)
        self._player = Player(module, device, torch.float32)
        stream = generator(cell.seed, "evaluation")
        size, law = cell.train.latent_size, cell.train.latent
        standing = latents((STANDING_BATCHES, STANDING_BATCH, size), law, stream)
        self._standing = [batch[None].to(device) for batch in standing]
        self._latents = latents((count, size), law, stream).to(device)

    @torch.no_grad()
    def draw(self, flat: Tensor) -> Tensor:
        """Return samples `(count, *shape)` of the generator with parameters `(size,)`, images in [-1, 1]."""
        parameters = self._player.parameters(flat[None].to(self._latents.device))
        buffers = self._player.standing_statistics(parameters, self._standing)
        with self._player.settled():
            drawn = [
                self._player(parameters, batch[None], buffers=buffers)[0] for batch in torch.split(self._latents, BATCH)
            ]
        return torch.cat(drawn)
