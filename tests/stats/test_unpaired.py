import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from ganbench.stats import (
    beats,
    choose_unpaired_test,
    permutation_p,
    rank_sum_p,
    smallest_unpaired_p,
    unpaired_difference,
)
from ganbench.stats.unpaired import DRAWN


def draws(a: int, b: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([a, b, seed])
    return random.normal(0, 1, a), random.normal(0.8, 2, b)


@pytest.mark.parametrize(("a", "b"), [(2, 2), (3, 5), (5, 5), (6, 12), (20, 5)])
def test_the_difference_is_welchs_as_in_scipy(a: int, b: int):
    left, right = draws(a, b)
    found, expected = unpaired_difference(left, right), stats.ttest_ind(left, right, equal_var=False)
    bounds = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.interval.value == pytest.approx(left.mean() - right.mean())
    assert found.interval.n == min(a, b) and found.interval.offered is (min(a, b) >= 5)
    if found.interval.offered:
        assert (found.interval.low, found.interval.high) == pytest.approx((bounds.low, bounds.high))


def test_scores_that_tie_have_no_interval_of_their_difference():
    found = unpaired_difference([8.0, 8.0, 7.0, 8.0, 8.0], [1.0, 2.0, 3.0, 4.0, 5.0]).interval
    assert found.value == pytest.approx(4.8) and not found.offered and "the same numbers" in found.reason


@pytest.mark.parametrize(("a", "b"), [(2, 3), (4, 4), (5, 3), (5, 5)])
def test_permutations_are_scipys_studentised_ones(a: int, b: int):
    for seed in range(3):
        left, right = draws(a, b, seed)
        every = stats.permutation_test(
            (left, right),
            lambda x, y: abs(stats.ttest_ind(x, y, equal_var=False).statistic),
            n_resamples=np.inf,
            alternative="greater",
        )
        assert permutation_p(left, right) == pytest.approx(every.pvalue)


@pytest.mark.parametrize(("a", "b"), [(4, 4), (6, 3), (5, 6)])
def test_the_rank_sum_is_scipys_exact_one(a: int, b: int):
    left, right = draws(a, b)
    expected = stats.mannwhitneyu(left, right, method="exact").pvalue
    for better in ("lower", "higher"):
        assert rank_sum_p(left.tolist(), right.tolist(), better) == pytest.approx(expected)


def test_a_lost_seed_ranks_after_every_score_and_ties_with_another():
    whole, lost = [1.0, 2.0, 3.0, 4.0], [None, math.nan, None, None]
    assert rank_sum_p(whole, lost, "lower") == rank_sum_p(whole, lost, "higher") == pytest.approx(2 / 70)
    assert rank_sum_p([None, 1.0], [1.0, None], "lower") == 1.0
    assert beats(whole, lost, "higher").value == 1.0
    assert math.isnan(rank_sum_p([], [1.0], "lower"))


def test_many_seeds_are_drawn_near_what_is_exact_and_the_same_each_time():
    left, right = draws(12, 12)
    p = permutation_p(left, right)
    assert p == permutation_p(left, right)
    assert p == pytest.approx(stats.ttest_ind(left, right, equal_var=False).pvalue, abs=0.02)
    assert permutation_p(left, left + 100) == 1 / (DRAWN + 1) == smallest_unpaired_p(12, 12)


def test_the_difference_of_medians_stands_beside_that_of_means_without_bounds():
    found = unpaired_difference([1.0, 2.0, 90.0], [3.0, 3.5, 4.0, 4.5]).median
    assert (found.value, found.n, found.offered) == (-1.75, 3, False) and "chance to win" in found.reason


def test_sides_without_spread():
    same, apart = unpaired_difference([8.0, 8.0], [8.0, 8.0, 8.0]), unpaired_difference([8.0] * 5, [7.0] * 5)
    assert (same.p, same.permutation, same.constant) == (1.0, 1.0, False)
    assert apart.constant and math.isnan(apart.p) and apart.permutation == pytest.approx(2 / math.comb(10, 5))
    one = unpaired_difference([8.0] * 5, [8.0, 8.0, 7.0, 8.0, 7.0])
    assert not one.constant and 0.1 < one.p < 0.4


@pytest.mark.parametrize(("a", "b"), [([], [1.0]), ([1.0], [1.0, 2.0]), ([1.0], [2.0])])
def test_fewer_than_two_seeds_are_not_tested(a: list[float], b: list[float]):
    found = unpaired_difference(a, b)
    assert math.isnan(found.p) and math.isnan(found.permutation) and not found.interval.offered


def test_a_score_that_is_not_finite_is_the_callers_error():
    with pytest.raises(ValueError, match="finite"):
        unpaired_difference([1.0, math.nan], [1.0, 2.0])


def test_permutations_are_chosen_where_they_can_decide():
    for n, comparisons in product(range(2, 9), (1, 6, 23)):
        decides = comparisons * 2 / math.comb(2 * n, n) <= 0.05
        assert choose_unpaired_test(n, n, comparisons) == ("permutation" if decides else "t")
    assert [choose_unpaired_test(n, n, c) for n, c in ((4, 1), (5, 6), (6, 23))] == ["permutation"] * 3


@pytest.mark.parametrize(("spread", "most"), [(1.0, 0.07), (3.0, 0.085)])
def test_equal_means_are_told_apart_about_once_in_twenty_also_where_spreads_differ(spread: float, most: float):
    random, times = np.random.default_rng(1), 600  # standard error .9 of a point
    found = [unpaired_difference(random.normal(0, 1, 5), random.normal(0, spread, 5)) for _ in range(times)]
    for test in ("t", "permutation"):
        assert np.mean([one.by(test) < 0.05 for one in found]) <= most
