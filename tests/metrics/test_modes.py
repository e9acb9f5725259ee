from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import datasets, metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.plugins import Modes

NOTHING = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))


def scores(modes: Modes) -> dict[str, float]:
    return metrics.create("modes").compute(Evidence(torch.zeros(2, 2), None, modes, NOTHING))


@pytest.mark.parametrize(
    ("name", "modes", "kl", "spread"), [("ring8", 8, 0.0014, 0.0007), ("grid25", 25, 0.0048, 0.0014)]
)
def test_a_perfect_sampler_scores_what_theory_says(name: str, modes: int, kl: float, spread: float):
    source = datasets.create(name)
    points = source.load(Path("unused"), "train").samples
    runs = [scores(source.modes(chunk)) for chunk in points.reshape(40, 2500, 2)]
    assert {run["modes"] for run in runs} == {modes}
    quality = np.mean([run["high_quality"] for run in runs])
    # 1 - exp(-9/2) lies within three standard deviations of a Gaussian in the plane; 100,000 draws
    assert quality == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.011 / 100_000))
    divergences = [run["mode_kl"] for run in runs]
    assert np.mean(divergences) == pytest.approx(kl, abs=4 * spread / math.sqrt(40))
    assert np.std(divergences) == pytest.approx(spread, rel=0.4)


def test_a_collapsed_sampler_covers_one_mode():
    source = datasets.create("ring8")
    found = scores(source.modes(np.tile(source.centres[2], (100, 1))))
    assert found == {"modes": 1.0, "high_quality": 1.0, "mode_kl": pytest.approx(math.log(8))}


def test_without_a_high_quality_sample_the_kl_is_undefined_and_nothing_else():
    found = scores(datasets.create("grid25").modes(np.full((50, 2), 9.0)))
    assert (found["modes"], found["high_quality"]) == (0, 0)
    assert math.isnan(found["mode_kl"])
    assert "mode_kl" in metrics.registry.get("modes").undefined


def test_weights_of_the_truth_count():
    nearest = np.array([0, 0, 0, 1])
    truth = Modes(nearest, np.ones(4, dtype=bool), np.array([0.75, 0.25]))
    assert scores(truth)["mode_kl"] == 0


def test_a_mode_that_the_truth_lacks_is_infinitely_far():
    truth = Modes(np.array([0, 1]), np.ones(2, dtype=bool), np.array([1.0, 0.0]))
    assert math.isinf(scores(truth)["mode_kl"])


def test_a_thousand_modes_of_stacked_digits():
    """26,000 samples of a uniform truth: the expected KL is about (modes - 1) / (2 n)."""
    weights = np.full(1000, 1e-3)
    drawn = np.random.RandomState(0).randint(1000, size=26_000)
    found = scores(Modes(drawn, np.ones(26_000, dtype=bool), weights))
    assert (found["modes"], found["high_quality"]) == (1000, 1)
    assert found["mode_kl"] == pytest.approx(999 / 52_000, rel=0.15)
    half = scores(Modes(drawn // 2, np.ones(26_000, dtype=bool), weights))
    assert half["modes"] == 500
    assert half["mode_kl"] == pytest.approx(math.log(2) + 499 / 52_000, abs=0.005)


def test_weights_that_are_not_uniform_are_the_truths():
    weights = np.random.RandomState(1).dirichlet(np.ones(1000))
    counts = np.random.RandomState(2).multinomial(26_000, weights)
    drawn = np.repeat(np.arange(1000), counts)
    found = scores(Modes(drawn, np.ones(26_000, dtype=bool), weights))
    shares, there = counts / 26_000, counts > 0
    assert found["modes"] == there.sum()
    assert found["mode_kl"] == pytest.approx((shares[there] * np.log(shares[there] / weights[there])).sum())
    assert found["mode_kl"] < 0.03 < scores(Modes(drawn, np.ones(26_000, dtype=bool), np.full(1000, 1e-3)))["mode_kl"]
