"""The expected best score against the budget, and how wide the good region is."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest

from ganbench.stats.budgets import expected_best, median_best, share_near_best


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


def test_half_of_all_searches_reach_the_median_best():
    scores = [3.0, 1.0, 7.5, 2.0]
    for budget, found in enumerate(median_best(scores, "lower"), 1):
        drawn = [min(each) for each in itertools.product(scores, repeat=budget)]
        assert sum(best <= found.value for best in drawn) >= len(drawn) / 2
        assert sum(best < found.value for best in drawn) < len(drawn) / 2


def test_a_quantile_that_no_trial_bounds_is_open_and_a_trial_without_a_score_is_worse_than_any():
    scores = [float(score) for score in range(1, 17)]
    first, *_, last = median_best(scores, "lower")
    # The interval of a median of 16 values lies between the fourth and the thirteenth.
    assert (first.value, first.low, first.high) == (8.0, 4.0, 13.0)
    assert (last.value, last.low, last.high) == (1.0, -math.inf, 4.0)
    lost = median_best([*scores[:7], *[None] * 9], "lower")
    assert (lost[0].value, lost[0].low, lost[0].high) == (math.inf, 4.0, math.inf)
    assert lost[-1] == last
    mirrored = median_best([-score for score in scores], "higher")
    assert [(-one.value, -one.high, -one.low) for one in mirrored] == [
        (one.value, one.low, one.high) for one in median_best(scores, "lower")
    ]


@pytest.mark.parametrize("trials", [8, 16, 40])
def test_its_interval_holds_at_every_budget_where_a_third_of_the_trials_has_no_score(trials):
    random, times = np.random.default_rng(trials), 2000
    drawn = random.random((times, trials))
    budgets = np.arange(1, trials + 1)
    truth = 1 - 2 ** (-1 / budgets)  # of evenly spread scores; above 2/3 there is none
    covered = np.zeros(trials)
    for row in drawn:
        found = median_best([score if score < 2 / 3 else None for score in row.tolist()], "lower")
        covered += [one.low <= true <= one.high for one, true in zip(found, truth, strict=True)]
    assert (covered / times > 0.95 - 3 * math.sqrt(0.05 * 0.95 / times)).all()


def test_the_good_region_is_the_share_of_all_trials_within_a_tenth_of_the_best():
    assert share_near_best([1.0, 1.05, 1.2, None], "lower") == 0.5
    assert share_near_best([8.0, 7.3, 7.1], "higher") == pytest.approx(2 / 3)
    assert share_near_best([-10.0, -9.0, -8.0], "lower") == pytest.approx(2 / 3)
    assert share_near_best([0.0, 0.1], "lower") == 0.5
    assert math.isnan(share_near_best([None], "lower"))


def test_what_has_no_answer_is_refused():
    with pytest.raises(ValueError, match="one sign"):
        share_near_best([-1.0, 1.0], "lower")
    for function in (expected_best, median_best, share_near_best):
        with pytest.raises(ValueError, match="finite"):
            function([1.0, math.inf], "lower")
