from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ganbench.stats import all_pairs, holm, indistinct_groups

NAMES = "abcdef"
Apart = st.sets(st.sampled_from(list(combinations(NAMES, 2))))


def scores(random: np.random.Generator, means: dict[str, float], seeds: int) -> dict[str, dict[int, float]]:
    return {name: dict(enumerate(random.normal(mean, 1, seeds).tolist())) for name, mean in means.items()}


def test_all_pairs_are_corrected_together():
    found = all_pairs(given_scores := scores(np.random.default_rng(0), {"a": 0, "b": 0.2, "c": 3}, 5))
    p = [
        stats.ttest_rel(list(given_scores[a].values()), list(given_scores[b].values())).pvalue
        for a, b in combinations("abc", 2)
    ]
    assert found.test == "t"  # 3 comparisons need 7 seeds for the permutation test
    assert [(pair.a, pair.b) for pair in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.p for pair in found.pairs] == pytest.approx(holm(p))


def test_groups_say_who_cannot_be_told_apart():
    found = all_pairs(scores(np.random.default_rng(1), {"a": 0, "b": 0.2, "c": 9}, 8))
    assert found.test == "permutation"
    assert found.groups == (("a", "b"), ("c",))
    assert found.letters == {"a": "a", "b": "a", "c": "b"}


def test_a_pair_without_shared_seeds_is_not_told_apart_and_chooses_no_test():
    random = np.random.default_rng(2)
    given_scores = scores(random, {"a": 0, "b": 9}, 8)
    found = all_pairs({**given_scores, "c": {100: 5.0}})
    assert found.test == "permutation"
    assert found.groups == (("a", "c"), ("b", "c"))


def test_the_same_difference_in_every_seed_is_told_apart_where_seeds_are_enough():
    six, five, four = (
        all_pairs({name: dict.fromkeys(range(n), mean) for name, mean in (("a", 1.0), ("b", 2.0))}) for n in (6, 5, 4)
    )
    assert six.groups == five.groups == (("a",), ("b",))
    assert six.pairs[0].p == 2 / 2**6 and np.isnan(five.pairs[0].p)
    assert four.groups == (("a", "b"),)
    assert not any(found.alike for found in (six, five, four)), "four seeds that agree are no proof of equality"


def test_those_whose_every_pair_was_tested_and_not_told_apart_are_alike():
    assert all_pairs(scores(np.random.default_rng(3), dict.fromkeys("abc", 0.0), 8)).alike


def test_distances_are_told_apart_by_their_median_difference():
    """One seed in eight collapses: sign flips of the mean see nothing, signs see seven of eight seeds and more."""
    best = dict(enumerate([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 90.0]))
    worse = {seed: score + 0.5 for seed, score in best.items()} | {8: 2.0}
    longer = [{at + 9 * more: score for more in range(2) for at, score in one.items()} for one in (best, worse)]
    by_mean, by_median = (all_pairs(dict(zip("ab", longer, strict=True)), better=b) for b in ("higher", "lower"))
    assert (by_mean.test, by_mean.alike) == ("permutation", True)
    assert (by_median.test, by_median.groups) == ("sign", (("a",), ("b",)))
    assert by_median.pairs[0].difference.middle("lower").value == pytest.approx(-0.5)


def test_a_t_test_of_means_speaks_for_no_side_of_distances_whose_medians_differ_the_other_way():
    a, b = dict(enumerate([1.0, 1.0, 1.1])), dict(enumerate([0.99, 1.0 - 1e-3, 30.0]))
    (pair,) = all_pairs({"a": a, "b": b}, better="lower").pairs
    assert pair.difference.interval.value < 0 < pair.difference.median.value
    assert [pair.difference.side("lower", test) for test in ("t", "sign")] == [0, 1]
    assert pair.difference.side("higher", "t") == -1


def test_a_chain_has_overlapping_groups():
    assert indistinct_groups(list("abcd"), {("a", "c"), ("a", "d"), ("b", "d")}) == (("a", "b"), ("b", "c"), ("c", "d"))


@given(Apart)
def test_two_contenders_share_a_group_exactly_if_they_are_not_apart(apart):
    groups = indistinct_groups(list(NAMES), apart)
    shared = {pair for group in groups for pair in combinations(group, 2)}
    assert shared == set(combinations(NAMES, 2)) - apart
    assert {name for group in groups for name in group} == set(NAMES)
    for group in groups:  # largest: no one could join
        assert all(any(tuple(sorted((other, one))) in apart for one in group) for other in set(NAMES) - set(group))


def test_one_contender_is_a_group_and_none_has_none():
    assert all_pairs({"a": {0: 1.0}}).groups == (("a",),)
    assert all_pairs({}).groups == ()
