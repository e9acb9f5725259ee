"""Samples of a trained generator, from its stored parameters and the cell's `evaluation` streams alone."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.plugins import Conditioning
from ganbench.suite.cells import Cell
from ganbench.techniques.conditioning import conditioning_of
from ganbench.training.players import Player
from ganbench.training.streams import CellNoise, generator, latents

BATCH = 250
STANDING_BATCHES, STANDING_BATCH = 20, 100
LABELS = "generators that are told a class: sample i is asked for class i modulo their number"
STANDING = f"standing statistics over {STANDING_BATCHES} batches of {STANDING_BATCH} latents"


class Sampler:
    """Draws the same latents of one cell for every set of parameters: scores differ by the generator only.

    One cell at a time, so that samples do not depend on the cohort that the cell trained in. Batch normalisation
    uses standing statistics, averaged over 20 batches of 100 latents. A generator that is told a class is asked for
    all of them in turn: sample i is to be of class `labels[i]` = i mod classes; `labels` is None for any other.
    """

    labels: Tensor | None = None

    def __init__(self, cell: Cell, count: int, device: torch.device) -> None:
        """Draw the latents of `count` samples, and the codes where the generator takes any."""
        architecture, dataset = cell.architecture.create(), cell.dataset.create()
        conditioning = conditioning_of(cell.objective.techniques)
        size, law = cell.train.latent_size, cell.train.latent
        codes = conditioning.code_size(dataset.classes) if conditioning else 0
        with torch.random.fork_rng(devices=[]):
            module = architecture.generator(dataset.shape, size + codes)
        self._player = Player(module, device, torch.float32)
        stream = generator(cell.seed, "evaluation")
        standing = latents((STANDING_BATCHES, STANDING_BATCH, size), law, stream)
        own = latents((count, size), law, stream)
        if conditioning:
            noise = CellNoise([cell.seed], "evaluation/codes", torch.float32, torch.device("cpu"))
            told, _ = _codes(conditioning, dataset.classes, STANDING_BATCHES * STANDING_BATCH, noise)
            standing = torch.cat([standing, told.reshape(STANDING_BATCHES, STANDING_BATCH, codes)], dim=-1)
            told, self.labels = _codes(conditioning, dataset.classes, count, noise)
            own = torch.cat([own, told], dim=-1)
        self._standing = [batch[None].to(device) for batch in standing]
        self._latents = own.to(device)

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


def _codes(
    conditioning: Conditioning, classes: int | None, count: int, noise: CellNoise
) -> tuple[Tensor, Tensor | None]:
    """Return codes `(count, size)`, and the labels `(count,)` that they stand for where there are any."""
    labels = torch.arange(count) % classes if conditioning.needs_labels and classes else None
    codes = conditioning.codes(None if labels is None else labels[None], classes, count, noise)
    return codes[0].float(), labels
