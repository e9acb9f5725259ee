"""Objectives: what each recipe is made of, and that each trains."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench import architectures, objectives
from ganbench.registry import Part, UnknownName
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training import loop
from ganbench.training.loop import train_cohort

ANGLES = torch.arange(8) * math.pi / 4
RING = torch.stack([ANGLES.cos(), ANGLES.sin()], 1).repeat(32, 1)


def cell(name: str, seed: int = 0, **parameters: object) -> Cell:
    objective = objectives.create(name, **parameters)
    train = Train(g_steps=40, batch_size=16, latent_size=2, d_steps=objective.d_steps, g_lr=1e-3, d_lr=1e-3)
    architecture = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    return Cell(objective, architecture, Part("dataset", "ring8", {}), train, seed)


@pytest.mark.parametrize(
    ("name", "loss", "penalties", "d_steps"),
    [
        ("hinge", "hinge", [], 1),
        ("wgan", "wasserstein", ["weight_clip"], 5),
        ("wgan_gp", "wasserstein", ["gradient_penalty"], 5),
        ("dragan", "non_saturating", ["gradient_penalty"], 1),
        ("sngan", "hinge", ["spectral_norm"], 1),
        ("r3gan", "relativistic_paired", ["r1", "r2"], 1),
    ],
)
def test_a_recipe_is_a_loss_with_penalties_and_d_steps(
    name: str, loss: str, penalties: list[str], d_steps: int
) -> None:
    made = objectives.create(name)
    assert (made.loss.name, [part.name for part in made.penalties], made.d_steps) == (loss, penalties, d_steps)


def test_recipes_hand_their_parameters_on() -> None:
    assert objectives.create("wgan_gp", weight=3.0, d_steps=2).penalties[0].parameters["weight"] == 3.0
    assert objectives.create("dragan").penalties[0].parameters["at"] == "perturbed"
    assert {part.parameters["gamma"] for part in objectives.create("r3gan", gamma=0.5).penalties} == {0.5}
    assert objectives.create("hinge", margin=2.0).loss.parameters["margin"] == 2.0


def test_a_wrong_name_is_told_with_the_nearest_of_recipes_and_losses() -> None:
    with pytest.raises(UnknownName, match="did you mean 'r3gan'"):
        objectives.create("r2gan")
    with pytest.raises(UnknownName, match="did you mean 'least_squares'"):
        objectives.create("least_square")


@pytest.mark.parametrize("name", objectives.names())
def test_every_objective_trains_and_moves_both_players(name: str) -> None:
    trained = train_cohort([cell(name, seed) for seed in (0, 1)], RING, (1, 40))
    for one in trained:
        assert one.diverged_at is None
        assert not torch.equal(one.snapshots[1], one.snapshots[40])
        assert one.trace[-1]["d_grad_norm"] > 0
        assert one.d_updates == 40 * objectives.create(name).d_steps


def test_a_clipped_discriminator_stays_in_its_box(monkeypatch: pytest.MonkeyPatch) -> None:
    games = []
    original = loop.Game.update_g

    def keep(self: loop.Game, rows: torch.Tensor, latents: torch.Tensor) -> dict[str, torch.Tensor]:
        games.append(self.d_flat.abs().amax(1))
        return original(self, rows, latents)

    monkeypatch.setattr(loop.Game, "update_g", keep)
    train_cohort([cell("wgan", c=0.01), cell("wgan", c=0.05)], RING, ())
    widest = torch.stack(games).amax(0)
    torch.testing.assert_close(widest, torch.tensor([0.01, 0.05]), rtol=1e-6, atol=0)


def test_a_spectrally_normalised_discriminator_is_nearly_1_lipschitz(monkeypatch: pytest.MonkeyPatch) -> None:
    slopes = []
    original = loop.Game.update_g

    def measure(self: loop.Game, rows: torch.Tensor, latents: torch.Tensor) -> dict[str, torch.Tensor]:
        points = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
        logits = self.d.logits(self._frozen_d(), points)
        (slope,) = torch.autograd.grad(logits.sum(), points)
        slopes.append(slope.norm(dim=-1).max())
        return original(self, rows, latents)

    monkeypatch.setattr(loop.Game, "update_g", measure)
    train_cohort([cell("sngan", 0), cell("sngan", 1)], RING, ())
    # One power iteration per step follows a moving matrix, so sigma is a little short of the norm.
    assert max(map(float, slopes)) < 1.1
