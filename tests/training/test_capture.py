"""Captured steps, with a graph that replays by computing: the buffers, the variants and the noise are the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ganbench import architectures, datasets, objectives, penalties, techniques
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training import checkpoint
from ganbench.training.capture import REHEARSALS, Captured, CudaGraph, Seen
from ganbench.training.draws import Draws
from ganbench.training.game import Game

POINTS = torch.randn(512, 2, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(512) % 8
STEPS = 24


def cells(objective: Objective, **train: object) -> list[Cell]:
    settings = {"g_steps": STEPS, "batch_size": 8, "latent_size": 3, "d_steps": 2, **train}
    mlp = architectures.registry.part("mlp", {"width": 8, "depth": 2})
    return [Cell(objective, mlp, datasets.registry.part("ring8", {}), Train(**settings), seed) for seed in (0, 1)]


def played(given: list[Cell], update: Callable[[Game], Callable[..., Seen]]) -> tuple[Game, list[dict[str, Tensor]]]:
    """Play a game; what each step showed, copied before the next."""
    game = Game(given, POINTS, LABELS)
    take, draws, shown = update(game), Draws(game), []
    for step in range(STEPS):
        game.begin(step, recorded=step % 5 == 0)
        seen = take(draws.at(step))
        shown.append({name: value.clone() for name, value in seen.items()})
    return game, shown


class Computed:
    """A graph that computes when it is replayed; like a real one, it reads nothing but the buffers it was given."""

    made = 0

    def __init__(self, game: Game, run: Callable[[], Seen]) -> None:
        type(self).made += 1
        self.run, self.game, self.at, before = run, game, game.d_updates, checkpoint.state(game)
        run()
        checkpoint.restore(game, {**before, checkpoint.D_UPDATES: torch.tensor(game.d_updates)})

    def replay(self) -> Seen:
        updates, self.game.d_updates = self.game.d_updates, self.at  # what a capture saw is in its graph for good
        self.game.noise.rewind()
        seen = self.run()
        self.game.d_updates = updates
        return seen


def also(name: str, *techniques_: Part, **penalty: object) -> Objective:
    held = (penalties.registry.part("r1", penalty),) if penalty else ()
    return replace(objectives.create(name), penalties=held, techniques=techniques_)


GAMES = {
    "non_saturating": objectives.create("non_saturating"),
    "noise of a penalty": objectives.create("wgan_gp"),
    "a lazy penalty": also("hinge", gamma=1.0, every=5),
    "power iteration": objectives.create("sngan"),
    "a loss that remembers": objectives.create("began"),
    "a penalty that remembers": objectives.create("lecam_gan"),
    "both gradients": objectives.create("consensus_gan"),
    "steps ahead": also("minimax", techniques.registry.part("unrolled", {"d_steps_ahead": 2}), gamma=1.0, every=3),
    "steady noise": also("hinge", techniques.registry.part("instance_noise", {"std": 0.3})),
    "classes": objectives.create("acgan"),
    "codes": objectives.create("infogan"),
}


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_captured_steps_are_eager_ones_bit_for_bit(name: str, updates: str) -> None:
    if (name, updates) == ("steps ahead", "simultaneous"):
        updates = "alternating"
    given = cells(GAMES[name], ema=0.9, updates=updates)
    Computed.made = 0
    captured, shown = played(given, lambda game: Captured(game, lambda run: Computed(game, run)).update)
    assert Computed.made >= 1
    eager, expected = played(given, lambda game: game.update)
    for found, wanted in zip(shown, expected, strict=True):
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    ended, wanted = checkpoint.state(captured), checkpoint.state(eager)
    assert ended.keys() == wanted.keys()
    assert all(torch.equal(ended[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("objective", ["wgan_gp", "sngan"])
def test_a_game_that_cannot_be_captured_goes_on_with_the_same_numbers_and_says_why(objective: str) -> None:
    def refuse(run: Callable[[], Seen]) -> None:
        run_nothing_of = run  # a capture executes nothing
        raise RuntimeError(f"operation not permitted when stream is capturing: {run_nothing_of.__name__}\nhints follow")

    made: list[Captured] = []

    def take(game: Game) -> Callable[..., Seen]:
        made.append(Captured(game, refuse))
        return made[0].update

    captured, _ = played(cells(objectives.create(objective)), take)
    eager, _ = played(cells(objectives.create(objective)), lambda game: game.update)
    assert torch.equal(captured.g_flat, eager.g_flat)
    assert torch.equal(captured.d_flat, eager.d_flat)
    assert made[0].refused.startswith("it cannot be captured: operation not permitted")
    assert "hints" not in made[0].refused


def test_a_technique_that_changes_from_step_to_step_is_not_captured() -> None:
    fading = also("hinge", techniques.registry.part("instance_noise", {"std": 0.3, "until": 10}))
    captured = Captured(Game(cells(fading), POINTS, LABELS))
    assert captured.refused == "InstanceNoise changes from step to step"
    shrinking = also("hinge", techniques.registry.part("top_k", {}))
    assert Captured(Game(cells(shrinking), POINTS, LABELS)).refused == "TopK changes from step to step"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", GAMES)
def test_on_a_gpu_captured_equals_eager_and_follows_the_cpu(name: str) -> None:
    def ended(device: str, graphs: bool) -> Game:
        given = cells(GAMES[name], precision="float64", g_steps=50)
        game = Game(given, POINTS.to(device), LABELS.to(device))
        take = Captured(game, CudaGraph).update if graphs else game.update
        draws = Draws(game)
        for step in range(50):
            game.begin(step, recorded=step % 5 == 0)
            take(draws.at(step))
        return game

    captured, eager, cpu = ended("cuda", True), ended("cuda", False), ended("cpu", False)
    assert torch.equal(captured.g_flat, eager.g_flat)
    assert torch.equal(captured.d_flat, eager.d_flat)
    torch.testing.assert_close(captured.g_flat.cpu(), cpu.g_flat, rtol=0, atol=1e-8)


def test_a_variant_is_rehearsed_before_it_is_captured() -> None:
    game = Game(cells(GAMES["non_saturating"]), POINTS, LABELS)
    at: list[int] = []
    captured = Captured(game, lambda run: (at.append(game.step), Computed(game, run))[1])
    draws = Draws(game)
    for step in range(STEPS):
        game.begin(step, recorded=step % 5 == 0)
        captured.update(draws.at(step))
    assert at == [REHEARSALS + 1, 5 * REHEARSALS]
