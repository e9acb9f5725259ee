import math

import pytest

from ganbench.reporting.stability import (
    VANISHED_GRADIENT_NORM,
    best_over_final,
    equilibrium_distance,
    oscillation,
    vanished_gradient_share,
)


@pytest.mark.parametrize(
    ("best", "final", "better", "expected"),
    [(5.0, 10.0, "lower", 0.5), (8.0, 6.0, "higher", 0.75), (8.0, 8.0, "higher", 1.0), (0.0, 0.0, "lower", 1.0)],
)
def test_best_over_final_says_how_much_was_kept(best: float, final: float, better: str, expected: float):
    assert best_over_final(best, final, better) == pytest.approx(expected)


def test_best_over_final_needs_both_scores():
    assert math.isnan(best_over_final(1.0, math.nan, "lower"))


def test_of_no_score_at_all_nothing_is_kept():
    assert math.isnan(best_over_final(0.0, 0.0, "higher"))
    assert best_over_final(0.0, 0.0, "lower") == 1.0


def test_oscillation_looks_at_the_second_half_only():
    assert oscillation([100.0, 0.0, 3.0, 3.0, 3.0]) == 0.0
    assert oscillation([0.0, 0.0, 0.0, 1.0, 2.0, 3.0]) == pytest.approx(math.sqrt(2 / 3) / 2)


@pytest.mark.parametrize(
    "scores", [[], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0], [1.0] * 3 + [None, None, 1.0], [0, 0, 0, -1, 0, 1]]
)
def test_oscillation_is_not_offered_where_it_means_nothing(scores):
    assert math.isnan(oscillation(scores))


def test_vanished_gradients_are_counted_where_they_are_known():
    norms = [VANISHED_GRADIENT_NORM / 2, 0.1, None, math.inf, 0.0]
    assert vanished_gradient_share([{"g_grad_norm": norm} for norm in norms]) == pytest.approx(2 / 3)
    assert math.isnan(vanished_gradient_share([]))


def test_equilibrium_distance_is_of_the_last_quarter():
    trace = [{"d_loss": loss} for loss in (9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 2.0)]
    assert equilibrium_distance(trace, 1.0) == pytest.approx(0.5)
    assert math.isnan(equilibrium_distance(trace, None))
    assert math.isnan(equilibrium_distance([*trace, {"d_loss": None}], 1.0))
    assert math.isnan(equilibrium_distance([], 1.0))
