from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ganbench import datasets

ROOT = Path("unused")


@pytest.mark.parametrize(("name", "modes", "spread"), [("ring8", 8, 0.01), ("grid25", 25, 0.05)])
def test_points_lie_around_every_centre_with_the_right_spread(name: str, modes: int, spread: float):
    source = datasets.create(name)
    points = source.load(ROOT, "train").samples
    found = source.modes(points)
    assert points.shape == (100_000, 2)
    assert points.dtype == np.float32
    assert source.centres.shape == (modes, 2)
    assert np.allclose(np.bincount(found.nearest) / len(points), 1 / modes, rtol=0.1)
    assert (points - source.centres[found.nearest]).std() == pytest.approx(spread, rel=0.01)


def test_centres_are_those_of_the_papers():
    ring, grid = datasets.create("ring8").centres, datasets.create("grid25").centres
    assert np.allclose(np.linalg.norm(ring, axis=1), 1)
    assert {tuple(centre) for centre in grid} == {(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_the_same_points_every_time_and_others_to_test(name: str):
    source = datasets.create(name)
    assert np.array_equal(source.load(ROOT, "train").samples, source.load(ROOT, "train").samples)
    test = source.load(ROOT, "test").samples
    assert test.shape == (10_000, 2)
    assert not np.array_equal(test, source.load(ROOT, "train").samples[:10_000])


# Scores and trained cells of every store rest on these very points.
FROZEN = {
    ("ring8", "train"): "47dc6db18c456c78",
    ("ring8", "test"): "35bf7746c1d25c11",
    ("grid25", "train"): "6dae2a0f0e57fee1",
    ("grid25", "test"): "230884cf0c3d13b4",
}


@pytest.mark.parametrize(("name", "split"), FROZEN)
def test_the_points_are_those_of_the_first_version(name: str, split: str):
    samples = datasets.create(name).load(ROOT, split).samples
    assert hashlib.sha256(samples.astype("<f4").tobytes()).hexdigest()[:16] == FROZEN[name, split]


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_a_label_is_the_mode_that_a_point_was_drawn_from(name: str):
    source = datasets.create(name)
    for split in ("train", "test"):
        found = source.load(ROOT, split)
        assert found.labels is not None and found.labels.dtype == np.int64
        assert set(found.labels) == set(range(source.classes))
        # the modes lie 15 standard deviations apart and more, so that the nearest one is the right one
        assert np.array_equal(found.labels, source.modes(found.samples).nearest)


def test_high_quality_ends_at_three_standard_deviations_in_any_direction():
    source = datasets.create("ring8")
    centre = source.centres[3]
    offsets = np.array([[0.0299, 0], [0, 0.0301], [0.0211, 0.0211], [0.0213, 0.0213]])
    found = source.modes(centre + offsets)
    assert found.nearest.tolist() == [3, 3, 3, 3]
    assert found.high_quality.tolist() == [True, False, True, False]
