from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ganbench import datasets

ROOT = Path("unused")
DRAWN = ("gaussian1d", "mixture1d", "spiral", "swiss_roll")

# Scores and trained cells of every store rest on these very points.
FROZEN = {
    ("gaussian1d", "train"): "3fb466899d3a0b11",
    ("gaussian1d", "test"): "abf1c5bc584e1e66",
    ("mixture1d", "train"): "ed899bd76e440a0e",
    ("mixture1d", "test"): "ef581d4077f77922",
    ("spiral", "train"): "4cdb972992b0fdc9",
    ("spiral", "test"): "db5ef1eda91d2f84",
    ("swiss_roll", "train"): "cf628eed223d647b",
    ("swiss_roll", "test"): "2fa86748ad62c27d",
}


@pytest.mark.parametrize(("name", "split"), FROZEN)
def test_the_points_are_those_of_the_first_version(name: str, split: str):
    samples = datasets.create(name).load(ROOT, split).samples
    assert hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest()[:16] == FROZEN[name, split]


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_points_every_time_and_others_to_test(name: str):
    source = datasets.create(name)
    train, test = source.load(ROOT, "train"), source.load(ROOT, "test")
    assert (train.samples.shape, test.samples.shape) == ((100_000, *source.shape), (10_000, *source.shape))
    assert train.samples.dtype == np.float32
    assert np.array_equal(source.load(ROOT, "train").samples, train.samples)
    assert not np.array_equal(test.samples, train.samples[:10_000])
    assert (train.labels is None) == (source.classes is None)


def test_a_gaussian_has_its_mean_and_spread():
    points = datasets.create("gaussian1d", mean=3.0, std=0.5).load(ROOT, "train").samples[:, 0].astype(np.float64)
    assert stats.kstest((points - 3) / 0.5, "norm").pvalue > 0.001


def test_a_mixture_has_its_weights_means_and_spreads():
    source = datasets.create("mixture1d", means=[-5, 0, 5], stds=(0.1, 0.2, 0.3), weights="1, 2, 1")
    split = source.load(ROOT, "train")
    found = source.modes(split.samples)
    assert np.array_equal(found.nearest, split.labels)
    assert found.weights.tolist() == [0.25, 0.5, 0.25]
    assert np.bincount(split.labels) / 100_000 == pytest.approx(found.weights, abs=0.006)
    for mode, (mean, std) in enumerate(zip((-5, 0, 5), (0.1, 0.2, 0.3), strict=True)):
        points = split.samples[split.labels == mode, 0].astype(np.float64)
        assert stats.kstest((points - mean) / std, "norm").pvalue > 0.001
    # three standard deviations on either side of a line
    assert found.high_quality.mean() == pytest.approx(0.9973, abs=0.0007)


def test_a_mode_is_the_nearest_in_its_own_standard_deviations():
    source = datasets.create("mixture1d", means="0, 4", stds="1, 0.1", weights="1")
    found = source.modes(np.array([[2.9], [3.2], [3.75], [4.2]]))
    assert found.nearest.tolist() == [0, 0, 1, 1]
    assert found.high_quality.tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"means": "0, 1", "stds": "1, 2, 3"}, "2 means and 3 stds"),
        ({"stds": "0"}, "stds must be above 0"),
        ({"weights": "1, -1, 1"}, "weights must be above 0"),
        ({"means": ""}, "means of mixture1d"),
        ({"means": "one, two"}, "means of mixture1d"),
        ({"means": "nan, 0, 0"}, "means must be finite"),
    ],
)
def test_numbers_that_make_no_mixture_are_refused(parameters: dict[str, str], reason: str):
    with pytest.raises(ValueError, match=reason):
        datasets.create("mixture1d", **parameters)


def test_the_parameters_of_a_mixture_are_the_same_however_they_are_written():
    parts = [datasets.registry.part("mixture1d", {"means": given}) for given in ("-1, 0, 1", [-1, 0, 1])]
    assert parts[0].as_json() == parts[1].as_json()


def test_a_ring_and_a_grid_start_as_ring8_and_grid25():
    for name, known in (("ring", "ring8"), ("grid", "grid25")):
        ours, theirs = (datasets.create(each).load(ROOT, "train") for each in (name, known))
        assert np.array_equal(ours.samples, theirs.samples) and np.array_equal(ours.labels, theirs.labels)


def test_a_ring_and_a_grid_follow_their_parameters():
    ring = datasets.create("ring", n=6, radius=3.0, std=0.2)
    assert ring.classes == 6
    assert np.linalg.norm(ring.centres, axis=1) == pytest.approx([3.0] * 6)
    grid = datasets.create("grid", n=4, spacing=3.0, std=0.1)
    assert {tuple(c) for c in grid.centres} == {(x, y) for x in (-4.5, -1.5, 1.5, 4.5) for y in (-4.5, -1.5, 1.5, 4.5)}
    for source, std in ((ring, 0.2), (grid, 0.1)):
        split = source.load(ROOT, "train")
        assert (split.samples - source.centres[split.labels]).std() == pytest.approx(std, rel=0.01)
        assert set(split.labels) == set(range(source.classes))
    with pytest.raises(ValueError, match="std of ring"):
        datasets.create("ring", std=0.0)


def test_the_arms_of_a_spiral_are_its_classes_and_follow_the_formula():
    source = datasets.create("spiral", arms=3, turns=2.0, std=0.0)
    split = source.load(ROOT, "train")
    x, y = split.samples.astype(np.float64).T
    radius = np.hypot(x, y)
    expected = 2 * np.pi * (2 * radius + split.labels / 3)
    assert np.abs(np.exp(1j * (np.arctan2(y, x) - expected)) - 1).max() < 1e-4
    assert stats.kstest(radius**2, "uniform").pvalue > 0.001
    assert np.bincount(split.labels) / 100_000 == pytest.approx([1 / 3] * 3, abs=0.006)
    noisy = datasets.create("spiral", arms=3, turns=2.0, std=0.1).load(ROOT, "train").samples
    assert (noisy - split.samples).std() == pytest.approx(0.1, rel=0.01)


def test_a_spiral_with_one_arm_has_no_classes():
    source = datasets.create("spiral", arms=1)
    assert source.classes is None and source.load(ROOT, "test").labels is None


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_swiss_roll_is_the_section_of_scikit_learns(noise: float):
    from sklearn.datasets import make_swiss_roll

    scale = 4.5 * np.pi
    ours = datasets.create("swiss_roll", std=noise / scale).load(ROOT, "test").samples * scale
    theirs = make_swiss_roll(10_000, noise=noise, random_state=1)[0][:, [0, 2]]
    for direction in ((1, 0), (0, 1), (1, 1)):
        assert stats.ks_2samp(ours @ direction, theirs @ direction).pvalue > 0.001
