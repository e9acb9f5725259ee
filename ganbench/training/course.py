"""The course of a cohort's training: all that lies between two steps, which can be kept and taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ganbench.training import checkpoint
from ganbench.training.game import Game
from ganbench.training.streams import BLOCK
from ganbench.training.trace import Ends, Trace

Saved = dict[str, Tensor]
STEP = "step"
G, AVERAGED = f"game/{checkpoint.G}", f"game/{checkpoint.AVERAGED}"
SHARED = {STEP, f"game/{checkpoint.D_UPDATES}"}  # the same number for all cells of a cohort


class Checkpoints(Protocol):
    """Where the courses of a cohort's cells are kept while they train."""

    @property
    def until(self) -> int | None:
        """Say after which G step training pauses, between two blocks; None: it goes on to its end."""

    @property
    def over(self) -> bool:
        """Say whether training is to end where it was last kept."""

    def due(self) -> bool:
        """Say whether it is time to keep them."""

    def warming_up(self) -> None:
        """Hear now and then that there is nothing to keep yet; whoever is asked to stop does so here."""

    def write(self, cells: Sequence[Saved]) -> None:
        """Keep one course per cell, in place of the last."""

    def read(self) -> Sequence[Saved]:
        """Return the courses of all cells, kept after the same step, or none."""


@dataclass
class Course:
    """Where a game stands after `step` G steps, and what has been recorded on the way.

    `snapshots` are flat parameters `(cells, size)` by player and step.
    """

    game: Game
    trace: Trace
    ends: Ends
    snapshots: dict[str, dict[int, Tensor]] = field(default_factory=lambda: {"g": {}, "d": {}})
    step: int = 0

    @property
    def between_blocks(self) -> bool:
        """Whether random streams start anew here, so that training can be taken up without their state."""
        return self.step % BLOCK == 0

    def saved(self, cells: int) -> list[Saved]:
        """Return the courses of the first `cells` cells, each complete."""
        whole = {f"game/{name}": tensor for name, tensor in checkpoint.state(self.game).items()}
        for player, flats in self.snapshots.items():
            whole |= {f"snapshot/{player}/{step}": flat for step, flat in flats.items()}
        whole |= {f"trace/{name}": tensor for name, tensor in self.trace.state().items()}
        whole |= {"end": torch.tensor(self.ends.steps()), STEP: torch.tensor(self.step)}
        there = {name: tensor.cpu() for name, tensor in whole.items()}
        return [
            {
                name: tensor if name in SHARED else tensor[cell].clone()
                for name, tensor in there.items()
                if name != AVERAGED or self.game.averages[cell]
            }
            for cell in range(cells)
        ]

    def take_up(self, cells: Sequence[Saved]) -> None:
        """Stand where these courses were kept, in the order of the game's cells; ValueError when it is another game."""
        cells = [self._as_here(saved, averages) for saved, averages in zip(cells, self.game.averages, strict=True)]
        if any(saved.keys() != cells[0].keys() for saved in cells):
            raise ValueError("the courses are not of one cohort")
        whole = {
            name: value if name in SHARED else torch.stack([saved[name] for saved in cells])
            for name, value in cells[0].items()
        }
        checkpoint.restore(self.game, _under("game/", whole))
        self.step = int(whole[STEP])
        for name, flat in _under("snapshot/", whole).items():
            player, _, step = name.partition("/")
            self.snapshots[player][int(step)] = flat
        device = self.game.data.device
        self.trace.restore({name: series.to(device) for name, series in _under("trace/", whole).items()})
        self.ends.restore(whole["end"].to(device), self.step)

    def _as_here(self, saved: Saved, averages: bool) -> Saved:
        """Return a course with an averaged G just where the game has one, whatever cells it was kept beside.

        Of a cell that averages nothing that is G itself, bit by bit.
        """
        if averages or G not in saved:
            return saved
        found = {name: tensor for name, tensor in saved.items() if name != AVERAGED}
        return {**found, AVERAGED: saved[G]} if any(self.game.averages) else found


def _under(prefix: str, named: Saved) -> Saved:
    return {name.removeprefix(prefix): tensor for name, tensor in named.items() if name.startswith(prefix)}
