"""What penalties do to D's weights while it trains."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench import architectures, objectives
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.game import Game, Gradient
from ganbench.training.loop import train_cohort
from ganbench.training.samples import Draw

ANGLES = torch.arange(8) * math.pi / 4
RING = torch.stack([ANGLES.cos(), ANGLES.sin()], 1).repeat(32, 1)


def cell(name: str, seed: int = 0, **parameters: object) -> Cell:
    objective = objectives.create(name, **parameters)
    train = Train(g_steps=40, batch_size=16, latent_size=2, d_steps=objective.d_steps, g_lr=1e-3, d_lr=1e-3)
    architecture = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    return Cell(objective, architecture, Part("dataset", "ring8", {}), train, seed)


def test_a_clipped_discriminator_stays_in_its_box(monkeypatch: pytest.MonkeyPatch) -> None:
    widest = []
    original = Game.g_gradient

    def keep(self: Game, draw: Draw) -> Gradient:
        widest.append(self.d_flat.abs().amax(1))
        return original(self, draw)

    monkeypatch.setattr(Game, "g_gradient", keep)
    train_cohort([cell("wgan", c=0.01), cell("wgan", c=0.05)], RING, ())
    torch.testing.assert_close(torch.stack(widest).amax(0), torch.tensor([0.01, 0.05]), rtol=1e-6, atol=0)


def test_a_spectrally_normalised_discriminator_is_nearly_1_lipschitz(monkeypatch: pytest.MonkeyPatch) -> None:
    slopes = []
    original = Game.g_gradient

    def measure(self: Game, draw: Draw) -> Gradient:
        points = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
        logits = self.d(self.d_weights.normalised(self.d.parameters(self.d_flat)), points)
        (slope,) = torch.autograd.grad(logits.sum(), points)
        slopes.append(slope.norm(dim=-1).max())
        return original(self, draw)

    monkeypatch.setattr(Game, "g_gradient", measure)
    train_cohort([cell("sngan", 0), cell("sngan", 1)], RING, ())
    # One power iteration per step follows a moving matrix, so sigma is a little short of the norm.
    assert max(map(float, slopes)) < 1.1
