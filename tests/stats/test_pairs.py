import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ganbench.stats import (
    Interval,
    choose_test,
    paired_difference,
    seeds_needed,
    sign_flip_p,
    sign_p,
    smallest_p,
    standardised_difference,
)
from ganbench.stats.pairs import EXACT_UP_TO, FLIPS


def test_the_paired_difference_is_scipys_over_the_shared_seeds():
    a = {0: 1.0, 1: 2.5, 2: 3.0, 3: 4.2, 4: 5.0, 9: 100.0}
    b = {4: 4.1, 3: 3.0, 2: 3.1, 1: 1.0, 0: 0.5, 8: -100.0, 7: math.nan}
    found = paired_difference(a, b)
    expected = stats.ttest_rel([1.0, 2.5, 3.0, 4.2, 5.0], [0.5, 1.0, 3.1, 3.0, 4.1])
    bounds = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))
    assert found.interval.n == 5


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


def test_the_median_difference_stands_beside_the_mean():
    a = dict(enumerate([1.0, 2.0, 3.0, 4.0, 500.0]))
    b = dict.fromkeys(range(5), 1.0)
    assert paired_difference(a, b).median == Interval(2.0, 0.0, 499.0, 5)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 12])
def test_sign_flips_are_scipys_exact_permutation_test(n: int):
    random = np.random.default_rng(n)
    for differences in (random.normal(0.4, 1, n), random.integers(-2, 4, n).astype(float)):
        expected = stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        )
        assert sign_flip_p(differences) == pytest.approx(expected.pvalue)


def test_sign_flips_of_many_seeds_are_counted_and_not_drawn():
    differences = np.random.default_rng(1).normal(0.3, 1, 18)
    signs = np.array(list(product((-1, 1), repeat=17)))
    means = np.abs(signs @ differences[1:] + differences[0])
    assert sign_flip_p(differences) == np.mean(means >= abs(differences.sum()) - 1e-9)
    assert sign_flip_p(np.ones(EXACT_UP_TO)) == smallest_p(EXACT_UP_TO) == 2.0**-31


def test_more_seeds_than_can_be_counted_are_drawn_and_never_give_0():
    differences = np.random.default_rng(2).normal(0.25, 1, EXACT_UP_TO + 8)
    p = sign_flip_p(differences)
    assert p == sign_flip_p(differences)
    assert p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)
    assert sign_flip_p(np.ones(EXACT_UP_TO + 8)) == smallest_p(EXACT_UP_TO + 8) == 1 / (FLIPS + 1)


def test_means_that_differ_by_rounding_are_one():
    assert sign_flip_p(np.array([0.1, 0.2, -0.3, 0.3, 0.1])) == pytest.approx(
        sign_flip_p(np.array([1.0, 2.0, -3.0, 3.0, 1.0]))
    )


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=10), st.floats(0.1, 100))
def test_sign_flips_know_neither_unit_nor_direction(differences: list[float], unit: float):
    p = sign_flip_p(np.array(differences))
    assert smallest_p(len(differences)) <= p <= 1
    assert sign_flip_p(-np.array(differences)) == p
    assert sign_flip_p(unit * np.round(differences)) == sign_flip_p(np.round(differences))


@pytest.mark.parametrize("n", [2, 5, 9, 16, 40])
def test_the_sign_test_is_scipys_of_the_seeds_on_either_side(n: int):
    differences = np.random.default_rng(n).normal(0.4, 1, n)
    assert sign_p(differences) == pytest.approx(stats.binomtest(int((differences > 0).sum()), n).pvalue)


def test_equal_seeds_count_against_a_difference():
    assert sign_p(np.array([0.0, 0.0, 0.0, 1.0])) == sign_p(np.zeros(3)) == 1.0
    assert sign_p(np.array([0.0, *[1.0] * 8])) == pytest.approx(stats.binomtest(1, 9).pvalue)


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=24))
def test_the_sign_test_and_the_interval_of_the_median_say_the_same(values: list[int]):
    """Where the test rejects, the median lies on the same side, and order statistics of its level leave out 0."""
    differences = np.sort(np.array(values, dtype=float))
    if sign_p(differences) < 0.05:
        fewer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
        low, high = differences[fewer], differences[-1 - fewer]
        assert np.median(differences) != 0 and (low > 0 or high < 0)
        assert (low > 0) == (np.median(differences) > 0)


def test_the_sign_test_needs_no_symmetry_of_differences():
    """Where only the median difference is 0, sign flips raise false alarms and signs do not."""
    random = np.random.default_rng(7)
    drawn = stats.lognorm(1.0).rvs((1000, 24), random_state=random) - 1.0
    assert np.mean([sign_p(row) < 0.05 for row in drawn]) <= 0.05 < np.mean([sign_flip_p(row) < 0.05 for row in drawn])


def test_the_same_difference_in_every_seed_has_a_permutation_test():
    found = paired_difference(dict.fromkeys(range(6), 2.0), dict.fromkeys(range(6), 1.0))
    assert math.isnan(found.p)
    assert found.permutation == found.by("permutation") == 2 / 2**6


def test_seeds_that_are_equal_but_for_rounding_are_equal():
    assert paired_difference({0: 0.1 + 0.2, 1: 1.0, 2: 2.0}, {0: 0.3, 1: 1.0, 2: 2.0}).permutation == 1.0


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (5, 8), (10, 9), (25, 10), (300, 14)])
def test_the_permutation_test_is_chosen_from_the_seeds_that_it_needs(comparisons: int, seeds: int):
    assert seeds_needed(comparisons) == seeds
    assert choose_test(seeds, comparisons) == "permutation"
    assert choose_test(seeds, comparisons, better="lower") == "sign"
    assert choose_test(seeds - 1, comparisons) == "t"
    # where it decides: with all signs alike it rejects after Holm's first step, and one seed fewer cannot
    assert comparisons * sign_flip_p(np.ones(seeds)) <= 0.05 < comparisons * sign_flip_p(np.ones(seeds - 1))


def test_a_family_has_a_comparison():
    with pytest.raises(ValueError, match="at least one comparison"):
        seeds_needed(0)


def test_the_standardised_difference_is_not_biased():
    random = np.random.default_rng(5)
    draws = random.normal(0.8, 1.0, (4000, 5)).tolist()
    zero = dict.fromkeys(range(5), 0.0)
    found = [standardised_difference(dict(enumerate(row)), zero).value for row in draws]
    plain = [np.mean(row) / np.std(row, ddof=1) for row in draws]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)
    assert np.mean(plain) > 0.9  # what the correction corrects


def test_without_spread_a_difference_has_no_standardised_size():
    found = standardised_difference({0: 2.0, 1: 2.0, 2: 2.0}, {0: 1.0, 1: 1.0, 2: 1.0})
    assert math.isnan(found.value)
    assert "no spread" in found.reason
