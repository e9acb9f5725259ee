"""Which trials are tried again."""

from __future__ import annotations

import statistics

import pytest

from ganbench.tuning.choosing import Tried, chosen, standard_error


def cost(settings):
    return settings["d_steps"]


def trial(number, d_steps, *scores, lost=()):
    return Tried(number, {"d_steps": d_steps, "g_lr": number}, scores, lost)


def test_the_standard_error_is_pooled_over_trials():
    trials = [trial(0, 1, 1.0, 3.0), trial(1, 1, 10.0, 14.0)]
    assert standard_error(trials) == pytest.approx((statistics.fmean([2.0, 8.0]) / 2) ** 0.5)
    assert standard_error([trial(0, 1, 5.0)]) == 0.0


def test_within_one_standard_error_of_the_best_the_cheapest_is_chosen_not_the_luckiest():
    lucky, cheap, bad = trial(0, 5, 1.0, 2.0), trial(1, 1, 1.4, 2.4), trial(2, 1, 8.0, 9.0)
    assert chosen([lucky, cheap, bad], "lower", cost, 1) == [cheap]
    assert chosen([lucky, cheap, bad], "lower", cost, 3) == [cheap, lucky, bad]
    clearly = trial(0, 5, 0.0, 1.0)
    assert chosen([clearly, cheap, bad], "lower", cost, 1) == [clearly]


def test_how_bad_settings_spread_says_nothing_of_good_ones():
    good = [trial(0, 5, 1.0, 1.1), trial(1, 3, 2.0, 2.1), trial(2, 3, 3.0, 3.1), trial(3, 1, 4.0, 4.1)]
    bad = [trial(number, 1, 0.0, 200.0) for number in range(4, 9)]
    assert chosen([*bad, *good], "lower", cost, 2) == good[:2]


def test_higher_can_be_better():
    assert [
        each.number for each in chosen([trial(0, 1, 3.0), trial(1, 1, 9.0), trial(2, 1, 5.0)], "higher", cost, 2)
    ] == [1, 2]


def test_a_trial_that_lost_a_seed_is_never_chosen_however_good_the_others_were():
    lost = trial(0, 1, 0.1, lost=("diverged",))
    assert chosen([lost, trial(1, 1, 5.0, 5.0)], "lower", cost, 2) == [trial(1, 1, 5.0, 5.0)]
    assert chosen([lost], "lower", cost, 2) == []


def test_equal_settings_count_once():
    twice = [Tried(number, {"d_steps": 2}, (1.0,)) for number in (4, 3)]
    assert [each.number for each in chosen(twice, "lower", cost, 5)] == [3]
