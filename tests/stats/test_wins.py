import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ganbench.stats import beats, beats_matrix

Scores = st.lists(st.none() | st.integers(0, 9).map(float), min_size=1, max_size=12)


@pytest.mark.parametrize(("n", "m"), [(5, 5), (8, 6), (3, 10)])
def test_the_chance_is_mann_whitneys_u(n: int, m: int):
    random = np.random.default_rng(n)
    a, b = random.integers(0, 6, n).tolist(), random.integers(0, 6, m).tolist()
    expected = stats.mannwhitneyu(a, b).statistic / (n * m)
    assert beats(a, b, "higher").value == pytest.approx(expected)
    assert beats(a, b, "lower").value == pytest.approx(1 - expected)


def test_a_lost_seed_loses_against_any_score_and_ties_with_another():
    assert beats([1.0], [None], "lower").value == 1.0
    assert beats([math.nan], [1e9], "lower").value == 0.0
    assert beats([-math.inf], [1e9], "lower").value == 0.0
    assert beats([None], [math.nan], "higher").value == 0.5
    assert beats([1.0, None], [2.0, None], "lower").value == (1 + 1 + 0 + 0.5) / 4


@given(Scores, Scores, st.sampled_from(["lower", "higher"]))
def test_what_one_wins_the_other_loses(a, b, better):
    there, back = beats(a, b, better), beats(b, a, better)
    assert there.value + back.value == pytest.approx(1)
    assert there.offered is (min(len(a), len(b)) >= 5)
    if there.offered:
        assert 0 <= there.low <= there.value <= there.high <= 1
        assert (there.low, there.high) == pytest.approx((1 - back.high, 1 - back.low), abs=1e-9)


def test_who_always_wins_is_not_sure_to():
    found = beats([1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0], "lower")
    # Jeffreys' bound of 5 of 5: Brown, Cai and DasGupta (2001)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, 5.5, 0.5))


def test_no_seed_has_no_chance():
    assert math.isnan(beats([], [1.0], "lower").value)
    with pytest.raises(ValueError, match="confidence"):
        beats([1.0], [2.0], "lower", 95)


def test_the_matrix_holds_every_two_contenders_both_ways():
    found = beats_matrix({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [None, None]}, "lower")
    assert {row: {name: one.value for name, one in others.items()} for row, others in found.items()} == {
        "a": {"b": 1.0, "c": 1.0},
        "b": {"a": 0.0, "c": 1.0},
        "c": {"a": 0.0, "b": 0.0},
    }
