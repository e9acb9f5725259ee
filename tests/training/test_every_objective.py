"""Every objective there is trains: 200 steps on the ring, both players moving, every cell finite."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganbench import architectures, datasets, objectives
from ganbench.suite.cells import Cell
from ganbench.suite.pairing import refusal
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort

RING = datasets.create("ring8")


def cell(name: str, seed: int) -> Cell:
    objective = objectives.create(name)
    train = Train(g_steps=200, batch_size=16, latent_size=2, d_steps=objective.d_steps, g_lr=1e-3, d_lr=1e-3)
    mlp = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    return Cell(objective, mlp, datasets.registry.part("ring8", {}), train, seed)


def _costly(name: str) -> bool:
    """Many D steps per G step, or more passes than one per step."""
    made = objectives.create(name)
    parts = {part.name for part in (*made.penalties, *made.techniques)}
    return made.d_steps > 1 or bool(parts & {"unrolled", "consensus", "latent_consistency"})


NAMES = [pytest.param(name, marks=[pytest.mark.slow] if _costly(name) else []) for name in objectives.names()]


@pytest.mark.parametrize("name", NAMES)
def test_an_objective_trains_on_the_ring_and_moves_both_players(name: str, tmp_path) -> None:
    cells = [cell(name, seed) for seed in (0, 1)]
    why = refusal(cells[0].objective, cells[0].architecture, RING, 16)
    if why is not None:
        assert "images" in why, f"{name} is refused on points, and not because it is for images: {why}"
        return
    split = RING.load(tmp_path, "train")
    assert split.labels is not None
    trained = train_cohort(cells, torch.from_numpy(split.samples), (1, 200), labels=torch.from_numpy(split.labels))
    for one in trained:
        assert one.diverged_at is None
        assert not torch.equal(one.snapshots[1], one.snapshots[200])
        assert max(row["d_grad_norm"] for row in one.trace) > 0
        assert max(row["g_grad_norm"] for row in one.trace) > 0
        assert one.d_updates == 200 * cells[0].train.d_steps


@pytest.mark.parametrize("name", objectives.names())
def test_a_cell_of_any_objective_gets_the_same_bits_alone_and_in_a_cohort(name: str, tmp_path) -> None:
    dataset = "digits" if refusal(cell(name, 0).objective, cell(name, 0).architecture, RING, 16) else "ring8"
    part = datasets.registry.part(dataset, {})
    split = part.create().load(tmp_path, "train")
    data, labels = torch.from_numpy(split.samples), torch.from_numpy(split.labels)
    cells = [cell(name, seed) for seed in range(3)]
    cells = [replace(one, dataset=part, train=one.train.model_copy(update={"g_steps": 8})) for one in cells]
    together = train_cohort(cells, data, (8,), labels=labels)
    for seed in (0, 2):
        (alone,) = train_cohort([cells[seed]], data, (8,), labels=labels)
        assert torch.equal(alone.snapshots[8], together[seed].snapshots[8])
        assert alone.trace == together[seed].trace
