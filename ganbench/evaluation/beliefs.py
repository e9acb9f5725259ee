"""What a trained discriminator believes: the probability that a point is real, as its logit says it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganbench.suite.cells import Cell
from ganbench.training.networks import build_networks, has_beliefs
from ganbench.training.players import Player


def beliefs(cell: Cell, flat: Tensor, device: torch.device) -> Callable[[Tensor], Tensor] | None:
    """Return a function from points `(n, d)` to probabilities `(n,)`, by D's stored parameters `(size,)`.

    None where the loss gives D no probability to hold, or D does not see the points as they are.
    """
    if not has_beliefs(cell):
        return None
    with torch.random.fork_rng(devices=[]):
        _, module = build_networks(cell, cell.dataset.create().shape, None)
    player, loss = Player(module, device, torch.float32), cell.objective.loss.create()
    parameters = player.parameters(flat.to(device).unsqueeze(0))

    @torch.no_grad()
    def believed(points: Tensor) -> Tensor:
        logits = player(parameters, points.float().to(device).unsqueeze(0)).flatten()
        probabilities: Tensor = loss.posterior(logits).cpu()
        return probabilities

    return believed
