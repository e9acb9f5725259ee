import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.stats import Curve, performance_profiles

CELLS = {
    "a": {"x": [1.0, 2.0], "y": [8.0, 10.0]},
    "b": {"x": [3.0, None], "y": [4.0, math.nan]},
}


def test_factors_of_the_best_by_hand():
    assert performance_profiles(CELLS, "lower") == {
        "a": Curve((1.0, 2.0, 2.5), (0.25, 0.75, 1.0), 4),
        "b": Curve((1.0, 3.0), (0.25, 0.5), 4),
    }
    assert performance_profiles(CELLS, "higher") == {
        "a": Curve((1.0, 1.25, 1.5, 3.0), (0.25, 0.5, 0.75, 1.0), 4),
        "b": Curve((1.0, 2.5), (0.25, 0.5), 4),
    }


def test_a_best_of_0_is_within_a_factor_of_itself_alone():
    found = performance_profiles({"a": {"x": [0.0, 1.0]}, "b": {"x": [2.0, 0.0]}}, "lower")
    assert found["a"] == found["b"] == Curve((1.0,), (0.5,), 2)


def test_where_all_are_lost_none_is_near_the_best():
    assert performance_profiles({"a": {"x": [None, None]}}, "lower") == {"a": Curve((), (), 2)}


def test_negative_scores_have_no_factor():
    with pytest.raises(ValueError, match="negative score on x"):
        performance_profiles({"a": {"x": [-1.0, 2.0]}}, "lower")


def test_a_dataset_with_more_seeds_counts_no_more():
    found = performance_profiles({"a": {"x": [1.0] * 9, "y": [2.0]}, "b": {"x": [1.0], "y": [1.0]}}, "lower")
    assert found["a"].share == (0.5, 1.0)


@given(
    st.dictionaries(
        st.sampled_from("abc"), st.lists(st.none() | st.floats(0.1, 10), min_size=1, max_size=6), min_size=1
    )
)
def test_profiles_rise_to_the_share_that_was_not_lost(scores):
    for name, curve in performance_profiles({name: {"x": mine} for name, mine in scores.items()}, "lower").items():
        assert list(curve.share) == sorted(curve.share)
        assert all(factor >= 1 for factor in curve.at)
        kept = sum(score is not None for score in scores[name]) / len(scores[name])
        assert (curve.share[-1] if curve.share else 0.0) == pytest.approx(kept)


def test_contenders_on_different_datasets_are_not_compared():
    with pytest.raises(ValueError, match="b has"):
        performance_profiles({"a": {"x": [1.0]}, "b": {"y": [1.0]}}, "lower")
