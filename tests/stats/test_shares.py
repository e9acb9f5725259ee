"""A share of a whole, from draws."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from ganbench.stats.shares import share_interval


def test_the_interval_is_that_of_clopper_and_pearson():
    for inside, draws in ((0, 8), (3, 16), (5, 5), (40, 128)):
        exact = stats.binomtest(inside, draws).proportion_ci(0.95, method="exact")
        found = share_interval(inside, draws)
        assert (found.value, found.n) == (inside / draws, draws)
        assert (found.low, found.high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_without_a_draw_there_is_none_and_more_inside_than_drawn_is_a_mistake():
    found = share_interval(0, 0)
    assert math.isnan(found.value) and not found.offered and found.n == 0
    with pytest.raises(ValueError, match="3 of 2 draws"):
        share_interval(3, 2)
