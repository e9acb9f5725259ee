"""What stands for seeds."""

import pytest

from ganbench.stats import centre, mean_interval, median_interval


def test_a_seed_that_collapsed_moves_no_centre_of_distances():
    usual = [10.0, 11.0, 12.0, 13.0, 14.0]
    collapsed = [*usual[:-1], 900.0]
    assert centre(usual, "lower").value == centre(collapsed, "lower").value == 12
    assert centre(collapsed, "lower") == median_interval(collapsed)


def test_shares_have_their_mean():
    shares = [0.7, 0.8, 0.75, 0.9, 0.85]
    assert centre(shares, "higher") == mean_interval(shares)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_few_seeds_have_a_centre_and_no_interval(better):
    found = centre([1.0, 2.0, 4.0], better)
    assert found.value == {"higher": 7 / 3, "lower": 2.0}[better] and not found.offered and "5 seeds" in found.reason
