"""Distances of Wasserstein against assignments, sorted numbers and closed forms; the FID of infinitely many samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.stats import wasserstein_distance

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference


def evidence(fake: torch.Tensor, real: torch.Tensor, seed: int = 0) -> Evidence:
    covariance = np.atleast_2d(np.cov(real.double().numpy(), rowvar=False))
    return Evidence(fake, None, None, Reference(real, None, real.double().mean(0).numpy(), covariance), seed)


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def score(name: str, fake: torch.Tensor, real: torch.Tensor, seed: int = 0, **parameters: int) -> float:
    (found,) = metrics.create(name, **parameters).compute(evidence(fake, real, seed)).values()
    return found


@pytest.mark.parametrize("size", [2, 7])
def test_w2_is_the_best_assignment(size: int):
    """The least cost over all ways to move mass between the two sets, as a linear program."""
    count = 20
    fake, real = normal(count, size, 0) * 2, normal(count, size, 1)
    costs = (fake.double()[:, None] - real.double()).square().sum(2).numpy()
    leaving, arriving = np.kron(np.eye(count), np.ones(count)), np.kron(np.ones(count), np.eye(count))
    best = linprog(costs.ravel(), A_eq=np.vstack([leaving, arriving]), b_eq=np.full(2 * count, 1 / count))
    assert score("w2", fake, real) == pytest.approx(math.sqrt(best.fun), rel=1e-9)


@pytest.mark.parametrize("name", ["w2", "sliced_wasserstein"])
def test_on_a_line_it_is_the_distance_of_quantiles(name: str):
    spread = torch.linspace(0, 1, 200)[:, None] ** 2
    # x -> x^2 and -1: |.| is constant over the pairing in the first test, and not in the second
    assert score(name, spread - 1, spread) == pytest.approx(wasserstein_distance(spread[:, 0] - 1, spread[:, 0]))
    fake, real = normal(150, 1, 0) * 3, normal(150, 1, 1)
    expected = np.sqrt(np.mean((np.sort(fake[:, 0].double()) - np.sort(real[:, 0].double())) ** 2))
    assert score(name, fake, real) == pytest.approx(expected)
    assert wasserstein_distance(fake[:, 0], real[:, 0]) < expected  # W1 is the smaller one


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_w2_of_a_shift_is_its_length_in_any_unit(scale: float):
    real = normal(300, 2, 0).double() * scale
    assert score("w2", real + torch.tensor([3.0, 4.0], dtype=torch.float64) * scale, real) == pytest.approx(
        5 * scale, rel=1e-9
    )
    assert score("w2", real.flip(0), real) == pytest.approx(0, abs=1e-6 * scale)


def test_sliced_distance_of_a_shift_is_its_length_over_the_root_of_the_dimensions():
    real, move = normal(400, 9, 0), torch.full((9,), 2.0)
    assert score("sliced_wasserstein", real + move, real, projections=4000) == pytest.approx(2.0, rel=0.03)
    assert score("sliced_wasserstein", real.flip(0), real) == pytest.approx(0, abs=1e-12)


def test_sliced_distance_follows_the_seed_and_stays_below_w2():
    fake, real = normal(300, 3, 0) * torch.tensor([1.0, 2.0, 0.5]), normal(300, 3, 1)
    one, same, other = (score("sliced_wasserstein", fake, real, seed) for seed in (2**40, 2**40, 1))
    assert one == same != other
    assert max(one, other) < score("w2", fake, real)


def test_as_many_rows_are_compared_as_both_sides_have_and_as_are_asked_for():
    fake, real = normal(300, 2, 0), normal(200, 2, 1)
    for name in ("w2", "sliced_wasserstein"):
        assert score(name, fake, real) == score(name, fake[:200], real)
    assert score("w2", fake, real, rows=50) == score("w2", fake[:50], real[:50])
    for name in ("w2", "sliced_wasserstein"):
        with pytest.raises(ValueError, match="no samples"):
            score(name, fake[:0], real)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.05, 1.3)])
def test_fid_of_infinitely_many_is_nearer_to_the_truth_than_fid(shift: float, scale: float):
    """Of two Gaussians in 32 dimensions: |shift|^2 + 32 (scale - 1)^2."""
    truth = 32 * (shift**2 + (scale - 1) ** 2)
    # a reference whose moments are those of the distribution: the metric extrapolates the other side alone
    real = Reference(torch.zeros(2, 32), None, np.zeros(32), np.eye(32))
    found = {"fid": [], "fid_infinity": []}
    for seed in range(5):
        what = Evidence(normal(1000, 32, seed) * scale + shift, None, None, real, seed)
        for name, values in found.items():
            values.append(metrics.create(name).compute(what)[name] - truth)
    assert min(found["fid"]) > 0.1  # biased upwards, every time
    assert abs(np.mean(found["fid_infinity"])) < 0.5 * np.mean(found["fid"])


def test_fid_of_infinitely_many_is_exact_where_every_subset_has_the_same_moments():
    real = normal(500, 4, 0)
    point = torch.full((100, 4), 2.0)
    assert score("fid_infinity", point, real) == pytest.approx(score("fid", point, real), rel=1e-9)


def test_a_line_needs_points_and_samples():
    with pytest.raises(ValueError, match="19 samples are too few"):
        score("fid_infinity", normal(19, 2, 0), normal(100, 2, 1))
    assert math.isfinite(score("fid_infinity", normal(20, 2, 0), normal(100, 2, 1)))
    with pytest.raises(ValueError, match="points"):
        metrics.create("fid_infinity", points=1)
