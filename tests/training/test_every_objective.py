"""Every objective there is trains: 200 steps on the ring (or on digits, if made for images), all cells finite."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganbench import architectures, datasets, objectives
from ganbench.suite.cells import Cell
from ganbench.suite.pairing import refusal
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort

FEW = 50  # a term that is not finite, or a player that nothing moves, mostly shows within so many


def cell(name: str, seed: int, g_steps: int) -> Cell:
    """Return a cell on the ring, or on digits where the objective is refused on points for being one for images."""
    objective = objectives.create(name)
    mlp = architectures.registry.part("mlp", {"width": 16, "depth": 2})
    why = refusal(objective, mlp, datasets.create("ring8"), 16)
    assert why is None or "images" in why, f"{name} is refused on points, and not because it is for images: {why}"
    train = Train(g_steps=g_steps, batch_size=16, latent_size=2, d_steps=objective.d_steps, g_lr=1e-3, d_lr=1e-3)
    return Cell(objective, mlp, datasets.registry.part("digits" if why else "ring8", {}), train, seed)


def data_of(one: Cell, root: Path) -> tuple[torch.Tensor, torch.Tensor]:
    split = one.dataset.create().load(root, "train")
    assert split.labels is not None
    return torch.from_numpy(split.samples), torch.from_numpy(split.labels)


def _costly(name: str) -> bool:
    """Many D steps per G step, or more passes than one per step."""
    made = objectives.create(name)
    parts = {part.name for part in (*made.penalties, *made.techniques)}
    return made.d_steps > 1 or bool(parts & {"unrolled", "consensus", "latent_consistency"})


NAMES = [pytest.param(name, marks=[pytest.mark.slow] if _costly(name) else []) for name in objectives.names()]


@pytest.mark.parametrize("steps", [FEW, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", NAMES)
def test_an_objective_trains_and_moves_both_players(name: str, steps: int, tmp_path: Path) -> None:
    cells = [cell(name, seed, steps) for seed in (0, 1)]
    data, labels = data_of(cells[0], tmp_path)
    for one in train_cohort(cells, data, (1, steps), labels=labels):
        assert one.diverged_at is None
        assert not torch.equal(one.snapshots[1], one.snapshots[steps])
        assert max(row["d_grad_norm"] for row in one.trace) > 0
        assert max(row["g_grad_norm"] for row in one.trace) > 0
        assert one.d_updates == steps * cells[0].train.d_steps


@pytest.mark.parametrize("name", objectives.names())
def test_a_cell_of_any_objective_gets_the_same_bits_alone_and_in_a_cohort(name: str, tmp_path: Path) -> None:
    cells = [cell(name, seed, 8) for seed in range(3)]
    data, labels = data_of(cells[0], tmp_path)
    together = train_cohort(cells, data, (8,), labels=labels)
    for seed in (0, 2):
        (alone,) = train_cohort([cells[seed]], data, (8,), labels=labels)
        assert torch.equal(alone.snapshots[8], together[seed].snapshots[8])
        assert alone.trace == together[seed].trace
