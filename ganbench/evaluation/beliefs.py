"""What a trained discriminator believes: its logits, and the probability that a point is real, as they say it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganbench.plugins import View
from ganbench.suite.cells import Cell
from ganbench.training.networks import build_networks, has_beliefs
from ganbench.training.players import Player

Of = Callable[[Tensor], Tensor]


def beliefs(cell: Cell, flat: Tensor, device: torch.device) -> Of | None:
    """Return a function from points `(n, d)` to probabilities `(n,)`, by D's stored parameters `(size,)`.

    None where the loss gives D no probability to hold, or D does not see the points as they are.
    """
    return _held(cell, _said(cell, flat, device)) if has_beliefs(cell) else None


@torch.no_grad()
def surface(cell: Cell, flat: Tensor, device: torch.device, points: Tensor) -> tuple[str, Tensor]:
    """Return what can be drawn of D at points `(n, 2)`, a name and numbers `(n,)`, of a cell that `has_surface`.

    `surface` is the probability that a point is real, where the loss says how logits stand for one and no technique
    changes what D sees; else `logits`, larger for real points: of an autoencoder, the error with its sign changed.
    """
    said, techniques = _said(cell, flat, device), [part.create() for part in cell.objective.techniques]
    if hasattr(cell.objective.loss.create(), "posterior") and not any(isinstance(one, View) for one in techniques):
        try:
            return "surface", _held(cell, said)(points)
        except ValueError:  # with these parameters of the loss, D at its best does not tell samples apart
            return "logits", said(points).cpu()
    return "logits", said(points).cpu()


def _held(cell: Cell, said: Of) -> Of:
    loss = cell.objective.loss.create()

    @torch.no_grad()
    def held(points: Tensor) -> Tensor:
        probabilities: Tensor = loss.posterior(said(points)).cpu()
        return probabilities

    return held


def _said(cell: Cell, flat: Tensor, device: torch.device) -> Of:
    with torch.random.fork_rng(devices=[]):
        _, module = build_networks(cell, cell.dataset.create().shape, None)
    player = Player(module, device, torch.float32)
    parameters = player.parameters(flat.to(device).unsqueeze(0))
    error = getattr(cell.objective.loss.create(), "critic", "scalar") == "autoencoder"

    @torch.no_grad()
    def said(points: Tensor) -> Tensor:
        found: Tensor = player(parameters, points.float().to(device).unsqueeze(0))
        return (-found[..., 0] if error else found).flatten()

    return said
