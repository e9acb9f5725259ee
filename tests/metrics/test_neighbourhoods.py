"""Metrics of neighbourhoods against their definitions, written out by brute force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import prc_features_to_metric

from ganbench import datasets, metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics import distances, neighbourhoods


def evidence(fake: torch.Tensor, real: torch.Tensor) -> Evidence:
    reference = Reference(real, None, real.double().mean(0).numpy(), np.cov(real.double().numpy(), rowvar=False))
    return Evidence(fake, None, None, reference)


def normal(count: int, size: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + shift


def brute_force(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    return np.linalg.norm(a.double().numpy()[:, None] - b.double().numpy()[None], axis=2)


@pytest.mark.parametrize("size", [2, 30])
def test_blocks_of_distances_are_those_of_numpy(size: int):
    a, b = normal(700, size, 0, shift=100), normal(600, size, 1, shift=100)
    assert np.allclose(torch.cat(list(distances.squared_distances(a, b))).sqrt(), brute_force(a, b), atol=1e-5)
    own = brute_force(a, a)
    np.fill_diagonal(own, np.inf)
    assert np.allclose(torch.cat(list(distances.squared_distances(a, a, others=True))).sqrt(), own, atol=1e-5)


def test_equal_points_have_a_distance_of_zero_wherever_they_lie():
    points = (normal(40, 64, 0) * 1e3).repeat(20, 1)
    nearest = torch.cat(list(distances.squared_distances(points, points, others=True))).sort(dim=1).values
    assert nearest[:, 18].max() == 0 < nearest[:, 19].min()


@pytest.mark.parametrize("shift", [0.0, 0.7, 50.0])
def test_coverage_and_density_by_their_definition(shift: float):
    fake, real = normal(550, 5, 0, shift), normal(900, 5, 1)
    found = metrics.create("coverage").compute(evidence(fake, real))
    real = real[:550]
    own = brute_force(real, real)
    np.fill_diagonal(own, np.inf)
    inside = brute_force(real, fake) < np.sort(own)[:, 4][:, None]
    assert found["coverage"] == pytest.approx(inside.any(axis=1).mean())
    assert found["density"] == pytest.approx(inside.sum() / (5 * 550))


def test_real_samples_are_covered_as_the_paper_expects():
    found = metrics.create("coverage").compute(evidence(normal(2000, 8, 0), normal(2000, 8, 1)))
    assert found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)
    assert found["density"] == pytest.approx(1, abs=0.05)


def test_precision_and_recall_are_not_mistaken_for_each_other():
    narrow, wide = normal(500, 2, 0) * 0.1, normal(500, 2, 1)
    found = metrics.create("precision_recall").compute(evidence(narrow, wide))
    assert found["precision"] > 0.8
    assert found["recall"] < 0.2


def test_precision_and_recall_do_not_depend_on_the_size_of_blocks():
    fake, real = normal(1200, 16, 0, 0.5), normal(1200, 16, 1)
    theirs = prc_features_to_metric(fake, real, verbose=False)
    found = metrics.create("precision_recall").compute(evidence(fake, real))
    assert {name: np.float32(value) for name, value in found.items()} == {
        name: theirs[name] for name in ("precision", "recall")
    }


def test_a_collapsed_sampler_covers_nothing():
    one = normal(1, 8, 3).repeat(400, 1)
    what = evidence(one, normal(400, 8, 1))
    assert metrics.create("coverage").compute(what)["coverage"] < 0.2
    assert metrics.create("precision_recall").compute(what)["recall"] == 0
    assert metrics.create("duplicates").compute(what) == {"duplicates": 1.0, "support": 1.0}


def test_duplicates_of_a_known_construction():
    real = normal(1000, 16, 1)
    fake = normal(1000, 16, 0)
    fake[900:] = fake[:100]
    found = metrics.create("duplicates").compute(evidence(fake, real))
    # 200 of 1,000 are one of an equal pair, and about one in a hundred lies close by chance
    assert found["duplicates"] == pytest.approx(0.2, abs=0.02)
    assert found["support"] == pytest.approx(1000 * 999 / 2 / 105, rel=0.06)


def test_support_estimates_from_how_many_points_a_sampler_draws():
    atoms = normal(300, 16, 0)
    drawn = atoms[torch.randint(300, (2000,), generator=torch.Generator().manual_seed(2))]
    found = metrics.create("duplicates").compute(evidence(drawn, normal(2000, 16, 1)))
    assert found["support"] == pytest.approx(300, rel=0.1)
    assert found["duplicates"] > 0.95


def test_real_samples_collide_as_often_as_the_threshold_says():
    real = normal(1000, 16, 1)
    found = metrics.create("duplicates").compute(evidence(real, real))
    assert found["duplicates"] == pytest.approx(0.01)


def test_without_a_collision_support_says_at_least():
    spread = torch.eye(50) * 1e3
    assert metrics.create("duplicates").compute(evidence(spread, normal(50, 50, 0)))["support"] == 50 * 49 / 2


@pytest.mark.parametrize("name", ["coverage", "precision_recall", "duplicates"])
def test_only_as_many_samples_as_both_sides_have_are_compared(name: str):
    fake, real = normal(300, 4, 0), normal(200, 4, 1)
    metric = metrics.create(name)
    assert metric.compute(evidence(fake, real)) == metric.compute(evidence(fake[:200], real))
    assert metric.compute(evidence(fake[:100], real)) == metric.compute(evidence(fake[:100], real[:100]))


@pytest.mark.parametrize("name", ["coverage", "precision_recall", "duplicates", "fid", "kid"])
def test_a_single_sample_is_refused_with_a_reason(name: str):
    with pytest.raises(ValueError, match="sample"):
        metrics.create(name).compute(evidence(normal(1, 4, 0), normal(200, 4, 1)))


def samplers(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    real = normal(600, 2, 0) * 0.01 + torch.randint(3, (600, 2), generator=torch.Generator().manual_seed(5))
    fakes = {
        "close": real[torch.randperm(600, generator=torch.Generator().manual_seed(6))] + 0.005 * normal(600, 2, 7),
        "the real ones": real,
        "wide": normal(600, 2, 1) * 3,
        "collapsed": real[:1].repeat(600, 1),
        "far": normal(600, 2, 2) + 1e6,
        "two of many points": torch.cat([real[:1].repeat(599, 1), real[5:6] + 1e3]),
    }
    return fakes[kind], real


@pytest.mark.parametrize("kind", ["close", "the real ones", "wide", "collapsed", "far", "two of many points"])
def test_a_tree_counts_what_all_distances_count(kind: str):
    """Of points in the plane, against the definitions with every distance written out."""
    fake, real = samplers(kind)
    between, among_real, among_fake = (
        (a.double()[:, None] - b.double()).square().sum(2) for a, b in ((real, fake), (real, real), (fake, fake))
    )
    for own in (among_real, among_fake):
        own.fill_diagonal_(math.inf)
    radii = {k: among_real.sort(1).values[:, k - 1, None] for k in (1, 3, 5)}
    what = evidence(fake, real)
    assert metrics.create("precision_recall").compute(what) == {
        "precision": (between <= radii[3]).any(0).double().mean().item(),
        "recall": (between <= among_fake.sort(1).values[:, 2]).any(1).double().mean().item(),
    }
    assert metrics.create("coverage").compute(what) == {
        "coverage": (between < radii[5]).any(1).double().mean().item(),
        "density": (between < radii[5]).sum().item() / (5 * 600),
    }
    close = among_fake <= radii[1].flatten().quantile(0.01, interpolation="lower")
    assert metrics.create("duplicates").compute(what) == {
        "duplicates": close.any(1).double().mean().item(),
        "support": 600 * 599 / 2 / max(close.sum().item() / 2, 1),
    }


def test_points_on_a_lattice_have_ties_that_count_as_the_definitions_say():
    lattice = torch.cartesian_prod(torch.arange(10.0), torch.arange(10.0))
    found = metrics.create("coverage", neighbours=1).compute(evidence(lattice, lattice))
    # the ball of radius 1 is open: it holds the point itself and none of its neighbours
    assert found == {"coverage": 1.0, "density": 1.0}
    moved = evidence(lattice + torch.tensor([1.0, 0.0]), lattice)
    assert metrics.create("precision_recall", neighbours=1).compute(moved) == {"precision": 1.0, "recall": 1.0}


def test_precision_and_recall_in_the_plane_are_torch_fidelitys_in_double_precision():
    points = torch.from_numpy(datasets.create("ring8").load(Path("unused"), "train").samples[:2000])
    fake, real = points[:1000] + 0.01 * normal(1000, 2, 4), points[1000:]
    theirs = prc_features_to_metric(fake.double(), real.double(), verbose=False)
    found = metrics.create("precision_recall").compute(evidence(fake, real))
    assert {name: np.float32(value) for name, value in found.items()} == {
        name: theirs[name] for name in ("precision", "recall")
    }
    assert 0.3 < found["precision"] < 0.9


def test_metrics_share_what_they_need_of_one_set_of_samples(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    original = neighbourhoods.squared_distances

    def counted(*arguments, **keywords):
        asked.append(1)
        return original(*arguments, **keywords)

    monkeypatch.setattr(neighbourhoods, "squared_distances", counted)
    first, second = (evidence(normal(300, 20, seed), normal(300, 20, 9)) for seed in (0, 1))
    second = Evidence(second.features, None, None, first.reference)
    for what in (first, second):
        for name in ("precision_recall", "coverage", "duplicates"):
            metrics.create(name).compute(what)
    # among real ones, once; among the samples and between the sides, once for each set of samples
    assert len(asked) == 1 + 2 + 2


def test_what_is_found_of_the_real_side_is_kept_beside_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = normal(200, 3, 1)
    statistics = (real.double().mean(0).numpy(), np.cov(real.double().numpy(), rowvar=False))
    metric = metrics.create("coverage")
    before = Reference(real, None, *statistics, path=tmp_path / "abc.safetensors")
    metric.prepare(before, 100)
    expected = metric.compute(Evidence(normal(100, 3, 0), None, None, before))
    monkeypatch.setattr(neighbourhoods.Side, "_nearest", None)  # nothing may be measured again
    after = Reference(real, None, *statistics, path=tmp_path / "abc.safetensors")
    assert metric.compute(Evidence(normal(100, 3, 0), None, None, after)) == expected


def prdc(real: np.ndarray, fake: np.ndarray, k: int) -> dict[str, float]:
    """The four scores as Naeem et al. 2020 publish them with their package prdc 0.2: open balls, a point in its own."""

    def radii(points: np.ndarray) -> np.ndarray:
        among = np.linalg.norm(points[:, None] - points, axis=2)
        return np.partition(among, k, axis=1)[:, : k + 1].max(axis=1)  # k + 1 nearest, itself included

    between = np.linalg.norm(real[:, None] - fake, axis=2)
    in_real_ball = between < radii(real)[:, None]
    return {
        "precision": in_real_ball.any(axis=0).mean(),
        "recall": (between < radii(fake)).any(axis=1).mean(),
        "density": in_real_ball.sum(axis=0).mean() / k,
        "coverage": (between.min(axis=1) < radii(real)).mean(),
    }


@pytest.mark.parametrize("size", [2, 64])
@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize(("shift", "scale"), [(0.3, 1.0), (0.0, 0.6), (1.0, 1.5)])
def test_all_four_scores_are_those_of_prdc(size: int, k: int, shift: float, scale: float):
    fake, real = normal(400, size, 0) * scale + shift, normal(400, size, 1)
    what = evidence(fake, real)
    found = {
        **metrics.create("precision_recall", neighbours=k).compute(what),
        **metrics.create("coverage", neighbours=k).compute(what),
    }
    assert found == pytest.approx(prdc(real.double().numpy(), fake.double().numpy(), k))


def test_precision_and_recall_of_many_go_through_the_distances_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[int, int]] = []
    original = neighbourhoods.squared_distances

    def counted(rows, columns, others=False):
        asked.append((len(rows), others))
        return original(rows, columns, others)

    monkeypatch.setattr(neighbourhoods, "squared_distances", counted)
    what = evidence(normal(300, 20, 0, 0.3), normal(300, 20, 9))
    expected = metrics.create("precision_recall").compute(what)
    monkeypatch.setattr(neighbourhoods, "KEPT_DISTANCES", 0)
    asked.clear()
    what = evidence(what.features, what.reference.features)
    assert metrics.create("precision_recall").compute(what) == expected
    assert sorted(asked) == [(300, False), (300, True), (300, True)]
