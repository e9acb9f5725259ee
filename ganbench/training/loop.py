"""The one training loop: alternating updates of D and G, for all cells of a cohort at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.suite.cells import Cell
from ganbench.training import capture, checkpoint
from ganbench.training.capture import Captured
from ganbench.training.course import Checkpoints, Course
from ganbench.training.draws import Draws
from ganbench.training.game import Game
from ganbench.training.networks import has_beliefs, has_surface, may_have_beliefs
from ganbench.training.precision import Precision
from ganbench.training.snapshots import judging, scored
from ganbench.training.streamed import Streamed
from ganbench.training.streams import CellNoise
from ganbench.training.trace import Ends, Trace

Progress = Callable[[int, int], None]
Each = Callable[[int], None]
SECONDS_BETWEEN_REPORTS = 0.5


@dataclass(frozen=True)
class Trained:
    """What training made of one cell.

    `diverged_at` is the G step whose losses or gradients were not finite, `step` the last one of its life; snapshots
    are the scored generator's flat parameters by step, up to there, and D's where its beliefs can be held against the
    truth, or just the last of D's where its surface can be drawn. `execution` says whether a GPU replayed captured
    steps, or why not.
    """

    trace: list[dict[str, float]]
    snapshots: dict[int, Tensor]
    d_snapshots: dict[int, Tensor]
    diverged_at: int | None
    step: int
    d_updates: int
    g_updates: int
    d_parameters: int
    g_parameters: int
    execution: str


def train_cohort(
    cells: Sequence[Cell],
    data: Tensor | Streamed,
    snapshot_steps: Sequence[int],
    progress: Progress | None = None,
    labels: Tensor | None = None,
    each: Each | None = None,
    checkpoints: Checkpoints | None = None,
) -> list[Trained]:
    """Train every cell for its `g_steps`, on the device where `data` (uint8 images or float points) are wanted.

    `data` `(n, *shape)` are in memory or streamed; `labels` `(n,)` are their classes, which conditional objectives
    need. The cells must agree in all that `ganbench.suite.cohorts` asks of a cohort. `progress(step, alive)` is called
    about twice a second (with step 0 during warm-up), `each(step)` after every G step. With `checkpoints` training goes
    on where they stand, to the same bits, is kept there when it is time, and pauses or ends early when they say so.
    Raises what plugins raise.
    """
    # Where a lone cell would run other kernels than in a cohort, it trains beside a copy of itself.
    with Precision(cells[0].train.precision, data.device).session():
        padded = cells if len(cells) > 1 or _proves_alone(cells[0], data, labels) else [cells[0], cells[0]]
        game = Game(padded, data, labels)
        course = Course(game, Trace(game.train.g_steps), Ends(len(game.seeds), data.device))
        kept = checkpoints.read() if checkpoints else []
        if kept:
            course.take_up([kept[min(place, len(kept) - 1)] for place in range(len(padded))])
        else:
            _warm_up(game, len(cells), progress, checkpoints)
        return _train(course, cells, snapshot_steps, progress, each, checkpoints)


def _train(
    course: Course,
    cells: Sequence[Cell],
    snapshot_steps: Sequence[int],
    progress: Progress | None,
    each: Each | None,
    checkpoints: Checkpoints | None,
) -> list[Trained]:
    game, trace, ends, snapshots = course.game, course.trace, course.ends, course.snapshots
    draws, told = Draws(game), time.monotonic()
    judged = any(may_have_beliefs(cell) or has_surface(cell) for cell in cells)
    captured = Captured(game) if game.data.is_cuda and capture.ENABLED else None
    update = captured.update if captured else game.update
    until = checkpoints.until if checkpoints else None
    for step in range(course.step + 1, min(until or game.train.g_steps, game.train.g_steps) + 1):
        course.step = step
        game.begin(step - 1, trace.wants(step))
        seen = update(draws.at(step - 1))
        ends.see(game.watched(seen, step))
        if trace.wants(step):
            trace.add(step, seen | game.observed())
        if step in snapshot_steps:
            snapshots["g"][step] = scored(game)
            if judged:
                snapshots["d"][step] = judging(game)
        if time.monotonic() - told > SECONDS_BETWEEN_REPORTS:
            alive, told = ends.steps()[: len(cells)].count(0), time.monotonic()
            if progress is not None:
                progress(step, alive)
            if not alive:
                break
        if each is not None:
            each(step)
        if checkpoints and course.between_blocks and (step == until or checkpoints.due()):
            checkpoints.write(course.saved(len(cells)))
            if checkpoints.over:
                break
    how = "" if captured is None else f"eager: {captured.refused}" if captured.refused else "captured"
    found = []
    for i, end in enumerate(ends.steps()[: len(cells)]):
        own = {who: _finite(flat, i, end) for who, flat in snapshots.items()}
        found.append(_trained(game, i, trace, (own["g"], _wanted_of_d(cells[i], own["d"])), end, course.step, how))
    return found


def _proves_alone(cell: Cell, data: Tensor | Streamed, labels: Tensor | None) -> bool:
    """Whether a lone cell gets the bits of a cohort: its first step is taken both ways."""
    states = []
    for together in ([cell], [cell, cell]):
        game = Game(together, data, labels)
        game.begin(0)
        seen = game.update(Draws(game).at(0))
        # The optimisers' too: Adam's first step goes by the signs of a gradient, and hides its last digits.
        states.append([tensor[0] for tensor in (*seen.values(), *(t for _, t in checkpoint.tensors(game)))])
    return all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def _warm_up(game: Game, cells: int, progress: Progress | None, checkpoints: Checkpoints | None) -> None:
    """Train D alone, then G alone, before the two alternate; neither counts among the G steps."""
    draws, told = Draws(game, "warmup/", 1), time.monotonic()
    for_training, game.noise = game.noise, CellNoise(game.seeds, "warmup/noise", game.dtype, game.data.device)
    for step in range(game.train.d_warmup + game.train.g_warmup):
        game.noise.begin(step)
        (draw,) = draws.at(step)
        game.warm_up(draw, "d" if step < game.train.d_warmup else "g")
        if checkpoints is not None:
            checkpoints.warming_up()
        if progress is not None and time.monotonic() - told > SECONDS_BETWEEN_REPORTS:
            told = time.monotonic()
            progress(0, cells)
    game.noise = for_training


def _finite(flats: dict[int, Tensor], cell: int, end: int) -> dict[int, Tensor]:
    return {at: flat[cell].clone() for at, flat in flats.items() if not end or at < end}


def _wanted_of_d(cell: Cell, flats: dict[int, Tensor]) -> dict[int, Tensor]:
    if has_beliefs(cell):
        return flats
    return {at: flat for at, flat in flats.items() if at == max(flats)} if has_surface(cell) else {}


def _trained(
    game: Game,
    cell: int,
    trace: Trace,
    snapshots: tuple[dict[int, Tensor], dict[int, Tensor]],
    end: int,
    step: int,
    how: str,
) -> Trained:
    lived, train = end or step, game.train
    rows = [row for row in trace.rows(cell) if row["step"] <= lived]
    d_updates = lived * (train.d_steps or 1) + train.d_warmup
    return Trained(
        rows, *snapshots, end or None, lived, d_updates, lived + train.g_warmup, game.d.size, game.g.size, how
    )
