"""What settings of a trial make of a cell."""

from __future__ import annotations

import pytest

from ganbench import architectures, objectives
from ganbench.suite.settings import Train
from ganbench.suite.tunable import applied, value_in

MLP = architectures.registry.part("mlp", {})


def test_training_settings_halves_of_betas_and_a_ratio_of_rates():
    settings = {"g_lr": 1e-3, "d_lr/g_lr": 4.0, "beta1": 0.0, "d_steps": 3}
    _, _, train = applied(settings, objectives.create("hinge"), MLP, Train())
    assert (train.g_lr, train.d_lr, train.betas, train.d_steps) == (1e-3, 4e-3, (0.0, 0.999), 3)
    assert applied({"d_lr/g_lr": 2.0}, objectives.create("hinge"), MLP, Train(g_lr=0.1))[2].d_lr == 0.2
    both = applied({"lr": 0.3}, objectives.create("hinge"), MLP, Train())[2]
    assert both.g_lr == both.d_lr == 0.3


def test_a_tuned_parameter_is_the_same_objective_as_one_that_is_written():
    found = applied({"lambda": 3}, objectives.create("wgan_gp"), MLP, Train())[0]
    assert found.text == objectives.create("wgan_gp", weight=3.0).text
    assert (
        applied({"clip": 0.1}, objectives.create("wgan"), MLP, Train())[0].text == objectives.create("wgan", c=0.1).text
    )
    assert (
        applied({"margin": 2}, objectives.create("hinge"), MLP, Train())[0].text
        == objectives.create("hinge", margin=2.0).text
    )


def test_one_name_means_all_penalties_that_have_it_and_a_longer_one_a_single_one():
    both = objectives.create("r3gan", gamma=7.0)
    assert applied({"gamma": 7.0}, objectives.create("r3gan"), MLP, Train())[0].text == both.text
    one = applied({"r1.gamma": 7.0}, objectives.create("r3gan"), MLP, Train())[0]
    assert sorted(part.parameters["gamma"] == 7.0 for part in one.penalties) == [False, True]


def test_an_architecture_is_tuned_by_its_parameters():
    _, network, _ = applied({"d_norm": "batch"}, objectives.create("hinge"), MLP, Train())
    assert network == architectures.registry.part("mlp", {"d_norm": "batch"})


def test_what_the_whole_cannot_be_is_said():
    with pytest.raises(ValueError, match="d_lr"):
        applied({"d_lr/g_lr": -1.0}, objectives.create("hinge"), MLP, Train())


@pytest.mark.parametrize(
    ("objective", "settings"),
    [
        ("hinge", {"g_lr": 1e-3, "d_steps": 3, "beta1": 0.1, "d_lr/g_lr": 4.0, "margin": 2.0, "depth": 2}),
        ("wgan_gp", {"lr": 0.25, "lambda": 3.0, "batch_size": 8}),
        ("r3gan", {"gamma": 7.0, "r1.gamma": 7.0}),
    ],
)
def test_the_values_that_a_cell_has_are_those_that_were_put_in(objective, settings):
    whole = applied(settings, objectives.create(objective), MLP, Train())
    assert {name: value_in(name, *whole) for name in settings} == pytest.approx(settings)


def test_parts_with_different_values_have_no_one_value():
    whole = applied({"r1.gamma": 7.0}, objectives.create("r3gan", gamma=1.0), MLP, Train(g_lr=1e-3, d_lr=1e-4))
    assert value_in("gamma", *whole) is None and value_in("r1.gamma", *whole) == 7.0 and value_in("lr", *whole) is None
