"""What is kept of the players while they train: the parameters that their forward passes use."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.training.game import Game


@torch.no_grad()
def scored(game: Game) -> Tensor:
    """Return the flat parameters `(cells, size)` that the scored generator uses: averaged, then normalised.

    A cell that averages nothing gets its own weights as it trains with them, whatever cells it is beside.
    """
    own = game.g.flat(game.g_weights.normalised(game.g.parameters(game.g_flat)))
    if not any(game.averages):
        return _kept(own)
    averaged = game.g.flat(game.g_weights.settled(game.g.parameters(game.averaged)))
    return _kept(torch.where(torch.tensor(game.averages, device=own.device)[:, None], averaged, own))


@torch.no_grad()
def judging(game: Game) -> Tensor:
    """Return the flat parameters `(cells, size)` by which D judges: normalised."""
    return _kept(game.d.flat(game.d_weights.normalised(game.d.parameters(game.d_flat))))


def _kept(flat: Tensor) -> Tensor:
    return flat.to("cpu", torch.float32, copy=True)
