import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.stats import Curve, median_interval, median_time, reached, restricted_mean, time_to_target

INF = math.inf


def test_the_first_score_that_is_good_enough_counts():
    steps, scores = [100, 200, 300, 400], [5.0, math.nan, 2.0, 3.0]
    assert time_to_target(steps, scores, 2.0, "lower") == 300
    assert time_to_target(steps, scores, 4.0, "higher") == 100
    assert time_to_target(steps, scores, 1.0, "lower") == INF
    assert time_to_target([1, 2], [-INF, 1.0], 2.0, "lower") == 2  # a score that is not finite reaches nothing
    assert time_to_target([], [], 1.0, "lower") == INF


def test_shares_by_hand():
    assert reached([3.0, 1.0, None, 3.0, INF]) == Curve((1.0, 3.0), (0.2, 0.6), 5)
    assert reached([3.0, 1.0, None, 3.0, INF], budget=2.0) == Curve((1.0,), (0.2,), 5)
    assert reached([None, None]) == Curve((), (), 2)
    assert reached([]) == Curve((), (), 0)


def test_the_median_time_is_infinite_where_half_never_arrive():
    found = median_time([1.0, 2.0, None, None, None])
    assert (found.value, found.low, found.high) == (INF, 1.0, INF)
    assert median_time([None] * 6).low == INF
    tied = median_time([100.0, 100.0, 100.0, 200.0, None])  # all seen at the same evaluation
    assert tied.value == 100.0 and not tied.offered and "the same numbers" in tied.reason
    found = median_time([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None])
    assert found.value == 4.5 and found.high == INF and 1.0 < found.low < 2.0
    assert not median_time([1.0, 2.0, 3.0, None]).offered


def test_the_median_of_times_that_all_arrive_is_the_median():
    times = np.random.default_rng(0).exponential(size=12).tolist()
    assert median_time(times) == median_interval(times)


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=12), st.floats(1, 200))
def test_the_restricted_mean_is_the_area_above_the_curve(times, budget):
    curve = reached(times, budget)
    widths, heights = np.diff([0.0, *curve.at, budget]), np.array([0.0, *curve.share])
    area = float(np.sum((1 - heights) * widths))
    assert restricted_mean(times, budget) == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("times", [[-1.0], [math.nan]])
def test_what_is_no_time_is_refused(times: list[float]):
    with pytest.raises(ValueError, match="times are 0 or more"):
        reached(times)
    with pytest.raises(ValueError, match="finite budget"):
        restricted_mean([1.0], INF)
