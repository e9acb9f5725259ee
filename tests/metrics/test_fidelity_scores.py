from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference


def evidence(fake: torch.Tensor, real: torch.Tensor, logits: torch.Tensor | None = None, seed: int = 0) -> Evidence:
    reference = Reference(real, None, real.double().mean(0).numpy(), np.cov(real.double().numpy(), rowvar=False))
    return Evidence(fake, logits, None, reference, seed)


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_fid_of_two_gaussians_is_the_closed_form():
    real = normal(200_000, 3, 0)
    fake = normal(200_000, 3, 1) * 2 + torch.tensor([3.0, 0, 0])
    assert metrics.create("fid").compute(evidence(fake, real))["fid"] == pytest.approx(9 + 3, rel=0.01)


def test_fid_of_the_reference_itself_is_zero_and_never_below():
    real = normal(500, 64, 0)
    assert 0 <= metrics.create("fid").compute(evidence(real, real))["fid"] < 1e-9


@pytest.mark.parametrize("size", [2, 64])
def test_fid_of_a_collapsed_sampler_is_finite(size: int):
    found = metrics.create("fid").compute(evidence(torch.ones(100, size), normal(500, size, 0)))
    assert isinstance(found["fid"], float)
    assert found["fid"] > size


def test_inception_score_counts_classes_that_are_told_apart():
    sure = torch.eye(10).repeat(100, 1) * 50
    score = metrics.create("is")
    assert score.compute(evidence(normal(1000, 2, 0), normal(50, 2, 1), sure))["is"] == pytest.approx(10, rel=0.1)
    unsure = torch.zeros(1000, 10)
    assert score.compute(evidence(normal(1000, 2, 0), normal(50, 2, 1), unsure))["is"] == pytest.approx(1)


def test_inception_score_needs_logits_and_enough_samples():
    with pytest.raises(ValueError, match="no logits"):
        metrics.create("is").compute(evidence(normal(100, 2, 0), normal(50, 2, 1)))
    with pytest.raises(ValueError, match="9 samples cannot be split"):
        metrics.create("is").compute(evidence(normal(9, 2, 0), normal(50, 2, 1), torch.zeros(9, 10)))


def test_kid_of_equal_distributions_is_about_zero_and_does_not_depend_on_the_size_of_subsets():
    fake, real = normal(2000, 16, 0), normal(2000, 16, 1)
    assert abs(metrics.create("kid").compute(evidence(fake, real))["kid"]) < 2e-3
    apart = evidence(fake + 0.5, real)
    small = metrics.create("kid").compute(apart)["kid"]
    assert metrics.create("kid", subsets=10, subset_size=1000).compute(apart)["kid"] == pytest.approx(small, rel=0.05)


def test_kid_shrinks_its_subsets_to_what_there_is():
    assert math.isfinite(
        metrics.create("kid", subset_size=1000).compute(evidence(normal(20, 4, 0), normal(30, 4, 1)))["kid"]
    )


def test_what_is_drawn_follows_the_seed():
    fake, real, logits = normal(600, 8, 0), normal(600, 8, 1), normal(600, 10, 2)
    for name in ("kid", "is"):
        one, same, other = (
            metrics.create(name).compute(evidence(fake, real, logits, seed)) for seed in (2**40 + 1, 2**40 + 1, 7)
        )
        assert one == same
        assert one != other


def test_kid_is_torch_fidelitys():
    fake, real = normal(500, 20, 0).relu() + 0.1, normal(700, 20, 1).relu()
    theirs = kid_features_to_metric(
        fake.double(), real.double(), kid_subsets=30, kid_subset_size=200, rng_seed=17, verbose=False
    )
    found = metrics.create("kid", subsets=30, subset_size=200).compute(evidence(fake, real, seed=17))["kid"]
    assert found == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)
    assert found > 0.01


@pytest.mark.parametrize("dead", [0, 10])
def test_fid_is_torch_fidelitys_also_where_some_features_never_vary(dead: int):
    fake, real = (normal(300, 30, seed) @ normal(30, 30, 5) for seed in (0, 1))
    for side in (fake, real):
        side[:, :dead] = 0.5
    found = metrics.create("fid").compute(evidence(fake, real))["fid"]
    theirs = fid_statistics_to_metric(
        fid_features_to_statistics(fake.double()), fid_features_to_statistics(real.double()), verbose=False
    )
    assert found == pytest.approx(theirs["frechet_inception_distance"], rel=1e-9)


def test_fid_to_a_single_point_is_the_distance_and_the_spread():
    fake = normal(1000, 2, 0) + 3
    covariance = np.cov(fake.double().numpy(), rowvar=False)
    found = metrics.create("fid").compute(evidence(fake, torch.zeros(50, 2)))["fid"]
    assert found == pytest.approx(float(fake.double().mean(0).square().sum()) + np.trace(covariance))


@pytest.mark.parametrize(
    ("name", "wrong"), [("kid", {"subsets": 0}), ("coverage", {"neighbours": -1}), ("is", {"splits": 1.5})]
)
def test_wrong_settings_are_refused(name: str, wrong: dict[str, object]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        metrics.create(name, **wrong)


def test_every_value_has_a_direction_and_a_title():
    for name in metrics.names():
        metric = metrics.registry.get(name)
        assert metric.better.keys() == metric.titles.keys()
        assert set(metric.better.values()) <= {"lower", "higher"}
