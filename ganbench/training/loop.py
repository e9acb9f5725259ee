"""The one training loop: alternating updates of D and G, for all cells of a cohort at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.suite.cells import Cell
from ganbench.training import optim
from ganbench.training.mixture import MixedLoss, Restraints
from ganbench.training.players import build_networks, start
from ganbench.training.streams import Blocks, CellNoise, index_blocks, latent_blocks
from ganbench.training.trace import Trace, accuracy

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


def to_samples(stored: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn stored samples into what networks see: uint8 images become floats in [-1, 1], points stay as they are."""
    return stored.to(dtype).div_(127.5).sub_(1) if stored.dtype == torch.uint8 else stored.to(dtype)


class Game:
    """Two players and their objective, for every cell of a cohort."""

    def __init__(self, cells: Sequence[Cell], data: Tensor, device: torch.device) -> None:
        """Build and initialise everything from the cells; `data` holds the real samples as stored."""
        train = cells[0].train
        self.train, self.data = train, data
        self.dtype = torch.float64 if train.precision == "float64" else torch.float32
        self.seeds = [cell.seed for cell in cells]
        architecture, shape = cells[0].architecture.create(), tuple(data.shape[1:])
        (self.g, self.g_flat), (self.d, self.d_flat) = start(
            lambda: build_networks(architecture, shape, train.latent_size), self.seeds, device, self.dtype
        )
        self.loss = MixedLoss([cell.objective.loss for cell in cells])
        self.restraints = Restraints(cells, device, self.dtype)
        self.noise = CellNoise(self.seeds, "noise", self.dtype, device)
        self.restraints.start(self.d.parameters(self.d_flat), CellNoise(self.seeds, "start", self.dtype, device))
        betas = self._per_cell([cell.train.betas for cell in cells])
        self.g_optimiser = optim.make(
            train.optimiser, self.g_flat, self._per_cell([cell.train.g_lr for cell in cells]), betas
        )
        self.d_optimiser = optim.make(
            train.optimiser, self.d_flat, self._per_cell([cell.train.d_lr for cell in cells]), betas
        )
        self.forget = 1 - self._per_cell([cell.train.ema for cell in cells])[:, None]
        self.averaged = self.g_flat.clone() if any(cell.train.ema for cell in cells) else self.g_flat

    def _per_cell(self, values: Sequence[object]) -> Tensor:
        return torch.tensor(values, dtype=self.dtype, device=self.data.device)

    def update_d(self, rows: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """Update D on real samples at `rows` and fakes of `latents`, G frozen; return what to record."""
        real = to_samples(self.data[rows], self.dtype)
        with torch.no_grad():
            fake = self.g(self.g.parameters(self.g_flat), latents)
            self.restraints.advance(self.d.parameters(self.d_flat))
        flat = self.d_flat.detach().requires_grad_()
        used = self.restraints.normalised(self.d.parameters(flat))
        r, f = self.d.logits(used, real), self.d.logits(used, fake)
        loss = self.loss.discriminator(r, f)
        penalty = self.restraints.penalty(lambda x: self.d.logits(used, x), real, fake, self.noise)
        total = loss if penalty is None else loss + penalty
        (gradient,) = torch.autograd.grad(total.sum(), flat)
        self.d_optimiser.step(self.d_flat, gradient)
        self.restraints.after_step(self.d_flat)
        held = torch.zeros_like(loss) if penalty is None else penalty
        with torch.no_grad():
            return {
                "d_loss": loss.detach(),
                "d_penalty": held.detach(),
                "d_grad_norm": gradient.norm(dim=1),
                "real_logit": r.mean(-1),
                "fake_logit": f.mean(-1),
                "d_accuracy": accuracy(r, f),
            }

    def update_g(self, rows: Tensor, latents: Tensor) -> dict[str, Tensor]:
        """Update G on fakes of `latents`, D frozen; return what to record."""
        used = {name: value.detach() for name, value in self._frozen_d().items()}
        flat = self.g_flat.detach().requires_grad_()
        f = self.d.logits(used, self.g(self.g.parameters(flat), latents))
        with torch.no_grad():
            real = to_samples(self.data[rows], self.dtype) if self.loss.needs_real else None
            r = torch.zeros_like(f) if real is None else self.d.logits(used, real)
        loss = self.loss.generator(r, f)
        (gradient,) = torch.autograd.grad(loss.sum(), flat)
        self.g_optimiser.step(self.g_flat, gradient)
        if self.averaged is not self.g_flat:
            self.averaged.lerp_(self.g_flat, self.forget)
        return {"g_loss": loss.detach(), "g_grad_norm": gradient.norm(dim=1)}

    def finite(self, seen: dict[str, Tensor], step: int) -> Tensor:
        """Return which cells `(cells,)` are finite: losses and gradients at every step, weights at the last."""
        watched = [seen[name] for name in ("d_loss", "g_loss", "d_grad_norm", "g_grad_norm")]
        if step == self.train.g_steps:
            watched += [self.g_flat.sum(1), self.d_flat.sum(1)]
        return torch.stack(watched).isfinite().all(0)

    def _frozen_d(self) -> dict[str, Tensor]:
        with torch.no_grad():
            return self.restraints.normalised(self.d.parameters(self.d_flat))


def train_cohort(
    cells: Sequence[Cell],
    data: Tensor,
    snapshot_steps: Sequence[int],
    progress: Progress | None = None,
) -> list[Trained]:
    """Train every cell for its `g_steps`; `data` (uint8 images or float points) decides the device.

    The cells must agree in all that `ganbench.suite.cohorts` asks of a cohort. `progress(step, alive)` is called
    about twice a second. Raises whatever a plugin raises.
    """
    # A lone cell would run other kernels than in a cohort; beside a copy of itself it gets the same bits.
    padded = list(cells) if len(cells) > 1 else [cells[0], cells[0]]
    device, train = data.device, cells[0].train
    game, d_steps = Game(padded, data, device), train.d_steps or 1
    real, fakes = _streams(game, "", d_steps + 1)
    trace, snapshots, told = Trace(train.g_steps), {}, time.monotonic()
    ends = torch.zeros(len(padded), dtype=torch.int64, device=device)
    _warm_up(game)
    step = 0
    for step in range(1, train.g_steps + 1):
        game.noise.begin(step - 1)
        rows, latents = real.at(step - 1), fakes.at(step - 1)
        for k in range(d_steps):
            seen = game.update_d(rows[:, k], latents[:, k])
        seen |= game.update_g(rows[:, -1], latents[:, -1])
        ends = torch.where((ends == 0) & ~game.finite(seen, step), step, ends)
        if trace.wants(step):
            trace.add(step, seen)
        if step in snapshot_steps:
            snapshots[step] = game.averaged.to("cpu", torch.float32, copy=True)
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
    for step in range(game.train.d_warmup + game.train.g_warmup):
        game.noise.begin(step)
        rows, latents = real.at(step)[:, 0], fakes.at(step)[:, 0]
        if step < game.train.d_warmup:
            game.update_d(rows, latents)
        else:
            game.update_g(rows, latents)


def _trained(game: Game, cell: int, trace: Trace, snapshots: dict[int, Tensor], end: int, step: int) -> Trained:
    finite = {at: flat[cell].clone() for at, flat in snapshots.items() if not end or at < end}
    lived, train = end or step, game.train
    rows = [row for row in trace.rows(cell) if row["step"] <= lived]
    d_updates = lived * (train.d_steps or 1) + train.d_warmup
    return Trained(rows, finite, end or None, d_updates, lived + train.g_warmup, game.d.size, game.g.size)
