"""Scores that know the truth's density, on Gaussians whose integrals are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import multivariate_normal, norm

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def log_density(points: np.ndarray) -> np.ndarray:
    return np.atleast_1d(multivariate_normal(np.zeros(points.shape[1])).logpdf(points))


def evidence(fake: torch.Tensor, posterior=None, density=log_density, features: torch.Tensor | None = None) -> Evidence:
    size = fake.shape[1]
    reference = Reference(normal(2000, size, 99), None, np.zeros(size), np.eye(size))
    features = fake if features is None else features
    return Evidence(features, None, None, reference, samples=fake, log_density=density, posterior=posterior)


def gap(fake: torch.Tensor, posterior, **parameters: int) -> float:
    return metrics.create("optimality_gap", **parameters).compute(evidence(fake, posterior))["optimality_gap"]


def undecided(points: torch.Tensor) -> torch.Tensor:
    return points.new_full(points.shape[:1], 0.5)


def best(shift: float):
    """D* of N(0, 1) and N(shift, 1) along the first axis: the sigmoid of log p - log q."""
    return lambda points: (shift**2 / 2 - shift * points[:, 0]).sigmoid()


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_the_best_d_has_no_gap_beyond_the_noise(size: int, shift: float):
    fake = normal(2000, size, 3)
    fake[:, 0] += shift
    assert gap(fake, best(shift)) < 0.06


@pytest.mark.parametrize("shift", [1.0, 2.0, 4.0])
def test_a_d_that_does_not_decide_is_as_far_off_as_the_integral_says(shift: float):
    fake = normal(2000, 2, 3) + torch.tensor([shift, 0.0])

    def integrand(x: float) -> float:
        p, q = norm.pdf(x), norm.pdf(x - shift)
        return (p + q) / 2 * abs(p / (p + q) - 0.5)

    truth = quad(integrand, -10, 10 + shift)[0]
    assert gap(fake, undecided) == pytest.approx(truth, abs=0.03)
    opposite = gap(fake, lambda points: 1 - best(shift)(points))
    assert opposite == pytest.approx(2 * truth, abs=0.03)


def test_more_neighbours_are_less_noise():
    fake = normal(2000, 2, 3)
    floors = [gap(fake, undecided, neighbours=k) for k in (2, 10, 50)]
    assert floors == sorted(floors, reverse=True)
    assert floors[1] == pytest.approx(0.25 * math.sqrt(2 / math.pi / 10), rel=0.2)


def test_of_one_point_repeated_the_d_that_knows_it_is_nearest_to_the_best():
    fake = torch.full((100, 2), 0.5)

    def knowing(points: torch.Tensor) -> torch.Tensor:
        return (points != 0.5).any(dim=1).float()

    found = [gap(fake, d) for d in (knowing, undecided, lambda points: 1 - knowing(points))]
    assert found == sorted(found)
    assert found[0] < 0.25
    assert found[2] > 0.75


def test_what_keeps_the_gap_from_being_computed_is_said():
    metric, fake = metrics.create("optimality_gap"), normal(100, 2, 0)
    for what, reason in (
        (evidence(fake), "this objective's D holds no probability"),
        (evidence(fake, undecided, density=None), "density of this dataset is not known"),
        (evidence(fake[:20], undecided), "20 samples are too few for 20 neighbours"),
        (evidence(fake, undecided, features=fake + 1), "take the extractor identity"),
        (evidence(fake, lambda points: points[:, 0] * math.nan), "not finite"),
    ):
        with pytest.raises(ValueError, match=reason):
            metric.compute(what)


def likelihood(fake: torch.Tensor, density=log_density) -> float:
    return metrics.create("log_likelihood").compute(evidence(fake, density=density))["log_likelihood"]


def test_samples_of_the_truth_reach_minus_its_entropy():
    entropy = multivariate_normal(np.zeros(2)).entropy()
    assert likelihood(normal(4000, 2, 0)) == pytest.approx(-entropy, abs=4 / math.sqrt(4000))
    # E log N(x; 0, 1) of x ~ N(s, 1) is lower by s^2 / 2
    assert likelihood(normal(4000, 2, 0) + 2) == pytest.approx(-entropy - 4, abs=0.2)
    assert likelihood(torch.zeros(50, 2)) == pytest.approx(-math.log(2 * math.pi))


def test_a_sample_outside_the_support_makes_it_infinite_and_that_is_explained():
    with np.errstate(divide="ignore"):
        uniform = likelihood(torch.tensor([[0.5], [2.0]]), lambda points: np.log((points[:, 0] < 1).astype(float)))
    assert uniform == -math.inf
    assert "no density" in metrics.registry.get("log_likelihood").undefined["log_likelihood"]
    with pytest.raises(ValueError, match="not known"):
        likelihood(torch.zeros(5, 2), None)


def test_the_sigmoid_of_the_true_ratio_is_what_the_tests_here_call_best():
    points = normal(5, 2, 0)
    p, q = log_density(points.numpy()), log_density(points.numpy() - np.array([2.0, 0.0]))
    assert best(2.0)(points).numpy() == pytest.approx(expit(p - q), rel=1e-5)
