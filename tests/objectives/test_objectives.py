"""Objectives: what each recipe is made of."""

from __future__ import annotations

import pytest

from ganbench import objectives
from ganbench.registry import UnknownName


@pytest.mark.parametrize(
    ("name", "loss", "penalties", "d_steps"),
    [
        ("hinge", "hinge", [], 1),
        ("wgan", "wasserstein", ["weight_clip"], 5),
        ("wgan_gp", "wasserstein", ["gradient_penalty"], 5),
        ("dragan", "non_saturating", ["gradient_penalty"], 1),
        ("sngan", "hinge", ["spectral_norm"], 1),
        ("r3gan", "relativistic_paired", ["r1", "r2"], 1),
    ],
)
def test_a_recipe_is_a_loss_with_penalties_and_d_steps(
    name: str, loss: str, penalties: list[str], d_steps: int
) -> None:
    made = objectives.create(name)
    assert (made.loss.name, [part.name for part in made.penalties], made.d_steps) == (loss, penalties, d_steps)


def test_recipes_hand_their_parameters_on() -> None:
    assert objectives.create("wgan_gp", weight=3.0, d_steps=2).penalties[0].parameters["weight"] == 3.0
    assert objectives.create("dragan").penalties[0].parameters["at"] == "perturbed"
    assert {part.parameters["gamma"] for part in objectives.create("r3gan", gamma=0.5).penalties} == {0.5}
    assert objectives.create("hinge", margin=2.0).loss.parameters["margin"] == 2.0


def test_a_wrong_name_is_told_with_the_nearest_of_recipes_and_losses() -> None:
    with pytest.raises(UnknownName, match="did you mean 'r3gan'"):
        objectives.create("r2gan")
    with pytest.raises(UnknownName, match="did you mean 'least_squares'"):
        objectives.create("least_square")
