"""The expected best score against the budget, and how wide the good region is."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest

from ganbench.stats.budgets import expected_best, share_near_best


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_it_is_the_mean_over_all_ways_to_draw(better):
    scores, pick = [3.0, 1.0, 7.5, 1.0], {"lower": min, "higher": max}[better]
    wanted = [statistics.fmean(map(pick, itertools.product(scores, repeat=b))) for b in range(1, 5)]
    assert expected_best(scores, better) == pytest.approx(wanted)


def test_one_trial_is_worth_the_mean_and_more_are_never_worth_less():
    scores = [0.4, 9.0, 2.0, 2.5, 30.0]
    found = expected_best(scores, "lower")
    assert found[0] == pytest.approx(statistics.fmean(scores))
    assert all(later < earlier for earlier, later in itertools.pairwise(found))
    assert found[-1] > min(scores)


def test_a_trial_without_a_score_counts_as_the_worst():
    assert expected_best([1.0, None, 5.0], "lower") == pytest.approx(expected_best([1.0, 5.0, 5.0], "lower"))
    assert expected_best([1.0, None, 5.0], "higher") == pytest.approx(expected_best([1.0, 1.0, 5.0], "higher"))
    assert expected_best([None], "lower") == ()


def test_the_good_region_is_the_share_of_all_trials_within_a_tenth_of_the_best():
    assert share_near_best([1.0, 1.05, 1.2, None], "lower") == 0.5
    assert share_near_best([8.0, 7.3, 7.1], "higher") == pytest.approx(2 / 3)
    assert share_near_best([-10.0, -9.0, -8.0], "lower") == pytest.approx(2 / 3)
    assert share_near_best([0.0, 0.1], "lower") == 0.5
    assert math.isnan(share_near_best([None], "lower"))


def test_what_has_no_answer_is_refused():
    with pytest.raises(ValueError, match="one sign"):
        share_near_best([-1.0, 1.0], "lower")
    for function in (expected_best, share_near_best):
        with pytest.raises(ValueError, match="finite"):
            function([1.0, math.inf], "lower")
