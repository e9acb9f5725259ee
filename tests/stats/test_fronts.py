"""The Pareto front against brute force, with ties, and the places that stand for it."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.stats.fronts import pareto_front, spread


def dominates(one, other, better):
    no_worse = [a <= b if way == "lower" else a >= b for a, b, way in zip(one, other, better, strict=True)]
    return all(no_worse) and tuple(one) != tuple(other)


@st.composite
def clouds(draw):
    better = draw(st.lists(st.sampled_from(["lower", "higher"]), min_size=1, max_size=4))
    value = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))  # few numbers: ties are common
    points = draw(st.lists(st.tuples(*[value] * len(better)), max_size=30))
    return points, better


@given(clouds())
def test_it_is_what_comparing_all_pairs_gives(cloud):
    points, better = cloud
    wanted = [place for place, mine in enumerate(points) if not any(dominates(other, mine, better) for other in points)]
    assert pareto_front(points, better) == wanted
    # Every point that is left out is dominated by one of the front.
    for place in set(range(len(points))) - set(wanted):
        assert any(dominates(points[each], points[place], better) for each in wanted)


def test_equal_points_are_on_it_together_and_a_tie_in_one_value_is_none_in_the_other():
    points = [(1.0, 5.0), (2.0, 6.0), (1.0, 5.0), (1.0, 4.0), (3.0, 6.0)]
    assert pareto_front(points, ["lower", "higher"]) == [0, 1, 2]
    assert pareto_front(points, ["lower", "lower"]) == [3]
    assert pareto_front([(1.0, 1.0)] * 3, ["lower", "lower"]) == [0, 1, 2]
    assert pareto_front([], ["lower", "higher"]) == []


def test_one_value_has_the_best_points_as_its_front():
    assert pareto_front([(2.0,), (1.0,), (1.0,)], ["lower"]) == [1, 2]


@pytest.mark.parametrize("wrong", [[(1.0, math.nan)], [(1.0, math.inf)], [(1.0,)]])
def test_what_cannot_be_compared_is_refused(wrong):
    with pytest.raises(ValueError, match="pareto_front needs"):
        pareto_front(wrong, ["lower", "lower"])


@given(st.integers(0, 50), st.integers(1, 12))
def test_places_are_both_ends_and_evenly_between(length, most):
    found = spread(length, most)
    assert len(found) == min(length, most) and found == sorted(set(found))
    if length and most > 1:
        assert found[0] == 0 and found[-1] == length - 1
    if len(found) > 2:
        gaps = [later - earlier for earlier, later in itertools.pairwise(found)]
        assert max(gaps) - min(gaps) <= 1


def test_of_one_place_it_is_the_first_and_none_is_refused():
    assert spread(9, 1) == [0] and spread(5, 3) == [0, 2, 4]
    with pytest.raises(ValueError, match="one place or more"):
        spread(3, 0)
