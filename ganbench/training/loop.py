"""The one training loop: alternating updates of D and G, for all cells of a cohort at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.suite.cells import Cell
from ganbench.training.game import Game
from ganbench.training.samples import Draw
from ganbench.training.streams import Blocks, CellNoise, index_blocks, latent_blocks
from ganbench.training.trace import Trace

Progress = Callable[[int, int], None]
SECONDS_BETWEEN_REPORTS = 0.5


@dataclass(frozen=True)
class Trained:
    """What training made of one cell.

    `diverged_at` is the G step whose losses or gradients were not finite; snapshots are the scored generator's
    flat parameters by step, up to there.
    """

    trace: list[dict[str, float]]
    snapshots: dict[int, Tensor]
    diverged_at: int | None
    d_updates: int
    g_updates: int
    d_parameters: int
    g_parameters: int


def train_cohort(
    cells: Sequence[Cell],
    data: Tensor,
    snapshot_steps: Sequence[int],
    progress: Progress | None = None,
    labels: Tensor | None = None,
    each: Callable[[int], None] | None = None,
) -> list[Trained]:
    """Train every cell for its `g_steps`; `data` (uint8 images or float points, `(n, *shape)`) decides the device.

    `labels` `(n,)` are the classes of the real samples, which conditional objectives need.

    The cells must agree in all that `ganbench.suite.cohorts` asks of a cohort. `progress(step, alive)` is called
    about twice a second, `each(step)` after every G step. Raises whatever a plugin raises.
    """
    # A lone cell would run other kernels than in a cohort; beside a copy of itself it gets the same bits.
    padded = list(cells) if len(cells) > 1 else [cells[0], cells[0]]
    device, train = data.device, cells[0].train
    game, updates = Game(padded, data, device, labels), (train.d_steps or 1) + 1
    real, fakes = _streams(game, "", updates)
    trace, snapshots, told = Trace(train.g_steps), {}, time.monotonic()
    ends = torch.zeros(len(padded), dtype=torch.int64, device=device)
    _warm_up(game)
    step = 0
    for step in range(1, train.g_steps + 1):
        game.begin(step - 1, trace.wants(step))
        rows, latents = real.at(step - 1), fakes.at(step - 1)
        seen = game.update([Draw(rows[:, k], latents[:, k]) for k in range(updates)])
        ends = torch.where((ends == 0) & ~game.finite(seen, step), step, ends)
        if trace.wants(step):
            trace.add(step, seen | game.observed())
        if step in snapshot_steps:
            snapshots[step] = game.scored().to("cpu", torch.float32, copy=True)
        if each is not None:
            each(step)
        if time.monotonic() - told > SECONDS_BETWEEN_REPORTS:
            alive, told = int((ends[: len(cells)] == 0).sum()), time.monotonic()
            if progress is not None:
                progress(step, alive)
            if not alive:
                break
    return [_trained(game, i, trace, snapshots, int(ends[i]), step) for i in range(len(cells))]


def _streams(game: Game, prefix: str, updates: int) -> tuple[Blocks, Blocks]:
    train, device = game.train, game.data.device
    batches, latents = (updates, train.batch_size), (updates, train.batch_size, train.latent_size)
    return (
        index_blocks(game.seeds, f"{prefix}data", batches, len(game.data), device),
        latent_blocks(game.seeds, f"{prefix}latent", latents, train.latent, game.dtype, device),
    )


def _warm_up(game: Game) -> None:
    """Train D alone, then G alone, before the two alternate; neither counts among the G steps."""
    real, fakes = _streams(game, "warmup/", 1)
    for_training, game.noise = game.noise, CellNoise(game.seeds, "warmup/noise", game.dtype, game.data.device)
    for step in range(game.train.d_warmup + game.train.g_warmup):
        game.noise.begin(step)
        draw = Draw(real.at(step)[:, 0], fakes.at(step)[:, 0])
        game.warm_up(draw, "d" if step < game.train.d_warmup else "g")
    game.noise = for_training


def _trained(game: Game, cell: int, trace: Trace, snapshots: dict[int, Tensor], end: int, step: int) -> Trained:
    finite = {at: flat[cell].clone() for at, flat in snapshots.items() if not end or at < end}
    lived, train = end or step, game.train
    rows = [row for row in trace.rows(cell) if row["step"] <= lived]
    d_updates = lived * (train.d_steps or 1) + train.d_warmup
    return Trained(rows, finite, end or None, d_updates, lived + train.g_warmup, game.d.size, game.g.size)
