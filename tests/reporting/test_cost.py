"""Score against cost."""

import pytest

from ganbench.reporting.figures.cost import cost_figures, pareto
from ganbench.reporting.frame import load
from ganbench.reporting.ranking import rankings


@pytest.mark.parametrize(
    ("costs", "scores", "better", "front"),
    [
        ([1, 2, 3], [5, 4, 3], "lower", [0, 1, 2]),
        ([1, 2, 3], [5, 6, 3], "lower", [0, 2]),
        ([3, 2, 1], [5, 6, 3], "higher", [2, 1]),
        ([1, 1, 1], [5, 4, 4], "lower", [1]),
        ([2], [7], "higher", [0]),
        ([], [], "lower", []),
    ],
)
def test_the_front_has_those_that_no_other_beats_in_both(costs, scores, better, front):
    assert pareto(costs, scores, better) == front


def test_a_dear_contender_stands_to_the_right_in_every_cost_but_steps(builder):
    for seed in range(3):
        builder.add("wgan_gp", "digits", seed, quality=0.9)  # five D steps per G step
        builder.add("hinge", "digits", seed, quality=0.7)
    frame = load(builder.write())
    found = dict(cost_figures(frame, rankings(frame)[0]))
    assert list(found) == ["Seconds", "G steps", "Images seen by D"]  # nothing measured any energy
    seen = found["Images seen by D"].data.set_index("contender")["cost"]
    assert seen["wgan_gp"] == 5 * seen["hinge"] == 5 * 2000 * 64
    assert found["G steps"].data["cost"].nunique() == 1
    assert "Pareto" in found["Seconds"].caption and "n = 3" in found["Seconds"].caption


def test_a_contender_alone_has_nothing_to_be_held_against(builder):
    builder.add("hinge", "digits", 0)
    frame = load(builder.write())
    assert cost_figures(frame, rankings(frame)[0]) == []
