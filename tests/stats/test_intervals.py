import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ganbench.stats import Interval, deviation, mean_interval, median_interval, t_interval


@pytest.mark.parametrize("n", [2, 3, 5, 16])
def test_the_interval_is_scipys(n: int):
    values = np.random.default_rng(n).normal(3, 2, n)
    found = t_interval(values.tolist(), 0.9)
    low, high = stats.t.interval(0.9, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high))
    assert found.n == n


def test_one_seed_has_a_mean_and_no_bounds():
    found = t_interval([4.0])
    assert (found.mean, found.n) == (4.0, 1)
    assert math.isnan(found.low) and math.isnan(found.high)


def test_no_seed_has_nothing():
    found = t_interval([])
    assert found.n == 0
    assert math.isnan(found.mean)


def test_equal_seeds_have_an_interval_of_no_width():
    assert t_interval([8.0, 8.0, 8.0]) == Interval(8.0, 8.0, 8.0, 3)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        t_interval([1.0, math.nan])
    with pytest.raises(ValueError, match="confidence"):
        t_interval([1.0, 2.0], 95)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_covers_what_it_claims(n: int):
    draws = np.random.default_rng(7).normal(1.0, 3.0, (4000, n))
    found = [t_interval(row) for row in draws.tolist()]
    covered = np.mean([interval.low <= 1.0 <= interval.high for interval in found])
    assert covered == pytest.approx(0.95, abs=0.02)


def test_the_mean_has_bounds_only_where_they_hold():
    assert mean_interval([1.0, 2.0, 4.0, 5.0, 7.0]) == t_interval([1.0, 2.0, 4.0, 5.0, 7.0])
    few, tied = mean_interval([1.0, 2.0, 4.0]), mean_interval([8.0, 8.0, 7.0, 8.0, 8.0])
    assert (few.value, tied.value) == pytest.approx((7 / 3, 7.8))
    assert not few.offered and "5 seeds" in few.reason
    assert not tied.offered and "same numbers" in tied.reason
    assert mean_interval([0.31, 0.32, 0.33, 0.31, 0.32]).offered  # a share of 100 samples may well tie


@pytest.mark.parametrize("n", [6, 8, 9, 10, 16, 32])
def test_the_median_lies_between_the_order_statistics_of_the_textbook(n: int):
    values = np.sort(np.random.default_rng(n).lognormal(size=n))
    found = median_interval(values.tolist())
    depth = int(stats.binom.ppf(0.025, n, 0.5))  # the exact interval that is at least as sure
    assert values[depth - 1] <= found.low <= values[depth]
    assert values[n - depth - 1] <= found.high <= values[n - depth]
    assert found.value == np.median(values)


def test_the_median_by_hand():
    # Hettmansperger and Sheather: n = 10, between x2 (97.85 %) and x3 (89.06 %), weight .0744
    found = median_interval([float(value) for value in range(10)])
    over = (0.978515625 - 0.95) / (0.978515625 - 0.890625)
    weight = 8 * over / (2 + 6 * over)
    assert (found.low, found.high) == pytest.approx((1 + weight, 8 - weight))


@pytest.mark.parametrize(
    ("n", "confidence", "offered"),
    [(4, 0.95, False), (5, 0.95, True), (4, 0.9, False), (4, 0.89, True), (6, 0.99, False), (7, 0.99, True)],
)
def test_the_median_is_offered_where_least_and_greatest_hold_it(n: int, confidence: float, offered: bool):
    found = median_interval(list(range(n)), confidence)
    assert found.offered is offered
    assert bool(found.reason) is not offered
    assert (1 - 2 ** (1 - n) >= confidence - 0.02) is offered


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_of_a_median_holds_the_median(values: list[float], confidence: float):
    found = median_interval(values, confidence)
    assert min(values) <= found.value <= max(values)
    largest = max(map(abs, values))
    alike = [sum(abs(value - other) <= 1e-12 * largest for other in values) > 1 for value in values]
    assert found.offered or 2 * sum(alike) >= len(values)
    if found.offered:
        assert min(values) <= found.low <= found.value <= found.high <= max(values)


@pytest.mark.parametrize(
    ("values", "mean", "median"),
    [
        ([8.0] * 5, False, False),
        ([8.0, 8.0, 8.0, 7.0, 7.0], False, False),
        ([8.0, 8.0, 7.0, 7.0, 6.0], True, False),
        ([8.0, 8.0, 7.0, 6.0, 5.0], True, True),
        ([8.0, 8.0 + 1e-14, 7.0, 7.0 - 1e-14, 6.0], True, False),
    ],
)
def test_where_seeds_gave_the_same_numbers_centres_have_no_interval(values: list[float], mean: bool, median: bool):
    for found, offered in ((mean_interval(values), mean), (median_interval(values), median)):
        assert found.offered is offered
        assert ("the same numbers" in found.reason) is not offered


def test_a_standard_deviation_has_no_bounds():
    found = deviation([1.0, 2.0, 3.0])
    assert found.value == 1.0
    assert not found.offered and "chi-square" in found.reason
