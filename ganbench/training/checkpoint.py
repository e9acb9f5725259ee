"""All that changes while a game is played, as named tensors: what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganbench.training.game import Game

D_UPDATES, AVERAGED, G = "d_updates", "averaged", "g"


def state(game: Game) -> dict[str, Tensor]:
    """Return both networks, the averaged G, optimisers, memories and normalisations, copied; streams need none.

    Random streams start anew at every multiple of `streams.BLOCK` steps, where a game may be taken up again.
    """
    found = {name: tensor.detach().clone() for name, tensor in tensors(game)}
    return {**found, D_UPDATES: torch.tensor(game.d_updates)}


def restore(game: Game, saved: dict[str, Tensor]) -> None:
    """Put a game of the same cells where another one stood; ValueError when the two do not match."""
    own = dict(tensors(game))
    if {*own, D_UPDATES} != set(saved):
        odd = sorted({*own, D_UPDATES} ^ set(saved))
        raise ValueError(f"the checkpoint is of another game: {', '.join(odd)} is in one of the two only")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(saved[name])
    game.d_updates = int(saved[D_UPDATES])


def tensors(game: Game) -> Iterator[tuple[str, Tensor]]:
    """Yield all of it by name, each `(cells, ...)`, as it lies in the game."""
    yield G, game.g_flat
    yield "d", game.d_flat
    if game.averaged is not game.g_flat:
        yield AVERAGED, game.averaged
    groups = {
        "g_optimiser": [game.g_optimiser.state],
        "d_optimiser": [game.d_optimiser.state],
        "loss": [game.loss.memory],
        "penalty": game.restraints.memories,
        "d_weights": game.d_weights.states,
        "g_weights": game.g_weights.states,
    }
    for group, members in groups.items():
        for place, member in enumerate(members):
            for name, tensor in member.items():
                yield f"{group}/{place}/{name}", tensor
