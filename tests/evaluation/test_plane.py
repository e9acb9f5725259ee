"""Densities in the plane: what is known of them by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import multivariate_normal

from ganbench import datasets
from ganbench.evaluation.plane import EMPTY, SIDE, Plane, best

PLANE = Plane((-2.4, 2.4, -2.4, 2.4))  # pixels .1 wide


def test_pixels_go_up_and_to_the_right() -> None:
    grid = PLANE.centres.reshape(SIDE, SIDE, 2)
    assert grid[0, 0] == pytest.approx([-2.35, -2.35]) and grid[0, -1] == pytest.approx([2.35, -2.35])
    assert grid[-1, 0] == pytest.approx([-2.35, 2.35])
    up, right = np.unravel_index(PLANE.shares(np.array([[1.05, -0.55]])).argmax(), (SIDE, SIDE))
    assert grid[up, right] == pytest.approx([1.05, -0.55])


def test_a_point_is_a_gaussian_one_pixel_wide_of_mass_one() -> None:
    found = PLANE.shares(np.array([[0.3, 0.4]]))
    expected = multivariate_normal([0.3, 0.4], PLANE.bandwidth**2).pdf(PLANE.centres) * PLANE.bandwidth**2
    assert found.ravel() == pytest.approx(expected, abs=1e-12) and found.sum() == pytest.approx(1, abs=1e-6)


def test_points_are_smoothed_as_a_histogram_of_them_is() -> None:
    points = np.random.RandomState(0).standard_normal((20_000, 2)) * 0.5
    counts = np.histogram2d(points[:, 1], points[:, 0], SIDE, [[-2.4, 2.4]] * 2)[0] / len(points)
    assert PLANE.shares(points) == pytest.approx(gaussian_filter(counts, 1.0), abs=2e-4)


def test_points_far_outside_are_part_of_the_whole() -> None:
    points = np.array([[0.0, 0.0], [1e6, 0.0], [0.0, -1e30], [1e38, 1e38]])
    assert PLANE.shares(points).sum() == pytest.approx(0.25)
    with pytest.raises(ValueError, match="finite"):
        PLANE.shares(np.array([[0.0, math.nan]]))


def test_the_square_is_wider_than_the_points_reach_and_one_far_point_does_not_stretch_it() -> None:
    draw = np.random.RandomState(0).uniform(-1, 1, (10_000, 2)) * [3, 1] + [5, 0]
    box = Plane.around(np.concatenate([draw, [[1e9, 1e9]]])).box
    assert box == pytest.approx((5 - 3.9, 5 + 3.9, -3.9, 3.9), rel=0.01)
    assert Plane.around(np.zeros((10, 2))).bandwidth > 0


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_a_known_density_is_that_of_its_points_without_their_noise(name: str) -> None:
    source = datasets.create(name)
    points = source.load(Path("unused"), "train").samples
    plane = Plane.around(points[:10_000])
    known = plane.truth(points[:10_000], source.log_density)
    assert known.sum() == pytest.approx(1, abs=1e-3)
    assert known == pytest.approx(plane.shares(points), abs=0.06 * known.max())


def test_a_density_too_narrow_for_the_pixels_is_taken_from_its_points() -> None:
    source = datasets.create("ring", std=1e-5)
    points = source.load(Path("unused"), "train").samples[:2000]
    plane = Plane.around(points)
    assert np.array_equal(plane.truth(points, source.log_density), plane.shares(points))
    assert np.array_equal(plane.truth(points, None), plane.shares(points))


def test_the_best_d_is_one_half_where_both_are_equal_and_unknown_where_there_is_neither() -> None:
    left, right = (PLANE.shares(np.array([[x, 0.0]])) for x in (-0.3, 0.3))
    found, alike = best(left, right), best(left, left)
    assert set(alike[~np.isnan(alike)]) == {0.5} and (~np.isnan(alike)).sum() > 40
    assert found[:, ::-1] == pytest.approx(1 - found, nan_ok=True)
    assert np.array_equal(np.isnan(found), left + right < EMPTY) and np.isnan(found[0, 0])
    # p / (p + q) of two Gaussians with means -a and a: 1 / (1 + exp(2 a x / variance))
    x = PLANE.centres.reshape(SIDE, SIDE, 2)[SIDE // 2, 18:30, 0]
    assert found[SIDE // 2, 18:30] == pytest.approx(1 / (1 + np.exp(0.6 * x / PLANE.bandwidth**2)), abs=1e-9)
