"""Every architecture in the loop: it trains, a cell gets the same bits whatever its cohort, and samples are drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from ganbench import architectures, datasets, objectives
from ganbench.evaluation.sampling import STANDING_BATCH, STANDING_BATCHES, Sampler
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort
from ganbench.training.streams import generator, latents

POINTS = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
SMALL = torch.randint(256, (64, 1, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
LARGE = torch.randint(256, (32, 3, 32, 32), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
STEPS = 2

NETWORKS = [
    ("mlp", {"width": 12, "g_norm": "batch", "d_norm": "layer"}, POINTS),
    ("mlp", {"width": 12, "g_norm": "layer", "d_norm": "spectral", "g_activation": "silu"}, POINTS),
    ("dcgan", {"width": 3, "d_norm": "spectral"}, SMALL),
    ("dcgan", {"width": 3, "g_norm": "spectral", "d_activation": "gelu"}, SMALL),
    ("infogan", {"width": 3}, SMALL),
    ("infogan", {"width": 3, "g_norm": "layer", "d_norm": "instance"}, SMALL),
    ("simple_cnn", {"width": 6}, SMALL),
    ("simple_cnn", {"width": 6, "d_norm": "spectral", "d_activation": "tanh"}, SMALL),
    ("r3gan", {"width": 16}, SMALL),
    ("r3gan", {"width": 40, "blocks": 1}, SMALL),
    ("sngan_resnet", {"width": 1}, LARGE),
    ("sngan_resnet", {"width": 1, "d_norm": "layer"}, LARGE),
]


def cell(name: str, parameters: dict[str, object], seed: int, objective: str) -> Cell:
    train = Train(g_steps=STEPS, batch_size=4, latent_size=4, d_steps=1, g_lr=1e-3, d_lr=1e-3)
    part = architectures.registry.part(name, parameters)
    return Cell(objectives.create(objective), part, datasets.registry.part("digits", {}), train, seed)


def last(cells: list[Cell], data: Tensor) -> list[Tensor]:
    return [one.snapshots[STEPS] for one in train_cohort(cells, data, (STEPS,))]


@pytest.mark.parametrize(("name", "parameters", "data"), NETWORKS)
def test_a_cell_gets_the_same_bits_alone_and_anywhere_in_any_cohort(
    name: str, parameters: dict[str, object], data: Tensor
) -> None:
    """With R1, whose gradient of a gradient goes through every layer of D."""
    cells = [cell(name, parameters, seed, "r1_gan") for seed in range(3)]
    together, turned, alone = last(cells, data), last(cells[::-1], data)[::-1], last(cells[1:2], data)
    for a, b in zip(together, turned, strict=True):
        assert a.isfinite().all() and torch.equal(a, b)
    assert torch.equal(together[1], alone[0]) and not torch.equal(together[1], together[0])


@pytest.mark.parametrize("objective", ["mmd", "began", "acgan"])
@pytest.mark.parametrize("name", ["infogan", "simple_cnn", "r3gan"])
def test_other_critics_than_a_logit_train(name: str, objective: str) -> None:
    """Features, an autoencoder, and a D that also reads the label back."""
    labels = torch.arange(len(SMALL)) % 10 if objective == "acgan" else None
    cells = [cell(name, {"width": 4}, seed, objective) for seed in (0, 1)]
    for result in train_cohort(cells, SMALL, (1, STEPS), labels=labels):
        assert result.snapshots[STEPS].isfinite().all()
        assert not torch.equal(result.snapshots[STEPS], result.snapshots[1])


@pytest.mark.parametrize("seeds", [[3], [3, 4]])
@pytest.mark.parametrize(
    ("name", "parameters", "dataset"),
    [
        ("mlp", {"width": 8, "g_norm": "batch"}, "ring8"),
        ("infogan", {"width": 2}, "digits"),
        ("simple_cnn", {"width": 4}, "digits"),
        ("r3gan", {"width": 8}, "digits"),
    ],
)
def test_samples_are_those_of_the_module_with_its_standing_statistics(
    name: str, parameters: dict[str, object], dataset: str, seeds: list[int]
) -> None:
    """Also batch norm of rows: torch's own way to average is a momentum of None."""
    part, data = architectures.registry.part(name, parameters), datasets.registry.part(dataset, {})
    cells = [Cell(objectives.create("nsgan"), part, data, Train(d_steps=1, latent_size=4), seed) for seed in seeds]
    torch.manual_seed(0)
    modules = [part.create().generator(data.create().shape, 4) for _ in seeds]
    flats = torch.stack([parameters_to_vector(module.parameters()).detach() for module in modules])
    drawn = Sampler(cells, 30, torch.device("cpu")).draw(flats)
    for module, seed, samples in zip(modules, seeds, drawn, strict=True):
        stream = generator(seed, "evaluation")
        for norm in (layer for layer in module.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)):
            norm.momentum = None
        with torch.no_grad():
            for batch in latents((STANDING_BATCHES, STANDING_BATCH, 4), "normal", stream):
                module(batch)
            expected = module.eval()(latents((30, 4), "normal", stream))
        torch.testing.assert_close(samples, expected, rtol=1e-4, atol=1e-5)
