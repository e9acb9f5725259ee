"""What one G step of a cell amounts to: arithmetic, bytes kept and bytes moved, whatever it runs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from unittest.mock import patch

import torch
from launches import launches
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from work import Work

from ganbench.suite.cells import Cell
from ganbench.training import lowering
from ganbench.training.game import Game
from ganbench.training.precision import Precision
from ganbench.training.samples import Draw

BETWEEN = (4, 20)  # G steps of two countings: a block of draws lies between them, and no record


@dataclass(frozen=True)
class Counts:
    """Of one cell and G step; `parameters` and `activations` are bytes, of both players and of either update."""

    flop: float
    g_parameters: int
    d_parameters: int
    d_activations: float
    g_activations: float

    @property
    def moved(self) -> float:
        """Return the bytes that a step moves at least.

        D's update reads G's parameters once (fakes) and D's twice (forward, backward); G's reads both players' twice.
        An update writes and reads the gradient, and reads and writes parameters and Adam's two moments: eight times
        the player's parameters. What is kept for a backward pass is written once and read once.
        """
        own = 8 * (self.g_parameters + self.d_parameters)
        passes = 3 * self.g_parameters + 4 * self.d_parameters
        return own + passes + 2 * (self.d_activations + self.g_activations)


def count(work: Work, on_gpu: bool = True) -> Counts:
    """Count on the CPU with two cells, their networks as they run `on_gpu` or here."""
    cells, data = replace(work, cells=2).planned(), work.data()
    with as_on_a_gpu() if on_gpu else nullcontext(), Precision(work.precision, data.device).session():
        game = Game(cells, data)
        for_d, for_g = (_draw(cells, len(data)) for _ in range(2))
        game.begin(0, recorded=False)
        kept = [
            kept_for_backward(game, update)
            for update in (lambda: game.d_gradient(for_d), lambda: game.g_gradient(for_g))
        ]
        with FlopCounterMode(display=False) as counter:
            game.update([for_d, for_g])
    number = game.g_flat.element_size()
    d_kept, g_kept = (bytes_ / len(cells) for bytes_ in kept)
    return Counts(counter.get_total_flops() / len(cells), number * game.g.size, number * game.d.size, d_kept, g_kept)


def launched(work: Work) -> float:
    """Return the launches of one G step of all cells, with convolutions grouped as on a GPU."""
    cells, data = work.planned(), work.data()
    with as_on_a_gpu():
        few, many = (sum(launches(cells, data, steps).values()) for steps in BETWEEN)
    return (many - few) / (BETWEEN[1] - BETWEEN[0])


def kept_for_backward(game: Game, update: Callable[[], object]) -> int:
    """Return the bytes that an update keeps for its backward pass, the players' parameters apart."""
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        update()
    own = {flat.untyped_storage().data_ptr() for flat in (game.g_flat, game.d_flat)}
    return sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own)


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Build networks as for a GPU: on a CPU convolutions go by groups of cells, on a GPU all at once."""
    lowered = lowering.lowered
    with patch("ganbench.training.players.lowered", lambda module, _on_cpu, twice: lowered(module, False, twice)):
        yield


def _draw(cells: Sequence[Cell], samples: int) -> Draw:
    train = cells[0].train
    shape = len(cells), train.batch_size
    return Draw(torch.randint(samples, shape), torch.randn(*shape, train.latent_size))
