"""What every update of a game draws: positions of real samples, or the samples themselves, and latents."""

from __future__ import annotations

import torch

from ganbench.training.game import Game
from ganbench.training.samples import Draw
from ganbench.training.streamed import ReadAhead, Streamed
from ganbench.training.streams import index_blocks, latent_blocks


class Draws:
    """The draws of all cells by steps, from their `data` and `latent` streams."""

    def __init__(self, game: Game, prefix: str = "", updates: int | None = None) -> None:
        """Take a game, a prefix of the streams' names, and the updates of a step: unset, D's and the one of G."""
        train, device = game.train, game.data.device
        batches = (updates or (train.d_steps or 1) + 1, train.batch_size)
        self._rows = index_blocks(game.seeds, f"{prefix}data", batches, len(game.data), device)
        shape = (*batches, train.latent_size)
        self._latents = latent_blocks(game.seeds, f"{prefix}latent", shape, train.latent, game.dtype, device)
        self._ahead = None
        if isinstance(game.data, Streamed):
            again = index_blocks(game.seeds, f"{prefix}data", batches, len(game.data), torch.device("cpu"))
            self._ahead = ReadAhead(game.data, again)

    def at(self, step: int) -> list[Draw]:
        """Return what the updates of a step draw, in their order."""
        rows, latents = self._rows.at(step), self._latents.at(step)
        real = None if self._ahead is None else self._ahead.at(step)
        return [Draw(rows[:, k], latents[:, k], None if real is None else real[:, k]) for k in range(rows.shape[1])]
