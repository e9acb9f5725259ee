"""Techniques and penalties inside the loop, against what a person would write for one cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot, softplus

from ganbench import architectures, datasets, losses, objectives, penalties, techniques
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.game import Game
from ganbench.training.loop import train_cohort
from ganbench.training.samples import Draw
from ganbench.training.streams import CellNoise, generator, latents

POINTS = torch.randn(256, 2, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(256) % 8
BATCH, SIZE = 8, 3


def penalty(name: str, **parameters: object) -> Part:
    return penalties.registry.part(name, parameters)


def technique(name: str, **parameters: object) -> Part:
    return techniques.registry.part(name, parameters)


def cell(objective: Objective, seed: int = 0, **train: object) -> Cell:
    settings = {
        "g_steps": 1,
        "batch_size": BATCH,
        "latent_size": SIZE,
        "precision": "float64",
        "d_steps": 1,
        "optimiser": "sgd",
        "g_lr": 0.1,
        "d_lr": 0.1,
        **train,
    }
    mlp = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    return Cell(objective, mlp, datasets.registry.part("ring8", {}), Train(**settings), seed)


def plain(name: str = "non_saturating", *held: Part, also: tuple[Part, ...] = ()) -> Objective:
    return Objective(losses.registry.part(name, {}), held, techniques=also)


def game_of(*cells: Cell) -> tuple[Game, Draw]:
    """Return a game at its start and one draw, the same for every seed."""
    game = Game(cells, POINTS, LABELS)
    game.begin(0)
    source = torch.Generator().manual_seed(3)
    rows = torch.randint(256, (len(cells), BATCH), generator=source)
    z = torch.randn(len(cells), BATCH, SIZE, generator=source, dtype=torch.float64)
    return game, Draw(rows, z)


def modules(one: Cell, latent: int = SIZE, sees: int = 2) -> tuple[nn.Module, nn.Module]:
    """Build the networks that the cell's seed gives, as a person would."""
    torch.manual_seed(generator(one.seed, "init").initial_seed())
    architecture = one.architecture.create()
    return architecture.generator((2,), latent).double(), architecture.discriminator((sees,)).double()


def flat(gradients: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])


def close(found: Tensor, expected: Tensor) -> None:
    """Compare the same numbers; a row of a game's own parameters goes on with zeros."""
    size = expected.shape[-1] if expected.ndim else None
    assert size is None or not found[..., size:].any()
    found = found if size is None else found[..., :size]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_packing_shows_d_two_samples_at_once() -> None:
    game, draw = game_of(
        cell(plain(also=(technique("packing", m=2),))), cell(plain(also=(technique("packing", m=2),)), 1)
    )
    g, d = modules(cell(plain()), sees=4)
    real, fake = POINTS[draw.rows[0]].double().reshape(4, 4), g(draw.latents[0]).detach().reshape(4, 4)
    loss = softplus(-d(real)).mean() + softplus(d(fake)).mean()
    close(game.d_gradient(draw)[0][0], flat(torch.autograd.grad(loss, list(d.parameters()))))
    close(
        game.g_gradient(draw)[0][0],
        flat(torch.autograd.grad(softplus(-d(g(draw.latents[0]).reshape(4, 4))).mean(), list(g.parameters()))),
    )


def test_top_k_lets_g_learn_from_the_fakes_that_d_likes_best() -> None:
    chosen = technique("top_k", share=0.25, decay=0.5, every=1)
    game, draw = game_of(cell(plain(also=(chosen,))), cell(plain(also=(chosen,)), 1))
    game.begin(50)
    g, d = modules(cell(plain()))
    logits = d(g(draw.latents[0])).flatten().topk(2).values
    close(game.g_gradient(draw)[0][0], flat(torch.autograd.grad(softplus(-logits).mean(), list(g.parameters()))))


def test_g_learns_against_the_d_that_unrolling_leads_to() -> None:
    """Two plain gradient steps of D written out, G's gradient flowing through them."""
    ahead = technique("unrolled", d_steps_ahead=2)
    game, draw = game_of(cell(plain(also=(ahead,))), cell(plain(also=(ahead,)), 1))
    g, d = modules(cell(plain()))
    weights = dict(d.named_parameters())
    real, fake = POINTS[draw.rows[0]].double(), g(draw.latents[0])
    for _ in range(2):
        says = torch.func.functional_call(d, weights, (real,)), torch.func.functional_call(d, weights, (fake,))
        loss = softplus(-says[0]).mean() + softplus(says[1]).mean()
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        weights = {name: weight - 0.1 * slope for (name, weight), slope in zip(weights.items(), slopes, strict=True)}
    logits = torch.func.functional_call(d, weights, (fake,))
    expected = flat(torch.autograd.grad(softplus(-logits).mean(), list(g.parameters())))
    close(game.g_gradient(draw)[0][0], expected)


def slope_by_differences(play: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Differentiate a function of flat parameters `(size,)` by central differences, a step along each."""
    steps = 1e-5 * torch.eye(len(at), dtype=at.dtype)
    return torch.stack([(play(at + step) - play(at - step)) / 2e-5 for step in steps])


@pytest.mark.parametrize("how", ["unrolled", "consensus"])
@pytest.mark.parametrize("loss", ["minimax", "relativistic_paired", "relativistic_average", "mmd", "cramer"])
def test_unrolling_and_consensus_differentiate_all_that_depends_on_g(loss: str, how: str) -> None:
    """Also what D says of real samples, which is G's doing where D is some steps ahead."""
    unrolled = plain(loss, also=(technique("unrolled", d_steps_ahead=2),))
    given = unrolled if how == "unrolled" else plain(loss, penalty("consensus", gamma=2.0))
    small = architectures.registry.part("mlp", {"width": 3, "depth": 1})
    game, draw = game_of(*(replace(cell(given, seed), architecture=small) for seed in (0, 1)))
    batch, start = game.batch(draw), game.g_flat.clone()

    def total(own: Tensor) -> Tensor:
        g_flat, d_flat = torch.stack([own, start[1]]).requires_grad_(), game.d_flat.detach().requires_grad_()
        g_own = game.g.parameters(g_flat)
        fake = game._generate(g_own, batch, twice=True)
        if how == "unrolled":
            return game._g_loss(g_own, game._d_ahead(g_own, batch, fake), batch, fake, twice=True)[0][0].detach()
        g_loss = game._g_loss(g_own, game._normalised_d(d_flat), batch, fake, twice=True)[0]
        d_loss = game._d_loss(game.d.parameters(d_flat), g_own, batch, fake, twice=True)[0]
        by_g = torch.autograd.grad(g_loss[0], g_flat, retain_graph=True)[0]
        by_d = torch.autograd.grad(d_loss[0], d_flat)[0]
        return (g_loss[0] + by_g.square().sum() + by_d.square().sum()).detach()

    found = game.g_gradient(draw)[0][0]
    torch.testing.assert_close(found, slope_by_differences(total, start[0]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("loss", ["mmd", "cramer", "hinge"])
def test_a_penalty_at_fakes_is_the_same_whether_they_come_with_a_graph_or_not(loss: str) -> None:
    given = plain(loss, penalty("r2", gamma=1.0))
    game, draw = game_of(cell(given), cell(given, 1))
    batch = game.batch(draw)
    leaf = game.g_flat.detach().requires_grad_()
    free, attached = (game._generate(game.g.parameters(flat), batch) for flat in (game.g_flat, leaf))
    own = game.g.parameters(game.g_flat)
    held = [game._d_loss(game.d.parameters(game.d_flat), own, batch, fake)[1].held for fake in (free, attached)]
    assert held[0] is not None and held[1] is not None
    close(held[1].detach(), held[0].detach())


def test_steps_ahead_take_a_lazy_penalty_when_its_turn_comes() -> None:
    lazy = plain("hinge", penalty("r1", gamma=1.0, every=4), also=(technique("unrolled", d_steps_ahead=4),))
    game, draw = game_of(cell(lazy), cell(lazy, 1))
    asked: list[int] = []
    original = game.restraints.on_samples

    def keep(*arguments: object) -> list[Tensor]:
        asked.append(arguments[-1])
        return original(*arguments)

    game.restraints.on_samples = keep
    game.d_updates = 6
    game.g_gradient(draw)
    assert asked == [6, 7, 8, 9]


def test_a_d_may_give_bare_logits() -> None:
    class Bare:
        def generator(self, shape: tuple[int, ...], latent_size: int) -> nn.Module:
            return nn.Linear(latent_size, 2)

        def discriminator(self, shape: tuple[int, ...]) -> nn.Module:
            return nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))

    class Chosen(Part):
        def create(self) -> Bare:
            return Bare()

    game, draw = game_of(*(replace(cell(plain()), architecture=Chosen("architecture", "bare")) for _ in range(2)))
    assert game.d.parameters(game.d_gradient(draw)[0])["0.weight"].shape == (2, 1, 2)


def test_warm_up_has_noise_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []
    noisy = techniques.registry.get("instance_noise")
    original = noisy.seen

    def keep(self: object, samples: Tensor, noise: object, step: int) -> Tensor:
        shown = original(self, samples, noise, step)
        seen.append(shown - samples)
        return shown

    monkeypatch.setattr(noisy, "seen", keep)
    noisy_cells = [cell(plain(also=(technique("instance_noise", std=1.0),)), seed, d_warmup=1) for seed in (0, 1)]
    train_cohort(noisy_cells, POINTS, ())
    assert len(seen) == 5 and not torch.allclose(seen[0], seen[2])


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop", "sgd"])
def test_a_step_ahead_goes_where_the_optimiser_would_go(optimiser: str) -> None:
    game, draw = game_of(cell(plain(), optimiser=optimiser), cell(plain(), 1, optimiser=optimiser))
    for _ in range(3):
        game.update([draw, draw])
    before, gradient = game.d_flat.clone(), game.d_gradient(draw)[0]
    step = game.d_optimiser.ahead()
    first = step(before, gradient)
    second = step(first, 2 * gradient)
    close(game.d_flat, before)
    game.d_optimiser.step(gradient)
    close(game.d_flat, first)
    game.d_optimiser.step(2 * gradient)
    close(game.d_flat, second)


def test_consensus_adds_the_slope_of_both_gradients_norm_to_both_players() -> None:
    held = penalty("consensus", gamma=3.0)
    game, draw = game_of(cell(plain("minimax", held)), cell(plain("minimax", held), 1))
    g, d = modules(cell(plain()))
    real, fake = POINTS[draw.rows[0]].double(), g(draw.latents[0])
    d_loss, g_loss = softplus(-d(real)).mean() + softplus(d(fake)).mean(), -softplus(d(fake)).mean()
    own_d = torch.autograd.grad(d_loss, list(d.parameters()), create_graph=True)
    own_g = torch.autograd.grad(g_loss, list(g.parameters()), create_graph=True)
    norm = 1.5 * (flat(own_d).square().sum() + flat(own_g).square().sum())
    more_d = torch.autograd.grad(norm, list(d.parameters()), retain_graph=True)
    more_g = torch.autograd.grad(norm, list(g.parameters()))
    close(game.d_gradient(draw)[0][0], flat(own_d) + flat(more_d))
    close(game.g_gradient(draw)[0][0], flat(own_g) + flat(more_g))


def test_a_lazy_penalty_acts_at_every_nth_update_n_fold() -> None:
    lazy, eager, none = (plain("hinge", penalty("r1", gamma=1.0, every=every)) for every in (3, 1, 10**6))
    gradients = []
    for objective in (lazy, eager, none):
        game, draw = game_of(cell(objective), cell(objective, 1))
        found = []
        for _ in range(4):
            found.append(game.d_gradient(draw)[0][0])
            game.d_updates += 1
        gradients.append(found)
    of_lazy, of_eager, without = gradients
    for update in range(4):
        alone = without[3]
        share = 3 if update % 3 == 0 else 0
        close(of_lazy[update], alone + share * (of_eager[update] - alone))


def test_instance_noise_is_drawn_anew_for_real_and_fake_and_fades() -> None:
    noisy = technique("instance_noise", std=0.5, until=10)
    game, draw = game_of(cell(plain(also=(noisy,))), cell(plain(also=(noisy,)), 1))
    clean, _ = game_of(cell(plain()), cell(plain(), 1))
    assert not torch.allclose(game.d_gradient(draw)[0], clean.d_gradient(draw)[0])
    still = torch.zeros(2, 4000, 2, dtype=torch.float64)
    first, second = game._see(still), game._see(still)
    assert not torch.allclose(first, second) and not torch.allclose(first[0], first[1])
    torch.testing.assert_close(first.std((1, 2)), torch.full((2,), 0.5, dtype=torch.float64), rtol=0.03, atol=0)
    game.begin(10)
    close(game.d_gradient(draw)[0], clean.d_gradient(draw)[0])


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_spectral_norm_on_g_scores_the_weights_that_g_uses(ema: float) -> None:
    both = plain("hinge", penalty("spectral_norm", on="both"))
    settings = {"g_steps": 60, "precision": "float32", "optimiser": "adam", "g_lr": 1e-2, "d_lr": 1e-2, "ema": ema}
    cells = [cell(both, seed, **settings) for seed in (0, 1)]
    (trained, _) = train_cohort(cells, POINTS, (60,))
    g, _d = modules(cells[0])
    nn.utils.vector_to_parameters(trained.snapshots[60].double(), g.parameters())
    sigmas = [torch.linalg.matrix_norm(layer.weight.detach(), 2) for layer in g if isinstance(layer, nn.Linear)]
    torch.testing.assert_close(torch.stack(sigmas), torch.ones(len(sigmas), dtype=torch.float64), rtol=0.05, atol=0)


def test_orthogonal_reaches_gs_own_weights() -> None:
    held = penalty("orthogonal", on="g", weight=1.0)
    game, draw = game_of(cell(plain("non_saturating", held)), cell(plain("non_saturating", held), 1))
    g, d = modules(cell(plain()))
    loss = softplus(-d(g(draw.latents[0]))).mean()
    for layer in g:
        if isinstance(layer, nn.Linear):
            products = layer.weight @ layer.weight.T
            loss = loss + (products - products.diag().diag()).square().sum()
    close(game.g_gradient(draw)[0][0], flat(torch.autograd.grad(loss, list(g.parameters()))))


def test_latent_consistency_drives_gs_neighbours_apart() -> None:
    held = penalty("latent_consistency", g_weight=2.0, sigma=0.1)
    game, draw = game_of(cell(plain("non_saturating", held)), cell(plain("non_saturating", held), 1))
    g, d = modules(cell(plain()))
    noise = CellNoise([0], "noise", torch.float64, torch.device("cpu"))
    noise.begin(0)
    fake, near = g(draw.latents[0]), g(draw.latents[0] + 0.1 * noise.normal((BATCH, SIZE))[0])
    loss = softplus(-d(fake)).mean() - 2 * (fake - near).square().mean()
    close(game.g_gradient(draw)[0][0], flat(torch.autograd.grad(loss, list(g.parameters()))))


def _concatenated(d: nn.Module, points: Tensor, code: Tensor) -> Tensor:
    return d(torch.cat([points, code], 1))


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_a_conditional_cell_sees_each_sample_with_its_label(loss: str) -> None:
    given = plain(loss, also=(technique("conditional", kind="concatenation"),))
    game, draw = game_of(cell(given), cell(given, 1))
    g, d = modules(cell(plain()), latent=SIZE + 8, sees=2 + 8)
    code = one_hot(LABELS[draw.rows[0]], 8).double()
    fake = g(torch.cat([draw.latents[0], code], 1))
    r, f = _concatenated(d, POINTS[draw.rows[0]].double(), code).flatten(), _concatenated(d, fake, code).flatten()
    made = given.loss.create()
    own = torch.autograd.grad(made.discriminator(r, f), list(d.parameters()), retain_graph=True)
    close(game.d_gradient(draw)[0][0], flat(own))
    close(game.g_gradient(draw)[0][0], flat(torch.autograd.grad(made.generator(r, f), list(g.parameters()))))


def test_acgan_classifies_real_and_fake() -> None:
    given = objectives.create("acgan")
    game, draw = game_of(cell(given), cell(given, 1))
    weights = next(part.parameters for part in given.techniques if part.name == "auxiliary_classifier")
    torch.manual_seed(generator(0, "init").initial_seed())
    architecture = cell(given).architecture.create()
    g, d = architecture.generator((2,), SIZE + 8).double(), architecture.vector_critic((2,), 9).double()
    labels = LABELS[draw.rows[0]]
    real = d(POINTS[draw.rows[0]].double())
    fake = d(g(torch.cat([draw.latents[0], one_hot(labels, 8).double()], 1)))
    d_loss = softplus(-real[:, 0]).mean() + softplus(fake[:, 0]).mean()
    classified = cross_entropy(real[:, 1:], labels) + cross_entropy(fake[:, 1:], labels)
    expected = torch.autograd.grad(d_loss + weights["d_weight"] * classified, list(d.parameters()), retain_graph=True)
    close(game.d_gradient(draw)[0][0], flat(expected))
    g_loss = softplus(-fake[:, 0]).mean() + weights["g_weight"] * cross_entropy(fake[:, 1:], labels)
    close(game.g_gradient(draw)[0][0], flat(torch.autograd.grad(g_loss, list(g.parameters()))))


def test_simultaneous_updates_move_both_from_where_they_stand() -> None:
    both = [cell(plain(), seed, updates="simultaneous") for seed in (0, 1)]
    game, draw = game_of(*both)
    still, _ = game_of(*both)
    for_d, for_g = still.d_gradient(draw)[0], still.g_gradient(draw)[0]
    d, g = game.d_flat.clone(), game.g_flat.clone()
    game.update([draw, draw])
    close(game.d_flat, d - 0.1 * for_d)
    close(game.g_flat, g - 0.1 * for_g)


def test_k_of_began_is_each_cells_own_and_on_record() -> None:
    given = objectives.create("began")
    cells = [cell(given, seed, g_steps=50, optimiser="adam", g_lr=1e-3, d_lr=1e-3) for seed in (0, 1, 2)]
    trained = train_cohort(cells, POINTS, ())
    last = [one.trace[-1]["k"] for one in trained]
    assert len(set(last)) == 3 and all(0 < k <= 1 for k in last)
    (again,) = train_cohort(cells[2:], POINTS, ())
    assert again.trace[-1]["k"] == pytest.approx(last[2], abs=1e-12)


EQUIPPED: dict[str, Callable[[], Objective]] = {
    "began": lambda: objectives.create("began"),
    "lecam on spectral norm": lambda: plain("hinge", penalty("lecam", start_at=0), penalty("spectral_norm", on="both")),
    "consistency and noise": lambda: plain(
        "non_saturating", penalty("consistency", real=1.0, fake=1.0), also=(technique("instance_noise"),)
    ),
}


@pytest.mark.parametrize("name", EQUIPPED)
def test_a_game_taken_up_from_its_state_ends_in_the_same_bits(name: str) -> None:
    from ganbench.training import checkpoint
    from ganbench.training.streams import BLOCK

    cells = [cell(EQUIPPED[name](), seed, precision="float32", optimiser="adam", ema=0.9) for seed in (0, 1)]

    def play(game: Game, first: int, last: int) -> None:
        for step in range(first, last):
            game.begin(step)
            source = generator(step, "draws")
            rows = torch.randint(256, (2, BATCH), generator=source)
            game.update([Draw(rows, latents((2, BATCH, SIZE), "normal", source)) for _ in range(2)])

    whole, half = (Game(cells, POINTS, LABELS) for _ in range(2))
    play(whole, 0, 3 * BLOCK)
    play(half, 0, 2 * BLOCK)
    resumed = Game(cells, POINTS, LABELS)
    checkpoint.restore(resumed, checkpoint.state(half))
    play(resumed, 2 * BLOCK, 3 * BLOCK)
    ends = [checkpoint.state(game) for game in (whole, resumed)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])


def test_a_state_of_another_game_is_refused() -> None:
    from ganbench.training import checkpoint

    game, _ = game_of(cell(plain()), cell(plain(), 1))
    other, _ = game_of(cell(objectives.create("sngan")), cell(objectives.create("sngan"), 1))
    with pytest.raises(ValueError, match="d_weights"):
        checkpoint.restore(game, checkpoint.state(other))


def test_cells_with_techniques_get_the_same_bits_alone_and_in_a_cohort() -> None:
    given = replace(
        objectives.create("wgan_gp", d_steps=1), techniques=(technique("packing"), technique("instance_noise", std=0.1))
    )
    cells = [cell(given, seed, precision="float32", g_steps=20, optimiser="adam") for seed in (0, 1, 2)]
    together = train_cohort(cells, POINTS, (20,))
    for one, found in zip(cells, together, strict=True):
        (alone,) = train_cohort([one], POINTS, (20,))
        assert torch.equal(alone.snapshots[20], found.snapshots[20])
