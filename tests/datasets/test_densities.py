from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from ganbench import datasets

ROOT = Path("unused")

PLANE: list[tuple[str, dict[str, Any]]] = [
    ("ring8", {}),
    ("grid25", {}),
    ("ring", {"n": 5, "radius": 2.0, "std": 0.3}),
    ("grid", {"n": 3, "spacing": 0.5, "std": 0.2}),
]
LINE: list[tuple[str, dict[str, Any]]] = [
    ("gaussian1d", {}),
    ("gaussian1d", {"mean": -3.0, "std": 0.2}),
    ("mixture1d", {}),
    ("mixture1d", {"means": "-1, 2", "stds": "0.3", "weights": "3, 1"}),
]


@pytest.mark.parametrize(("name", "parameters"), PLANE)
def test_a_density_in_the_plane_integrates_to_one(name: str, parameters: dict[str, Any]):
    source = datasets.create(name, **parameters)
    end, step = np.abs(source.centres).max() + 8 * source.std, source.std / 2
    axis = np.arange(-end, end + step, step)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    # the trapezium rule at half a standard deviation is exact to rounding for a Gaussian
    assert np.exp(source.log_density(points)).sum() * step**2 == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("name", "parameters"), LINE)
def test_a_density_on_the_line_integrates_to_one(name: str, parameters: dict[str, Any]):
    step = 0.05
    points = np.arange(-15, 15, step)[:, None]
    found = datasets.create(name, **parameters).log_density(points)
    assert found.shape == (len(points),) and found.dtype == np.float64
    assert np.exp(found).sum() * step == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("name", "parameters"), PLANE)
def test_a_density_in_the_plane_is_scipys_near_and_very_far(name: str, parameters: dict[str, Any]):
    source = datasets.create(name, **parameters)
    points = np.concatenate([source.load(ROOT, "test").samples[:500].astype(np.float64), [[30.0, -40.0], [1e6, 1e6]]])
    each = [stats.multivariate_normal(centre, source.std**2).logpdf(points) for centre in source.centres]
    expected = special.logsumexp(each, axis=0) - np.log(len(source.centres))
    assert np.isfinite(expected).all() and expected.min() < -1e6
    np.testing.assert_allclose(source.log_density(points), expected, rtol=1e-12)


def test_a_density_on_the_line_is_scipys():
    points = np.concatenate([np.linspace(-8, 8, 400), [300.0, -1e5]])
    gaussian = datasets.create("gaussian1d", mean=1.5, std=0.3)
    np.testing.assert_allclose(gaussian.log_density(points[:, None]), stats.norm(1.5, 0.3).logpdf(points), rtol=1e-12)
    mixture = datasets.create("mixture1d")
    parts = [
        np.log(weight) + stats.norm(mean, std).logpdf(points)
        for weight, mean, std in zip(mixture.weights, mixture.means, mixture.stds, strict=True)
    ]
    np.testing.assert_allclose(mixture.log_density(points[:, None]), special.logsumexp(parts, axis=0), rtol=1e-12)


@pytest.mark.parametrize(("name", "parameters"), PLANE + LINE)
def test_the_samples_follow_the_density(name: str, parameters: dict[str, Any]):
    """The mean of -log p over samples is the entropy, a sum over modes where they lie far apart, as by default."""
    source = datasets.create(name, **parameters)
    train, test = (source.load(ROOT, split).samples for split in ("train", "test"))
    assert train.shape == (100_000, *source.shape) and train.dtype == np.float32
    ours, theirs = source.log_density(train), source.log_density(test)
    spread = ours.std()
    assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * spread / np.sqrt(10_000))
    if not parameters:
        stds = np.atleast_1d(getattr(source, "stds", getattr(source, "std", None)))
        weights = np.atleast_1d(getattr(source, "weights", np.full(source.classes or 1, 1 / (source.classes or 1))))
        each = np.log(np.broadcast_to(stds, weights.shape) * np.sqrt(2 * np.pi * np.e)) * source.shape[0]
        entropy = (weights * (each - np.log(weights))).sum()
        assert -ours.mean() == pytest.approx(entropy, abs=4 * spread / np.sqrt(100_000))


def test_points_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        datasets.create("ring8").log_density(np.zeros((3, 1)))
