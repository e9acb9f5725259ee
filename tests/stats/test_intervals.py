import math

import numpy as np
import pytest
from scipy import stats

from ganbench.stats import Interval, holm, paired_difference, t_interval


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


def test_the_paired_difference_is_scipys_over_the_shared_seeds():
    a = {0: 1.0, 1: 2.5, 2: 3.0, 3: 4.2, 9: 100.0}
    b = {3: 3.0, 2: 3.1, 1: 1.0, 0: 0.5, 8: -100.0, 7: math.nan}
    found = paired_difference(a, b)
    expected = stats.ttest_rel([1.0, 2.5, 3.0, 4.2], [0.5, 1.0, 3.1, 3.0])
    bounds = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert found.interval.n == 4


def test_equal_in_every_seed_cannot_be_told_apart():
    assert paired_difference({0: 8.0, 1: 7.0}, {0: 8.0, 1: 7.0}).p == 1.0


def test_the_same_difference_in_every_seed_has_no_p_value():
    found = paired_difference({0: 8.0, 1: 8.0, 2: 8.1}, {0: 7.0, 1: 7.0, 2: 7.1})
    assert found.constant
    assert math.isnan(found.p)


@pytest.mark.parametrize("other", [{}, {5: 1.0}, {0: 1.0}])
def test_fewer_than_two_shared_seeds_are_not_tested(other: dict[int, float]):
    found = paired_difference({0: 2.0, 1: 3.0}, other)
    assert math.isnan(found.p)
    assert not found.constant


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_leaves_out_tests_that_were_not_made():
    found = holm([math.nan, 0.02, 0.5])
    assert math.isnan(found[0])
    assert found[1:] == pytest.approx([0.04, 0.5])


def test_holm_keeps_the_family_wise_error():
    uniform = np.random.default_rng(0).uniform(size=(2000, 6))
    wrong = np.mean([min(holm(row)) < 0.05 for row in uniform.tolist()])
    assert wrong == pytest.approx(0.05, abs=0.02)
