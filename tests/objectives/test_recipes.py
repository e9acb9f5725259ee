"""What recipes claim: sources, settings, equations and equilibria."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import sympy
import torch
from scipy.optimize import minimize_scalar
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication_application,
    parse_expr,
    standard_transformations,
)

from ganbench import losses, objectives
from ganbench.objectives.f_divergence import WRITTEN
from ganbench.objectives.facts import facts
from ganbench.suite.settings import Train, check_field

NAMES = objectives.registry.names()
ARXIV = re.compile(r"arXiv:\d{4}\.\d{5}|arXiv:\d{4}\.\d{4}")


STATED = [name for name in NAMES if facts(name, objectives.registry).equilibrium is not None]


def test_no_recipe_has_the_name_of_a_loss() -> None:
    assert not set(NAMES) & set(losses.names())


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_has_equations_and_the_papers_numbers_and_fits_a_terminal(name: str) -> None:
    doc = objectives.registry.doc(name)
    papers = ARXIV.findall(objectives.registry.get(name).source)
    assert papers and set(papers) <= set(ARXIV.findall(doc))
    assert papers[0] in doc.splitlines()[0], "the first line is what a list shows"
    assert "L_D = " in doc and "L_G = " in doc
    assert max(map(len, doc.splitlines())) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_recommended_settings_are_settings_and_cannot_be_changed(name: str) -> None:
    settings = objectives.recommended(name)
    assert {key: check_field(Train, key, value) for key, value in settings.items()} == settings
    if settings:
        with pytest.raises(TypeError):
            settings["g_lr"] = 1.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("wgan", {"optimiser": "rmsprop", "g_lr": 5e-5, "d_lr": 5e-5, "batch_size": 64}),
        ("wgan_gp", {"optimiser": "adam", "g_lr": 1e-4, "d_lr": 1e-4, "betas": (0.0, 0.9)}),
        ("acgan", {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 100}),
        ("cramer_gan", {}),
    ],
)
def test_settings_are_those_of_the_source_and_no_more(name: str, published: dict[str, object]) -> None:
    assert objectives.recommended(name) == published


def constant(loss: Any, value: float) -> torch.Tensor:
    """Return what a D that says the same of every sample says of a batch of eight."""
    if hasattr(loss, "features"):
        said = torch.full((8, loss.features + (loss.critic == "autoencoder")), value, dtype=torch.float64)
        return said.clamp(min=0) if loss.critic == "autoencoder" else said
    return torch.full((8,), value, dtype=torch.float64)


@pytest.mark.parametrize("name", STATED)
def test_at_the_equilibrium_the_best_constant_d_has_the_stated_loss(name: str) -> None:
    stated, loss = facts(name).equilibrium, objectives.create(name).loss.create()

    def l_d(value: float) -> float:
        said = constant(loss, value)
        return float(loss.discriminator(said, said))

    best = minimize_scalar(l_d, bounds=(-8, 8), method="bounded", options={"xatol": 1e-9})
    assert best.fun == pytest.approx(stated, abs=1e-7)


def test_only_began_has_no_equilibrium_of_its_own() -> None:
    assert set(NAMES) - set(STATED) == {"began"}


@pytest.mark.parametrize("game", ["minimax", "non_saturating"])
@pytest.mark.parametrize(("name", "lower_by"), [("fgan_gan", 0.0), ("fgan_jensen_shannon", 2 * math.log(2))])
def test_two_of_the_f_gans_are_the_first_gan_by_another_name(name: str, lower_by: float, game: str) -> None:
    real, fake = torch.randn(2, 3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one = objectives.create(name, game=game).loss.create()
    other = objectives.create({"minimax": "goodfellow2014", "non_saturating": "nsgan"}[game]).loss.create()
    torch.testing.assert_close(one.discriminator(real, fake), other.discriminator(real, fake) - lower_by)
    shift = lower_by / 2 * (1 if game == "minimax" else -1)
    torch.testing.assert_close(one.generator(real, fake), other.generator(real, fake) + shift)


def formula(text: str) -> sympy.Expr:
    """Read a formula as it is printed."""
    rules = (*standard_transformations, convert_xor, implicit_multiplication_application)
    u, v = sympy.symbols("u v", real=True)
    return parse_expr(text, {"u": u, "v": v, "sp": sympy.Lambda(v, sympy.log(1 + sympy.exp(v)))}, transformations=rules)


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("ratio", [0.3, 1.0, 4.5])
def test_the_printed_formulas_of_an_f_gan_fit_together_and_are_what_is_computed(kind: str, ratio: float) -> None:
    written = WRITTEN[kind]  # type: ignore[index]
    f, output, conjugate = formula(written.f), formula(written.output), formula(written.conjugate)
    u, v = sympy.symbols("u v", real=True)
    best = float(formula(written.best).subs(u, ratio))
    slope, value = float(sympy.diff(f, u).subs(u, ratio)), float(f.subs(u, ratio))
    t, t_conjugate = float(output.subs(v, best)), float(conjugate.subs(v, best))
    assert t == pytest.approx(slope), "D's best T is f'(u)"
    assert t_conjugate == pytest.approx(ratio * slope - value), "f*(f'(u)) = u f'(u) - f(u)"

    loss = objectives.create(f"fgan_{kind}").loss.create()
    zero, logit = torch.zeros(4, dtype=torch.float64), torch.full((4,), best, dtype=torch.float64)
    nothing = float(loss.discriminator(zero, zero))
    of_real = nothing - float(loss.discriminator(logit, zero)) + float(output.subs(v, 0))
    of_fake = float(loss.discriminator(zero, logit)) - nothing + float(conjugate.subs(v, 0))
    assert (of_real, of_fake) == pytest.approx((t, t_conjugate))
    assert float(loss.generator(zero, logit)) == pytest.approx(-t)
    minimax = objectives.create(f"fgan_{kind}", game="minimax").loss.create()
    assert float(minimax.generator(zero, logit)) == pytest.approx(-t_conjugate)
