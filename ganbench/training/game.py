"""Two players and their objective, for every cell of a cohort: the gradients of one update, and the update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganbench.plugins import Lookahead, Selection, View
from ganbench.suite.cells import Cell
from ganbench.techniques.conditioning import conditioning_of
from ganbench.training import optim
from ganbench.training.discriminator import Critic, Discriminator
from ganbench.training.mixture import MixedLoss, across_cells
from ganbench.training.networks import build_networks
from ganbench.training.players import start
from ganbench.training.precision import Precision
from ganbench.training.restraints import Restraints, Weights, with_architecture
from ganbench.training.samples import Batch, Draw, taken, to_samples
from ganbench.training.streamed import Streamed
from ganbench.training.streams import CellNoise, StreamNoise
from ganbench.training.trace import accuracy
from ganbench.training.views import Views

Gradient = tuple[Tensor, dict[str, Tensor]]


@dataclass(frozen=True)
class _Said:
    """What a D loss was made of: the loss and the penalties `(cells,)`, and what D said of real and fake samples."""

    loss: Tensor
    held: Tensor | None
    real: Tensor
    fake: Tensor


class Game:
    """Two players and their objective, for every cell of a cohort."""

    def __init__(self, cells: Sequence[Cell], data: Tensor | Streamed, labels: Tensor | None = None) -> None:
        """Build and initialise everything from the cells, where `data` lies: the real samples as stored."""
        first, self.train, self.data, self.labels, device = cells[0], cells[0].train, data, labels, data.device
        self.precision = Precision(self.train.precision, device)
        self.dtype = self.precision.dtype
        self.seeds, self.step, self.d_updates, self.recorded = [cell.seed for cell in cells], 0, 0, True
        self.architecture, self.conditioning = first.architecture.create(), conditioning_of(first.objective.techniques)
        self.classes = first.dataset.create().classes if self.conditioning else None
        (self.g, self.g_flat), (self.d, self.d_flat) = start(
            lambda: build_networks(first, tuple(data.shape[1:]), self.classes), self.seeds, device, self.dtype
        )
        self.loss = MixedLoss([cell.objective.loss for cell in cells], device, self.dtype)
        self._g_own, self._d_own = self.g.parameters(self.g_flat), self.d.parameters(self.d_flat)  # changed in place
        self._hold_back(cells)
        self._equip(first)
        betas = self._per_cell([cell.train.betas for cell in cells])
        g_lr, d_lr = ([getattr(cell.train, name) for cell in cells] for name in ("g_lr", "d_lr"))
        self.g_optimiser = optim.make(self.train.optimiser, self.g_flat, self._per_cell(g_lr), betas)
        self.d_optimiser = optim.make(self.train.optimiser, self.d_flat, self._per_cell(d_lr), betas)
        self.forget = 1 - self._per_cell([cell.train.ema for cell in cells])[:, None]
        self.averages = [bool(cell.train.ema) for cell in cells]  # of a cell that does not, `averaged` is G itself
        self.averaged = self.g_flat.clone() if any(self.averages) else self.g_flat

    def _hold_back(self, cells: Sequence[Cell]) -> None:
        device, first = self.data.device, self._per_cell([0.0] * len(cells))
        kinds = zip(*(cell.objective.penalties for cell in cells), strict=True)
        penalties = with_architecture([across_cells(parts, device, self.dtype) for parts in kinds], self.architecture)
        self.restraints = Restraints(penalties, first)
        self.noise: StreamNoise = CellNoise(self.seeds, "noise", self.dtype, device)
        self.d_weights, self.g_weights = Weights(penalties, "d"), Weights(penalties, "g")
        self.d_weights.start(self._d_own, CellNoise(self.seeds, "start", self.dtype, device))
        self.g_weights.start(self._g_own, CellNoise(self.seeds, "start/g", self.dtype, device))

    def _equip(self, cell: Cell) -> None:
        techniques = [part.create() for part in cell.objective.techniques]
        scalar = getattr(cell.objective.loss.create(), "critic", "scalar") == "scalar"
        self._says = Discriminator(self.d, scalar, self.precision)
        self.views = [technique for technique in techniques if isinstance(technique, View)]
        self.selections = [technique for technique in techniques if isinstance(technique, Selection)]
        self.ahead = sum(technique.d_steps_ahead for technique in techniques if isinstance(technique, Lookahead))

    def _per_cell(self, values: Sequence[object]) -> Tensor:
        return torch.tensor(values, dtype=self.dtype, device=self.data.device)

    def begin(self, step: int, recorded: bool = True) -> None:
        """Start the G step after `step` others; one that is not `recorded` tells only whether it was finite."""
        self.step, self.recorded = step, recorded
        self.noise.begin(step)

    def update(self, draws: Sequence[Draw]) -> dict[str, Tensor]:
        """Take one step of the game: a D update for each draw but the last, a G update for that; what to record."""
        for draw in draws[:-2]:
            self._step_d(self.d_gradient(draw))
        if self.train.updates == "simultaneous":
            for_d, for_g = self.d_gradient(draws[-2]), self.g_gradient(draws[-1])
            return self._step_d(for_d) | self._step_g(for_g)
        return self._step_d(self.d_gradient(draws[-2])) | self._step_g(self.g_gradient(draws[-1]))

    def warm_up(self, draw: Draw, player: str) -> None:
        """Update one player, "d" or "g", alone."""
        if player == "d":
            self._step_d(self.d_gradient(draw))
        else:
            self._step_g(self.g_gradient(draw))

    def d_gradient(self, draw: Draw) -> Gradient:
        """Return D's flat gradient, G frozen, and what to record."""
        batch = self.batch(draw)
        self.d_weights.advance(self._d_own)
        if self.restraints.joint:
            gradient, _, said, _ = self._both(*self._leaves(), batch)
        else:
            with torch.no_grad():
                fake = self._generate(self._g_own, batch)
            own = self._d_own.learning()
            total, said = self._d_loss(own, self._g_own, batch, fake)
            (gradient,) = torch.autograd.grad(total.sum(), own.flat)
        with torch.no_grad():
            self.loss.remember(said.real, said.fake)
            if self.restraints.reads_logits:
                self.restraints.remember(*self._logits(said.real, said.fake))
            return gradient.detach(), self._seen(said, gradient)

    def g_gradient(self, draw: Draw) -> Gradient:
        """Return G's flat gradient, D frozen (or, by unrolling, some steps ahead), and what to record."""
        needs_real = self.loss.needs_real or self.ahead > 0 or bool(self.restraints.joint)
        batch = self.batch(draw, needs_real)
        self.g_weights.advance(self._g_own)
        if self.restraints.joint:
            _, gradient, _, loss = self._both(*self._leaves(), batch)
        else:
            own, twice = self._g_own.learning(), self.ahead > 0
            fake = self._generate(own, batch, twice=twice)
            total, loss = self._g_loss(own, self._d_ahead(own, batch, fake), batch, fake, twice)
            (gradient,) = torch.autograd.grad(total.sum(), own.flat)
        gradient = gradient.detach()
        return gradient, {"g_loss": loss.detach(), "g_grad_norm": torch.linalg.vector_norm(gradient, dim=1)}

    def field(self, d_flat: Tensor, g_flat: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the gradients, for D and for G, at given parameters: differentiable in both of them."""
        for_d, for_g, _, _ = self._both(d_flat, g_flat, batch, differentiable=True)
        return for_d, for_g

    def _both(
        self, d_flat: Tensor, g_flat: Tensor, batch: Batch, differentiable: bool = False
    ) -> tuple[Tensor, Tensor, _Said, Tensor]:
        """Return the gradients for D and for G, penalties on both included, with what D said and L_G."""
        own = self.g.parameters(g_flat)
        fake = self._generate(own, batch, twice=True)
        d_total, said = self._d_loss(self.d.parameters(d_flat), own, batch, fake, twice=True)
        g_total, g_loss = self._g_loss(own, self._normalised_d(d_flat), batch, fake, twice=True)
        (for_d,) = torch.autograd.grad(d_total.sum(), d_flat, create_graph=True)
        (for_g,) = torch.autograd.grad(g_total.sum(), g_flat, create_graph=True)
        if self.restraints.joint:
            penalty = self.restraints.of_gradients(for_d, for_g).sum()
            more_d, more_g = torch.autograd.grad(penalty, (d_flat, g_flat), create_graph=differentiable)
            for_d, for_g = for_d + more_d, for_g + more_g
        return for_d, for_g, said, g_loss

    def _leaves(self) -> tuple[Tensor, Tensor]:
        return self.d_flat.detach().requires_grad_(), self.g_flat.detach().requires_grad_()

    def watched(self, seen: dict[str, Tensor], step: int) -> list[Tensor]:
        """Return what is finite in a cell that is, `(cells,)` each: losses and gradients, at the last step weights."""
        found = [seen[name] for name in ("d_loss", "g_loss", "d_grad_norm", "g_grad_norm")]
        if step == self.train.g_steps:
            found[2:] = [found[2] + self.d_flat.sum(1), found[3] + self.g_flat.sum(1)]
        return found

    def observed(self) -> dict[str, Tensor]:
        """Return what else there is to record, `(cells,)` each: what losses remember, what an architecture shows."""
        shown = getattr(self.architecture, "observe", None)
        own = shown(self._g_own, self._d_own) if shown else {}
        return {**self.loss.remembered(), **own}

    def batch(self, draw: Draw, with_real: bool = True) -> Batch:
        """Look up the samples of a draw; fakes get the codes of the real samples beside them."""
        stored = taken(self.data, draw.rows) if draw.real is None and with_real else draw.real
        real = to_samples(stored, self.dtype) if stored is not None and with_real else None
        if self.conditioning is None:
            return Batch(real, draw.latents, None)
        labels = None if self.labels is None else self.labels[draw.rows]
        codes = self.conditioning.codes(labels, self.classes, draw.rows.shape[-1], self.noise)
        return Batch(real, draw.latents, codes.to(self.dtype))

    def _d_loss(
        self, own: Views, g_own: Mapping[str, Tensor], batch: Batch, fake: Tensor, ahead: int = 0, twice: bool = False
    ) -> tuple[Tensor, _Said]:
        used = self.d_weights.normalised(own)
        assert batch.real is not None
        real, shown = self._see(batch.real), self._see(fake)
        # Summed apart, also in one pass: where real and fake pull a weight equally hard, two sums cancel to zero, and
        # one sum leaves a last digit, which Adam would make a step of.
        (r, r_more), (f, f_more) = self._says.of_both(used, real, shown, batch.codes, twice)
        loss = self.loss.discriminator(r, f)
        critic = Critic(self._says, used, batch.codes, lambda says: self.loss.logits(says, r, f), twice)
        terms = [
            *self.restraints.on_samples(critic, real, shown, self.noise, self.d_updates + ahead),
            *(self.restraints.on_logits(*self._logits(r, f)) if self.restraints.reads_logits else ()),
            *self.restraints.d_on_latents(
                lambda samples: critic(self._see(samples)),
                lambda latents: self._generate(g_own, replace(batch, latents=latents), exact=True),
                batch.latents,
                fake,
                self.noise,
            ),
            *self.d_weights.penalties(own),
        ]
        if self.conditioning is not None and batch.codes is not None:
            terms.append(self.conditioning.d_term(r_more, f_more, batch.codes))
        held = torch.stack(terms).sum(0) if terms else None
        return loss if held is None else loss + held, _Said(loss, held, r, f)

    def _seen(self, said: _Said, gradient: Tensor) -> dict[str, Tensor]:
        """Return what a trace records of a D update, or just what tells whether it was finite."""
        seen = {"d_loss": said.loss.detach(), "d_grad_norm": torch.linalg.vector_norm(gradient, dim=1)}
        if not self.recorded:
            return seen
        real, fake = self._logits(said.real, said.fake)
        return seen | {
            "d_penalty": torch.zeros_like(said.loss) if said.held is None else said.held.detach(),
            "real_logit": real.mean(-1),
            "fake_logit": fake.mean(-1),
            "d_accuracy": accuracy(real, fake),
        }

    def _logits(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self.loss.logits(real, real, fake), self.loss.logits(fake, real, fake)

    def _g_loss(
        self, g_own: Mapping[str, Tensor], d_used: Mapping[str, Tensor], batch: Batch, fake: Tensor, twice: bool = False
    ) -> tuple[Tensor, Tensor]:
        def said(samples: Tensor) -> tuple[Tensor, Tensor]:
            return self._says(d_used, self._see(samples), batch.codes, twice=twice)

        f, more = said(fake)
        # Where G looks ahead, or both players at both gradients, what D says of real samples depends on G as well.
        with torch.set_grad_enabled(self.ahead > 0 or bool(self.restraints.joint)):
            real = batch.real if self.loss.needs_real else None
            r = torch.zeros_like(f) if real is None else said(real)[0]
        for selection in self.selections:
            r, f = selection.kept(r, f, self.step)
        loss = self.loss.generator(r, f)
        terms = [
            *self.restraints.g_on_latents(
                lambda latents: self._generate(g_own, replace(batch, latents=latents), exact=True),
                batch.latents,
                fake,
                self.noise,
            ),
            *self.g_weights.penalties(g_own),
        ]
        if self.conditioning is not None and batch.codes is not None:
            terms.append(self.conditioning.g_term(more, batch.codes))
        return (loss + torch.stack(terms).sum(0) if terms else loss), loss

    def _d_ahead(self, g_own: Mapping[str, Tensor], batch: Batch, fake: Tensor) -> Mapping[str, Tensor]:
        """Return the parameters of the D that G learns against: today's, frozen, or the one some steps ahead."""
        if not self.ahead:
            with torch.no_grad():
                return self.d_weights.normalised(self._d_own)
        flat, step = self.d_flat.detach().requires_grad_(), self.d_optimiser.ahead()
        for k in range(self.ahead):
            total, _said = self._d_loss(self.d.parameters(flat), g_own, batch, fake, k, twice=True)
            (gradient,) = torch.autograd.grad(total.sum(), flat, create_graph=True)
            flat = step(flat, gradient)
        return self._normalised_d(flat)

    def _normalised_d(self, flat: Tensor) -> Mapping[str, Tensor]:
        return self.d_weights.normalised(self.d.parameters(flat))

    def _generate(self, own: Mapping[str, Tensor], batch: Batch, exact: bool = False, twice: bool = False) -> Tensor:
        latents = batch.latents if batch.codes is None else torch.cat([batch.latents, batch.codes], dim=-1)
        with self.precision.networks(exact):
            return self.g(self.g_weights.normalised(own), latents, twice=twice or exact).to(self.dtype)

    def _see(self, samples: Tensor) -> Tensor:
        for view in self.views:
            samples = view.seen(samples, self.noise, self.step)
        return samples

    def _step_d(self, gradient: Gradient) -> dict[str, Tensor]:
        self.d_optimiser.step(gradient[0])
        self.restraints.after_step(self.d_flat)
        self.d_updates += 1
        return gradient[1]

    def _step_g(self, gradient: Gradient) -> dict[str, Tensor]:
        self.g_optimiser.step(gradient[0])
        if self.averaged is not self.g_flat:
            self.averaged.lerp_(self.g_flat, self.forget)
        return gradient[1]
