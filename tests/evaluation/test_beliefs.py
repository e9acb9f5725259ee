"""What a trained D believes, from its stored parameters to a score."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from ganbench import architectures, datasets, objectives
from ganbench.evaluation.beliefs import beliefs, surface
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.metrics import registry as metrics
from ganbench.objectives import Objective
from ganbench.registry import Part
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.cohorts import Cohort
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort

CPU = torch.device("cpu")
POINTS = torch.randn(500, 1, generator=torch.Generator().manual_seed(0))


def cell(objective: Objective, seed: int = 0, dataset: str = "gaussian1d", **parameters: object) -> Cell:
    mlp = architectures.registry.part("mlp", {"width": 16, "depth": 2, **parameters})
    train = Train(g_steps=60, batch_size=64, latent_size=2, g_lr=1e-3, d_lr=5e-3)
    return Cell(objective, mlp, datasets.registry.part(dataset, {}), train, seed)


@pytest.mark.parametrize("d_norm", ["none", "spectral"])
def test_beliefs_are_what_the_loss_makes_of_ds_own_logits(d_norm: str) -> None:
    of = cell(objectives.create("nsgan"), d_norm=d_norm)
    (trained,) = train_cohort([of], POINTS, (60,))
    believed = beliefs(of, trained.d_snapshots[60], CPU)
    assert believed is not None
    d: nn.Module = of.architecture.create().discriminator((1,))
    nn.utils.vector_to_parameters(trained.d_snapshots[60], d.parameters())
    with torch.no_grad():
        expected = d(POINTS).flatten().sigmoid()
    torch.testing.assert_close(believed(POINTS), expected)
    if d_norm == "spectral":
        largest = [torch.linalg.matrix_norm(p, 2) for p in d.parameters() if p.ndim == 2]
        assert max(largest) < 1.3  # what D's forward pass used, and not what the optimiser moved


@pytest.mark.parametrize(
    ("name", "dataset"),
    [("wgan_gp", "gaussian1d"), ("rsgan", "gaussian1d"), ("pacgan", "ring8"), ("mmd_gan", "spiral")],
)
def test_d_is_not_kept_where_its_logits_say_no_probability(name: str, dataset: str) -> None:
    of = cell(objectives.create(name), dataset=dataset)
    data = torch.randn(500, *of.dataset.create().shape)
    (trained,) = train_cohort([of], data, (60,))
    assert trained.snapshots and not trained.d_snapshots
    assert beliefs(of, torch.zeros(1), CPU) is None


@pytest.mark.parametrize(("name", "dataset"), [("wgan_gp", "ring8"), ("nsgan", "spiral"), ("began", "swiss_roll")])
def test_the_last_d_is_kept_where_it_can_be_drawn(name: str, dataset: str) -> None:
    of = cell(objectives.create(name), dataset=dataset)
    data = torch.randn(500, 2)
    (trained,) = train_cohort([of], data, (20, 60))
    assert list(trained.snapshots) == [20, 60] and list(trained.d_snapshots) == [60]
    assert beliefs(of, trained.d_snapshots[60], CPU) is None  # no score may come of it
    (early,) = train_cohort([of], data, (20,))
    assert not torch.equal(early.d_snapshots[20], trained.d_snapshots[60])
    assert early.trace == trained.trace
    drawn, values = surface(of, trained.d_snapshots[60], CPU, data)
    assert drawn == ("surface" if name == "nsgan" else "logits")
    assert values.shape == (500,) and bool(values.isfinite().all())


def test_an_autoencoder_holds_a_point_for_real_that_it_rebuilds() -> None:
    of = cell(objectives.create("began"), dataset="spiral")
    data = torch.randn(500, 2)
    (trained,) = train_cohort([of], data, (60,))
    _, found = surface(of, trained.d_snapshots[60], CPU, data)
    loss = of.objective.loss.create()
    d = of.architecture.create().autoencoder((2,), loss.features)
    nn.utils.vector_to_parameters(trained.d_snapshots[60], d.parameters())
    with torch.no_grad():
        errors = (d(data)[0] - data).abs().mean(1)
    torch.testing.assert_close(found, -errors)


def test_a_cohort_scores_each_d_by_its_own_loss(tmp_path: Path) -> None:
    cells = (cell(objectives.create("nsgan")), cell(objectives.create("hinge_gan")))
    asked: tuple[Part, ...] = tuple(metrics.part(name, {}) for name in ("optimality_gap", "log_likelihood"))
    scoring = Scoring(EvaluationSettings(300, extractors.part("identity", {}), asked, 500), (30, 60))
    CohortRun(Cohort(cells, scoring, trains=True), Surroundings(tmp_path, tmp_path, tmp_path / "cache")).work(
        "cpu", [].append
    )
    store = Store(tmp_path)
    kept, lacking = (store.scores(of.key, scoring.key) for of in cells)
    assert kept is not None and lacking is not None
    assert all(0 < row["optimality_gap"] < 1 and math.isfinite(row["log_likelihood"]) for row in kept.rows)
    assert kept.rows[0]["optimality_gap"] != kept.rows[1]["optimality_gap"]
    assert all(row["optimality_gap"] is None for row in lacking.rows)
    assert "holds no probability" in lacking.reasons["optimality_gap"]
    # One half everywhere, on real samples: what the estimate of q leaves.
    assert 0 < kept.ceiling["optimality_gap"] < 0.1
    entropy = 0.5 * math.log(2 * math.pi * math.e)
    assert kept.ceiling["log_likelihood"] == pytest.approx(-entropy, abs=0.2)
