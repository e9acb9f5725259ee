"""Objectives: what each recipe is made of."""

from __future__ import annotations

import typing

import pytest

from ganbench import objectives
from ganbench.registry import Parameter, UnknownName

# name: loss, penalties, techniques, D steps
RECIPES: dict[str, tuple[str, list[str], list[str], int]] = {
    "hinge": ("hinge", [], [], 1),
    "goodfellow2014": ("minimax", [], [], 1),
    "nsgan": ("non_saturating", [], [], 1),
    "lsgan": ("least_squares", [], [], 1),
    "hinge_gan": ("hinge", [], [], 1),
    "dragan": ("non_saturating", ["gradient_penalty(at=perturbed)"], [], 1),
    "sngan": ("hinge", ["spectral_norm"], [], 1),
    "r1_gan": ("non_saturating", ["r1"], [], 1),
    "consensus_gan": ("non_saturating", ["consensus"], [], 1),
    "lecam_gan": ("hinge", ["lecam"], [], 1),
    "wgan": ("wasserstein", ["weight_clip"], [], 5),
    "wgan_gp": ("wasserstein", ["gradient_penalty"], [], 5),
    "wgan_lp": ("wasserstein", ["gradient_penalty(one_sided=True)"], [], 5),
    "wgan_div": ("wasserstein", ["wgan_div"], [], 4),
    "rsgan": ("relativistic_paired", [], [], 1),
    "ragan": ("relativistic_average", [], [], 1),
    "rahinge": ("relativistic_average(kind=hinge)", [], [], 1),
    "rals": ("relativistic_average(kind=least_squares)", [], [], 1),
    "r3gan": ("relativistic_paired", ["r1(gamma=1.0)", "r2(gamma=1.0)"], [], 1),
    "fgan_kl": ("f_divergence", [], [], 1),
    "fgan_reverse_kl": ("f_divergence(kind=reverse_kl)", [], [], 1),
    "fgan_pearson": ("f_divergence(kind=pearson)", [], [], 1),
    "fgan_neyman": ("f_divergence(kind=neyman)", [], [], 1),
    "fgan_squared_hellinger": ("f_divergence(kind=squared_hellinger)", [], [], 1),
    "fgan_jensen_shannon": ("f_divergence(kind=jensen_shannon)", [], [], 1),
    "fgan_gan": ("f_divergence(kind=gan)", [], [], 1),
    "mmd_gan": ("mmd", ["gradient_penalty(weight=1.0)"], [], 5),
    "cramer_gan": ("cramer", ["gradient_penalty"], [], 5),
    "ebgan": ("energy(pulling_away=0.1)", [], [], 1),
    "began": ("boundary_equilibrium", [], [], 1),
    "diffaug_gan": ("hinge", [], ["diff_augment"], 1),
    "bcr_gan": ("non_saturating", ["spectral_norm", "consistency(fake=10.0)"], [], 1),
    "icr_gan": ("non_saturating", ["spectral_norm", "consistency(fake=10.0)", "latent_consistency"], [], 1),
    "pacgan": ("non_saturating", [], ["packing"], 1),
    "unrolled_gan": ("minimax", [], ["unrolled"], 1),
    "acgan": ("non_saturating", [], ["auxiliary_classifier"], 1),
    "infogan": ("non_saturating", [], ["mutual_information"], 1),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_loss_with_penalties_techniques_and_d_steps(name: str) -> None:
    made = objectives.create(name)
    penalties, techniques = [part.label for part in made.penalties], [part.label for part in made.techniques]
    assert (made.loss.label, penalties, techniques, made.d_steps) == RECIPES[name]


def test_every_recipe_is_looked_at_here() -> None:
    assert set(objectives.registry.names()) <= RECIPES.keys()


def another(parameter: Parameter) -> object:
    """Return a value that the parameter does not have by default."""
    if typing.get_origin(parameter.type) is typing.Literal:
        return next(value for value in typing.get_args(parameter.type) if value != parameter.default)
    if isinstance(parameter.default, bool):
        return not parameter.default
    return parameter.default + 1 if isinstance(parameter.default, int) else parameter.default / 2


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field) for name in objectives.registry.names() for field in objectives.registry.parameters(name)],
)
def test_every_parameter_of_a_recipe_reaches_the_objective(name: str, field: str) -> None:
    value = another(objectives.registry.parameters(name)[field])
    plain, changed = objectives.create(name), objectives.create(name, **{field: value})
    if field == "d_steps":
        assert (changed.as_json(), changed.d_steps) == (plain.as_json(), value)
        return
    assert changed.d_steps == plain.d_steps
    parts = [(part, other) for one, two in _pairs(plain, changed) for part, other in zip(one, two, strict=True)]
    differing = {
        key
        for part, other in parts
        for key, given in other.parameters.items()
        if given != part.parameters[key] and given == value
    }
    assert differing == {field}


def _pairs(plain: objectives.Objective, changed: objectives.Objective):
    return (
        ((plain.loss,), (changed.loss,)),
        (plain.penalties, changed.penalties),
        (plain.techniques, changed.techniques),
    )


def test_a_wrong_name_is_told_with_the_nearest_of_recipes_and_losses() -> None:
    with pytest.raises(UnknownName, match="did you mean 'r3gan'"):
        objectives.create("r3gam")
    with pytest.raises(UnknownName, match="did you mean 'least_squares'"):
        objectives.create("least_square")
