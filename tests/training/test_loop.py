"""The loop against a hand-written one with torch.optim, cell by cell."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganbench import architectures, datasets, objectives
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.game import Game
from ganbench.training.loop import train_cohort
from ganbench.training.samples import to_samples
from ganbench.training.streams import BLOCK, generator, latents
from ganbench.training.trace import TOGETHER, Ends

POINTS = torch.randn(512, 2, generator=torch.Generator().manual_seed(1))
IMAGES = torch.randint(256, (64, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def cell(objective: Objective, data: Tensor = POINTS, seed: int = 0, **train: object) -> Cell:
    if data.ndim == 4:
        architecture = architectures.registry.part("dcgan", {"width": 4, "g_norm": "batch", "d_norm": "batch"})
    else:
        architecture = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    settings = {
        "g_steps": 100,
        "batch_size": 16,
        "latent_size": 4,
        "precision": "float64",
        "d_steps": 1,
        **train,
    }
    return Cell(objective, architecture, datasets.registry.part("ring8", {}), Train(**settings), seed)


def with_r1(name: str, gamma: float) -> Objective:
    return replace(objectives.create(name), penalties=(Part("penalty", "r1", {"gamma": gamma}),))


def plain_loop(cell: Cell, data: Tensor, steps: int) -> Tensor:
    """Train one cell the way a person would write it: two modules, two torch.optim.Adam."""
    train, loss = cell.train, cell.objective.loss.create()
    torch.manual_seed(generator(cell.seed, "init").initial_seed())
    shape = tuple(data.shape[1:])
    architecture = cell.architecture.create()
    g = architecture.generator(shape, train.latent_size).double()
    d = architecture.discriminator(shape).double()
    g_optimiser = torch.optim.Adam(g.parameters(), train.g_lr, train.betas)
    d_optimiser = torch.optim.Adam(d.parameters(), train.d_lr, train.betas)
    updates, batch = train.d_steps + 1, train.batch_size
    for step in range(steps):
        block, position = divmod(step, BLOCK)
        if position == 0:
            rows = torch.randint(len(data), (BLOCK, updates, batch), generator=generator(cell.seed, "data", block))
            shape_z = (BLOCK, updates, batch, train.latent_size)
            z = latents(shape_z, train.latent, generator(cell.seed, "latent", block)).double()
        for k in range(train.d_steps):
            real = to_samples(data[rows[position, k]], torch.float64).requires_grad_()
            fake = g(z[position, k]).detach()
            r, f = d(real).flatten(), d(fake).flatten()
            d_loss = loss.discriminator(r, f)
            for penalty in cell.objective.penalties:
                (slope,) = torch.autograd.grad(r.sum(), real, create_graph=True)
                d_loss = d_loss + penalty.parameters["gamma"] / 2 * slope.flatten(1).pow(2).sum(1).mean()
            d_optimiser.zero_grad()
            d_loss.backward()
            d_optimiser.step()
        real = to_samples(data[rows[position, -1]], torch.float64)
        g_loss = loss.generator(d(real).flatten(), d(g(z[position, -1])).flatten())
        g_optimiser.zero_grad()
        g_loss.backward()
        g_optimiser.step()
    return nn.utils.parameters_to_vector(g.parameters()).detach()


def last_weights(cells: Sequence[Cell], data: Tensor, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Train a cohort and return G's parameters in full precision."""
    games: list[Game] = []
    original = Game.__init__

    def keep(self: Game, *arguments: object) -> None:
        original(self, *arguments)
        games.append(self)

    monkeypatch.setattr(Game, "__init__", keep)
    train_cohort(cells, data, ())
    game = games[-1]
    return list(game.g_flat[: len(cells), : game.g.size])


@pytest.mark.parametrize(
    ("data", "steps"),
    [
        pytest.param(POINTS, 100, id="mlp"),
        pytest.param(IMAGES, 25, id="dcgan with batch norm"),
        pytest.param(IMAGES, 100, id="dcgan, longer", marks=pytest.mark.long),
    ],
)
def test_each_cell_of_a_mixed_cohort_follows_the_trajectory_of_a_plain_loop(
    data: Tensor, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [
        cell(with_r1("non_saturating", 1.0), data, 0, g_lr=2e-4, d_lr=1e-3, g_steps=steps),
        cell(with_r1("hinge", 0.3), data, 1, g_lr=1e-3, d_lr=2e-4, g_steps=steps),
        cell(with_r1("least_squares", 2.0), data, 0, g_lr=5e-4, d_lr=5e-4, betas=(0.0, 0.9), g_steps=steps),
        cell(with_r1("relativistic_paired", 0.1), data, 2, g_lr=1e-4, d_lr=4e-4, betas=(0.9, 0.999), g_steps=steps),
    ]
    trained = last_weights(cells, data, monkeypatch)
    for one, weights in zip(cells, trained, strict=True):
        torch.testing.assert_close(weights, plain_loop(one, data, steps), rtol=0, atol=1e-10)


def test_more_d_steps_than_one_follow_the_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [cell(objectives.create("wasserstein"), seed=seed, d_steps=3, g_lr=1e-3) for seed in (0, 1)]
    for one, weights in zip(cells, last_weights(cells, POINTS, monkeypatch), strict=True):
        torch.testing.assert_close(weights, plain_loop(one, POINTS, 100), rtol=0, atol=1e-10)


def test_a_cell_gets_the_same_bits_alone_and_anywhere_in_any_cohort() -> None:
    names = ["hinge", "minimax", "non_saturating", "least_squares", "wasserstein"]
    cells = [
        cell(objectives.create(name), seed=seed, precision="float32", g_steps=40) for seed, name in enumerate(names)
    ]
    together = train_cohort(cells, POINTS, (40,))
    alone = [train_cohort([one], POINTS, (40,))[0] for one in cells]
    turned = list(reversed(train_cohort(cells[::-1], POINTS, (40,))))
    for a, b, c in zip(together, alone, turned, strict=True):
        assert torch.equal(a.snapshots[40], b.snapshots[40])
        assert torch.equal(a.snapshots[40], c.snapshots[40])


def test_a_penalty_weight_of_its_own_keeps_a_cells_bits() -> None:
    cells = [
        cell(with_r1("non_saturating", gamma), seed=seed, precision="float32", g_steps=40, g_lr=lr)
        for seed, (gamma, lr) in enumerate([(0.1, 1e-3), (0.3, 2e-4), (7.0, 5e-4)])
    ]
    for one, expected in zip(cells, train_cohort(cells, POINTS, (40,)), strict=True):
        assert torch.equal(train_cohort([one], POINTS, (40,))[0].snapshots[40], expected.snapshots[40])


def test_images_keep_their_bits_in_a_larger_cohort() -> None:
    cells = [cell(objectives.create("hinge"), IMAGES, seed, precision="float32", g_steps=20) for seed in range(5)]
    together = train_cohort(cells, IMAGES, (20,))
    for one, expected in zip(cells, together, strict=True):
        assert torch.equal(train_cohort([one], IMAGES, (20,))[0].snapshots[20], expected.snapshots[20])


def test_a_cell_that_diverges_ends_at_its_step_and_leaves_its_neighbours_alone() -> None:
    healthy = cell(objectives.create("non_saturating"), precision="float32", g_steps=60)
    wild = cell(objectives.create("wasserstein"), precision="float32", g_steps=60, d_lr=1e30, g_lr=1e30)
    beside = train_cohort([healthy, wild, healthy], POINTS, (1, 30, 60))
    alone = train_cohort([healthy], POINTS, (1, 30, 60))[0]
    assert beside[1].diverged_at is not None
    assert beside[1].diverged_at < 30
    assert all(step < beside[1].diverged_at for step in beside[1].snapshots)
    assert beside[0].diverged_at is None
    assert torch.equal(beside[0].snapshots[60], alone.snapshots[60])
    assert beside[0].trace == alone.trace


def test_the_trace_holds_losses_logits_accuracy_and_gradient_norms() -> None:
    (trained,) = train_cohort([cell(with_r1("non_saturating", 1.0))], POINTS, ())
    first, last = trained.trace[0], trained.trace[-1]
    assert (first["step"], last["step"]) == (1, 100)
    assert last["d_penalty"] > 0
    assert 0 <= last["d_accuracy"] <= 1
    assert last["d_grad_norm"] > 0 < last["g_grad_norm"]


def test_the_averaged_generator_is_the_exponential_mean_of_the_trajectory() -> None:
    plain = cell(objectives.create("hinge"), precision="float64", g_steps=3, g_lr=1e-2)
    averaged = replace(plain, train=plain.train.model_copy(update={"ema": 0.5}))
    path = train_cohort([plain], POINTS, (1, 2, 3))[0].snapshots
    (found,) = train_cohort([averaged], POINTS, (1, 2, 3))
    # theta_1 / 2 + theta_0 / 2 at step 1 gives theta_0, the one point of the path that is not stored.
    start = 2 * found.snapshots[1] - path[1]
    expected = start / 8 + path[1] / 8 + path[2] / 4 + path[3] / 2
    torch.testing.assert_close(found.snapshots[3], expected, rtol=1e-5, atol=1e-6)


def test_warm_up_moves_d_before_the_first_step_and_counts_as_d_updates() -> None:
    cold = train_cohort([cell(objectives.create("hinge"), g_steps=5)], POINTS, ())[0]
    warm = train_cohort([cell(objectives.create("hinge"), g_steps=5, d_warmup=50)], POINTS, ())[0]
    assert warm.d_updates == cold.d_updates + 50
    assert warm.trace[0]["d_loss"] < cold.trace[0]["d_loss"]


@pytest.mark.parametrize("optimiser", ["rmsprop", "sgd", "adam"])
def test_optimisers_follow_torch(optimiser: str) -> None:
    from ganbench.training import optim

    source = torch.Generator().manual_seed(0)
    flat = torch.randn(2, 7, dtype=torch.float64, generator=source)
    lrs, betas = [1e-2, 3e-3], [(0.5, 0.999), (0.0, 0.9)]
    theirs = [nn.Parameter(row.clone()) for row in flat]
    classes = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop, "sgd": torch.optim.SGD}
    others = [
        classes[optimiser]([row], lr=lr, **({"betas": pair} if optimiser == "adam" else {}))
        for row, lr, pair in zip(theirs, lrs, betas, strict=True)
    ]
    ours_lr = torch.tensor(lrs, dtype=torch.float64)
    ours = optim.make(optimiser, flat, ours_lr, torch.tensor(betas, dtype=torch.float64))
    for _ in range(50):
        gradient = torch.randn(2, 7, dtype=torch.float64, generator=source)
        ours.step(gradient)
        for row, other, own in zip(theirs, others, gradient, strict=True):
            row.grad = own.clone()
            other.step()
    torch.testing.assert_close(flat, torch.stack(list(theirs)).detach(), rtol=0, atol=1e-12)


def test_weights_that_leave_the_finite_range_at_the_last_step_count_as_divergence() -> None:
    (trained,) = train_cohort(
        [cell(objectives.create("hinge"), precision="float32", g_steps=1, g_lr=1e39)], POINTS, (1,)
    )
    assert trained.diverged_at == 1
    assert trained.snapshots == {}


@pytest.mark.parametrize("architecture", [{"width": 4}, {"width": 40}], ids=["narrow", "wide"])
def test_pictures_keep_their_bits_in_any_cohort(architecture: dict[str, int]) -> None:
    """Grouped convolutions run another kernel for another number of groups: nine cells are three groups of four."""
    dcgan = architectures.registry.part("dcgan", {**architecture, "g_norm": "batch", "d_norm": "none"})
    given = with_r1("hinge", 0.1)
    cells = [
        replace(cell(given, IMAGES, seed, precision="float32", g_steps=6), architecture=dcgan) for seed in range(9)
    ]
    whole = [one.snapshots[6] for one in train_cohort(cells, IMAGES, (6,))]
    for chosen in ([8], [3, 7], [6, 5, 4, 0, 1]):
        for place, found in zip(chosen, train_cohort([cells[i] for i in chosen], IMAGES, (6,)), strict=True):
            assert torch.equal(found.snapshots[6], whole[place])


def test_a_lone_cell_whose_kernels_would_differ_trains_beside_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    original = Game.__init__

    def keep(self: Game, cells: Sequence[Cell], *arguments: object) -> None:
        sizes.append(len(cells))
        original(self, cells, *arguments)

    monkeypatch.setattr(Game, "__init__", keep)
    one = cell(objectives.create("hinge"), precision="float32", g_steps=2)
    train_cohort([one], POINTS, ())
    assert sizes == [1, 2, 1]  # both ways for the proof, then alone
    sizes.clear()
    update = Game.update

    def another(self: Game, draws: object) -> dict[str, Tensor]:
        seen = update(self, draws)
        self.g_flat += 1e-7 * (len(self.seeds) == 1)
        return seen

    monkeypatch.setattr(Game, "update", another)
    train_cohort([one], POINTS, ())
    assert sizes == [1, 2, 2]


def test_ends_are_found_at_any_step_without_looking_at_every_one() -> None:
    """One value that is not finite at steps of all kinds: first, last of a batch of steps, first of the next, last."""
    for wanted in (1, TOGETHER, TOGETHER + 1, 2 * TOGETHER + 3):
        ends = Ends(3, torch.device("cpu"))
        for step in range(1, 2 * TOGETHER + 4):
            bad = float("inf") if step >= wanted else 1.0
            ends.see([torch.tensor([1.0, bad, 1.0]), torch.tensor([1.0, 1.0, float("nan") if step == 2 else 0.0])])
        assert ends.steps() == [0, wanted, 2]


@pytest.mark.long
def test_a_step_launches_few_kernels_whatever_the_number_of_cells_and_never_asks_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    counting = importlib.import_module("launches")
    per_step = {}
    for cells in (2, 16):
        given = [cell(objectives.create("non_saturating"), seed=seed, precision="float32") for seed in range(cells)]
        recorded = [counting.operations(given, POINTS, steps) for steps in (TOGETHER, 2 * TOGETHER)]
        once, twice = map(counting.computing, recorded)
        per_step[cells] = sum((twice[name] - once[name]) / TOGETHER for name in twice)
        assert list(map(counting.questions, recorded)) == [0, 0]
    assert abs(per_step[2] - per_step[16]) < 1
    assert per_step[16] <= 160
    monkeypatch.setattr(Ends, "see", lambda _, values: values[0][0].item())
    recorded = counting.operations(given, POINTS, 4)
    assert counting.questions(recorded) == 4  # what a question at every step would look like


def test_float32_makes_no_step_of_a_gradient_that_cancels_to_zero() -> None:
    """Hinge pulls a bias equally hard at real and at fake samples: Adam would magnify a digit that is left over."""
    widths = architectures.registry.part("mlp", {"width": 64})
    settings = {"batch_size": 128, "g_steps": 20, "g_lr": 3e-3, "d_lr": 3e-3, "betas": (0.0, 0.99), "latent_size": 2}
    found = {}
    for precision in ("float32", "float64"):
        one = cell(objectives.create("hinge"), precision=precision, **settings)
        found[precision] = train_cohort([replace(one, architecture=widths)] * 2, POINTS, (20,))[0].snapshots[20]
    assert (found["float32"] - found["float64"]).abs().mean() < 1e-7
