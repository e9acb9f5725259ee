"""The losses against hand-computed values, sympy's derivatives, extreme logits and their own rows."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.abc import f, r

from ganbench import losses
from ganbench.losses.softplus import softplus


def sp(u):
    return sympy.log(1 + sympy.exp(u))


def sigmoid(u):
    return 1 / (1 + sympy.exp(-u))


def relu(u):
    return sympy.Max(0, u)


# name, parameters, L_D, L_G: of one pair of logits r and f, as the papers write them
DEFINITIONS = [
    ("minimax", {}, sp(-r) + sp(f), -sp(f)),
    ("non_saturating", {}, sp(-r) + sp(f), sp(-f)),
    (
        "non_saturating",
        {"real_label": 0.9, "fake_label": 0.2},
        0.9 * sp(-r) + 0.1 * sp(r) + 0.2 * sp(-f) + 0.8 * sp(f),
        sp(-f),
    ),
    ("least_squares", {}, (r - 1) ** 2 / 2 + f**2 / 2, (f - 1) ** 2 / 2),
    ("least_squares", {"a": -1.0, "c": 0.0}, (r - 1) ** 2 / 2 + (f + 1) ** 2 / 2, f**2 / 2),
    (
        "least_squares",
        {"on": "probability"},
        (sigmoid(r) - 1) ** 2 / 2 + sigmoid(f) ** 2 / 2,
        (sigmoid(f) - 1) ** 2 / 2,
    ),
    ("hinge", {}, relu(1 - r) + relu(1 + f), -f),
    ("hinge", {"margin": 2.5}, relu(2.5 - r) + relu(2.5 + f), -f),
    ("wasserstein", {}, f - r, -f),
    ("relativistic_paired", {}, sp(f - r), sp(r - f)),
    ("relativistic_paired", {"kind": "hinge", "margin": 2.0}, relu(2 - r + f), relu(2 - f + r)),
    ("relativistic_paired", {"kind": "least_squares"}, (r - f - 1) ** 2, (f - r - 1) ** 2),
]
NAMED = [(name, parameters) for name, parameters, _, _ in DEFINITIONS]


def label(value: object) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(
    ("name", "l_d", "l_g"),
    [
        ("minimax", 0.440190, -0.313262),
        ("non_saturating", 0.440190, 1.313262),
        ("least_squares", 1.0, 2.0),
        ("hinge", 0.0, 1.0),
        ("wasserstein", -3.0, 1.0),
        ("relativistic_paired", 0.048587, 3.048587),
    ],
)
def test_values_computed_by_hand(name: str, l_d: float, l_g: float):
    loss = losses.create(name)
    real, fake = torch.full((5,), 2.0), torch.full((5,), -1.0)
    assert loss.discriminator(real, fake).item() == pytest.approx(l_d, abs=1e-6)
    assert loss.generator(real, fake).item() == pytest.approx(l_g, abs=1e-6)


@pytest.mark.parametrize(("name", "parameters", "l_d", "l_g"), DEFINITIONS, ids=label)
def test_values_and_gradients_equal_the_formula(name, parameters, l_d, l_g):
    loss = losses.create(name, **parameters)
    points = [(2.0, -0.9), (-0.7, 0.4), (0.3, 3.1), (-2.2, -2.9)]
    for formula, compute in ((l_d, loss.discriminator), (l_g, loss.generator)):
        real = torch.tensor([[p[0]] for p in points], dtype=torch.float64, requires_grad=True)
        fake = torch.tensor([[p[1]] for p in points], dtype=torch.float64, requires_grad=True)
        value = compute(real, fake)
        slopes = torch.autograd.grad(value.sum(), (real, fake), allow_unused=True)
        for i, point in enumerate(points):
            at = dict(zip((r, f), point, strict=True))
            assert value[i].item() == pytest.approx(float(formula.subs(at)), rel=1e-12, abs=1e-12)
            for variable, slope in zip((r, f), slopes, strict=True):
                expected = float(sympy.diff(formula, variable).subs(at))
                found = 0.0 if slope is None else slope[i, 0].item()
                assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("name", "parameters"), NAMED, ids=label)
def test_gradients_equal_finite_differences(name, parameters):
    loss = losses.create(name, **parameters)
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(2, 5, dtype=torch.float64, generator=generator).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(loss.discriminator, (real, fake))
    assert torch.autograd.gradgradcheck(loss.discriminator, (real, fake))
    assert torch.autograd.gradcheck(loss.generator, (real, fake))


@pytest.mark.parametrize(("name", "parameters"), NAMED, ids=label)
def test_extreme_logits_give_finite_losses_and_gradients(name, parameters):
    loss = losses.create(name, **parameters)
    extremes = torch.tensor([-1e4, -100.0, -88.8, -20.0, 0.0, 20.0, 88.8, 100.0, 1e4])
    real = extremes.repeat_interleave(len(extremes)).requires_grad_()
    fake = extremes.repeat(len(extremes)).requires_grad_()
    for value in (loss.discriminator(real, fake), loss.generator(real, fake)):
        assert value.isfinite()
        slopes = torch.autograd.grad(value, (real, fake), allow_unused=True)
        assert all(slope.isfinite().all() for slope in slopes if slope is not None)


logits = st.floats(-50, 50, width=32)


@pytest.mark.parametrize(("name", "parameters"), NAMED, ids=label)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_each_cell_is_reduced_alone(name, parameters, data):
    loss = losses.create(name, **parameters)
    cells, batch = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    rows = st.lists(st.lists(logits, min_size=batch, max_size=batch), min_size=cells, max_size=cells)
    real, fake = (torch.tensor(data.draw(rows), dtype=torch.float64) for _ in range(2))
    for compute in (loss.discriminator, loss.generator):
        together = compute(real, fake)
        assert together.shape == (cells,)
        alone = torch.stack([compute(*pair) for pair in zip(real, fake, strict=True)])
        torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "parameters"), NAMED, ids=label)
def test_equilibrium_is_the_least_l_d_of_a_constant_d(name, parameters):
    loss = losses.create(name, **parameters)
    constant = torch.linspace(-12, 12, 240_001, dtype=torch.float64).unsqueeze(-1)
    assert loss.discriminator(constant, constant).min().item() == pytest.approx(loss.equilibrium, abs=1e-8)


@pytest.mark.parametrize(("real_label", "fake_label"), [(1.0, 1.0), (0.0, 0.0)])
def test_equilibrium_of_equal_hard_targets_is_zero(real_label, fake_label):
    assert losses.create("non_saturating", real_label=real_label, fake_label=fake_label).equilibrium == 0


@pytest.mark.parametrize("offset", [3.0, -4.0])
def test_equilibrium_of_probabilities_stays_within_their_range(offset):
    loss = losses.create("least_squares", a=offset, b=offset + 1, on="probability")
    sure = torch.full((1,), math.copysign(1e3, offset), dtype=torch.float64)
    assert loss.discriminator(sure, sure).item() == pytest.approx(loss.equilibrium)


@pytest.mark.parametrize(("name", "parameters"), NAMED, ids=label)
def test_needs_real_says_whether_g_looks_at_real_logits(name, parameters):
    loss = losses.create(name, **parameters)
    real, fake = torch.zeros(4, requires_grad=True), torch.linspace(-1, 1, 4).requires_grad_()
    (slope,) = torch.autograd.grad(loss.generator(real, fake), real, allow_unused=True)
    assert (slope is not None) == loss.needs_real


def test_saturation_is_where_minimax_and_non_saturating_differ():
    fake = torch.tensor([-20.0], requires_grad=True)
    (flat,) = torch.autograd.grad(losses.create("minimax").generator(fake, fake), fake)
    (steep,) = torch.autograd.grad(losses.create("non_saturating").generator(fake, fake), fake)
    assert abs(flat.item()) < 1e-8
    assert steep.item() == pytest.approx(-1)


def test_softplus_is_exact_where_torchs_turns_linear():
    x = torch.tensor([-40.0, -20.0, 0.0, 20.0, 25.0, 40.0], dtype=torch.float64)
    exact = torch.tensor([float(sympy.N(sp(sympy.Rational(v)), 30)) for v in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(softplus(x), exact, rtol=1e-15, atol=0)


@pytest.mark.parametrize(
    ("name", "parameters", "part"),
    [
        ("hinge", {"margin": 0.0}, "greater than 0"),
        ("non_saturating", {"real_label": 1.2}, "less than or equal to 1"),
        ("relativistic_paired", {"kind": "logistic", "margin": 2.0}, "no margin"),
        ("least_squares", {"on": "logits"}, "'logit' or 'probability'"),
        ("wasserstein", {"clip": 0.1}, "unknown parameter of wasserstein 'clip'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(name, parameters, part):
    with pytest.raises(ValueError, match=part):
        losses.create(name, **parameters)


@pytest.mark.parametrize("name", losses.names())
def test_docstring_names_source_and_both_losses(name):
    text = losses.registry.doc(name)
    assert "arXiv:" in text and "L_D = " in text and "L_G = " in text


def test_reading_the_plugins_does_not_import_torch():
    code = (
        "import sys\n"
        "from ganbench import architectures, losses, penalties\n"
        "for module in (architectures, losses, penalties):\n"
        "    for name in module.names():\n"
        "        module.create(name)\n"
        "        module.registry.doc(name)\n"
        "assert 'torch' not in sys.modules and 'mlflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
