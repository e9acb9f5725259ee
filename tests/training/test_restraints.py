"""What penalties do to D's weights while it trains."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from ganbench import architectures, datasets, objectives
from ganbench.penalties.spectral_norm import SpectralNorm
from ganbench.penalties.zero_centred import R1
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.game import Game, Gradient
from ganbench.training.loop import train_cohort
from ganbench.training.restraints import with_architecture
from ganbench.training.samples import Draw

ANGLES = torch.arange(8) * math.pi / 4
RING = torch.stack([ANGLES.cos(), ANGLES.sin()], 1).repeat(32, 1)


def cell(name: str, seed: int = 0, architecture: Part | None = None, **parameters: object) -> Cell:
    objective = objectives.create(name, **parameters)
    train = Train(g_steps=40, batch_size=16, latent_size=2, d_steps=objective.d_steps, g_lr=1e-3, d_lr=1e-3)
    architecture = architecture or architectures.registry.part("mlp", {"width": 16, "depth": 2})
    return Cell(objective, architecture, datasets.registry.part("ring8", {}), train, seed)


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


class Wanting:
    """An architecture that needs some normalisations."""

    def __init__(self, *restraints: SpectralNorm) -> None:
        self.restraints = restraints


def test_a_player_has_a_normalisation_once() -> None:
    d, g, both, r1 = SpectralNorm(on="d"), SpectralNorm(on="g"), SpectralNorm(on="both"), R1()
    assert with_architecture([r1], object()) == [r1]
    assert with_architecture([r1], Wanting(d, g)) == [r1, d, g]
    assert with_architecture([d, r1], Wanting(d)) == [d, r1]
    assert with_architecture([d], Wanting(d, g)) == [d, g]
    assert with_architecture([both], Wanting(d, g)) == [both]
    assert with_architecture([d], Wanting(both)) == [d, g]
    assert with_architecture([], Wanting(both)) == [both]
    three = SpectralNorm(iterations=3)
    assert with_architecture([three], Wanting(d)) == [three]


def used_weights(
    cells: list[Cell], data: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, torch.Tensor]]:
    """Train, and return the weights that D's and G's forward passes use at last, by name `(cells, *shape)`."""
    games: list[Game] = []
    original = Game.__init__

    def keep(self: Game, *arguments: object) -> None:
        original(self, *arguments)
        games.append(self)

    monkeypatch.setattr(Game, "__init__", keep)
    train_cohort(cells, data, ())
    game = games[-1]
    players = ((game.d_weights, game.d, game.d_flat), (game.g_weights, game.g, game.g_flat))
    return [weights.normalised(player.parameters(flat)) for weights, player, flat in players]


def largest(used: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the largest singular value of every weight of every cell `(weights, cells)`."""
    matrices = [value.flatten(2) for name, value in used.items() if name.endswith("weight") and value.ndim > 2]
    return torch.stack([torch.linalg.matrix_norm(matrix, ord=2) for matrix in matrices])


PICTURES = torch.randint(256, (64, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
SPECTRAL = [
    ("mlp", {"width": 16, "depth": 2}, RING),
    ("dcgan", {"width": 4}, PICTURES),
    ("simple_cnn", {"width": 4}, PICTURES),
    ("infogan", {"width": 2}, PICTURES),
    ("sngan_resnet", {"width": 1}, PICTURES.repeat(1, 1, 4, 4)[:8]),
]


@pytest.mark.parametrize("player", ["d", "g"])
@pytest.mark.parametrize(("name", "parameters", "data"), SPECTRAL)
def test_spectral_norm_of_an_architecture_holds_the_weights_of_that_player(
    name: str, parameters: dict[str, object], data: torch.Tensor, player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms = {"g_norm": "none", "d_norm": "none", f"{player}_norm": "spectral"}
    part = architectures.registry.part(name, {**parameters, **norms})
    slow = Train(
        g_steps=20, batch_size=16 if data.shape[-1] < 32 else 4, latent_size=2, d_steps=1, g_lr=2e-4, d_lr=2e-4
    )
    cells = [replace(cell("nsgan", seed, part), train=slow) for seed in (0, 1)]
    of_d, of_g = used_weights(cells, data, monkeypatch)
    held, free = (of_d, of_g) if player == "d" else (of_g, of_d)
    # One power iteration per step follows a moving matrix, so sigma is a little short of the norm.
    torch.testing.assert_close(largest(held), torch.ones_like(largest(held)), rtol=0, atol=0.1)
    assert (largest(free) - 1).abs().max() > 0.2


def test_spectral_norm_is_the_same_from_an_objective_an_architecture_or_both() -> None:
    def trained(objective: str, norm: str) -> list[torch.Tensor]:
        part = architectures.registry.part("mlp", {"width": 16, "depth": 2, "d_norm": norm})
        return [
            one.snapshots[40] for one in train_cohort([cell(objective, seed, part) for seed in (0, 1)], RING, (40,))
        ]

    expected = trained("sngan", "none")  # a hinge loss and spectral_norm
    for found in (trained("sngan", "spectral"), trained("hinge_gan", "spectral")):
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    without = trained("hinge_gan", "none")
    assert not any(torch.equal(one, other) for one, other in zip(without, expected, strict=True))
