"""The losses on logits against hand-computed values and the papers' formulas, with sympy's derivatives."""

from __future__ import annotations

import math

import pytest
import sympy
import torch

from ganbench import losses
from ganbench.losses.softplus import softplus

REAL, FAKE = sympy.symbols("r0 r1"), sympy.symbols("f0 f1")
POINTS = [(2.0, -0.7, -0.9, 0.4), (0.3, -2.2, 3.1, -2.9)]


def sp(u):
    return sympy.log(1 + sympy.exp(u))


def sigmoid(u):
    return 1 / (1 + sympy.exp(-u))


def relu(u):
    return sympy.Max(0, u)


def mean(terms):
    terms = list(terms)
    return sympy.Add(*terms) / len(terms)


def apart(of_real, of_fake, for_g):
    """L_D and L_G that look at one logit at a time."""
    return mean(map(of_real, REAL)) + mean(map(of_fake, FAKE)), mean(map(for_g, FAKE))


def paired(h):
    pairs = list(zip(REAL, FAKE, strict=True))
    return mean(h(r - f) for r, f in pairs), mean(h(f - r) for r, f in pairs)


def average(h):
    r_mean, f_mean = mean(REAL), mean(FAKE)
    return (
        mean(h(r - f_mean) for r in REAL) + mean(h(r_mean - f) for f in FAKE),
        mean(h(f - r_mean) for f in FAKE) + mean(h(f_mean - r) for r in REAL),
    )


def square(target):
    return lambda u: (u - target) ** 2 / 2


# kind: T(v) and f*(t), as tables 2 and 6 of arXiv:1606.00709 print them, with exp(-v) in T so that it increases
F_GAN = {
    "kl": (lambda v: v, lambda t: sympy.exp(t - 1)),
    "reverse_kl": (lambda v: -sympy.exp(-v), lambda t: -1 - sympy.log(-t)),
    "pearson": (lambda v: v, lambda t: t**2 / 4 + t),
    "neyman": (lambda v: 1 - sympy.exp(-v), lambda t: 2 - 2 * sympy.sqrt(1 - t)),
    "squared_hellinger": (lambda v: 1 - sympy.exp(-v), lambda t: t / (1 - t)),
    "jensen_shannon": (lambda v: sympy.log(2) - sp(-v), lambda t: -sympy.log(2 - sympy.exp(t))),
    "gan": (lambda v: -sp(-v), lambda t: -sympy.log(1 - sympy.exp(t))),
}


def f_gan(kind, game):
    output, conjugate = F_GAN[kind]
    minimax = game == "minimax"
    return apart(
        lambda r: -output(r),
        lambda f: conjugate(output(f)),
        (lambda f: -conjugate(output(f))) if minimax else (lambda f: -output(f)),
    )


DEFINITIONS = {
    "minimax": apart(lambda r: sp(-r), sp, lambda f: -sp(f)),
    "non_saturating": apart(lambda r: sp(-r), sp, lambda f: sp(-f)),
    "non_saturating real_label=0.9 fake_label=0.2": apart(
        lambda r: 0.9 * sp(-r) + 0.1 * sp(r), lambda f: 0.2 * sp(-f) + 0.8 * sp(f), lambda f: sp(-f)
    ),
    "least_squares": apart(square(1), square(0), square(1)),
    "least_squares a=-1.0 c=0.0": apart(square(1), square(-1), square(0)),
    "least_squares on=probability": apart(
        lambda r: square(1)(sigmoid(r)), lambda f: square(0)(sigmoid(f)), lambda f: square(1)(sigmoid(f))
    ),
    "hinge": apart(lambda r: relu(1 - r), lambda f: relu(1 + f), lambda f: -f),
    "hinge margin=2.5": apart(lambda r: relu(2.5 - r), lambda f: relu(2.5 + f), lambda f: -f),
    "wasserstein": apart(lambda r: -r, lambda f: f, lambda f: -f),
    "relativistic_paired": paired(lambda u: sp(-u)),
    "relativistic_paired kind=hinge margin=2.0": paired(lambda u: relu(2 - u)),
    "relativistic_paired kind=least_squares": paired(lambda u: (u - 1) ** 2),
    "relativistic_average": average(lambda u: sp(-u)),
    "relativistic_average kind=hinge margin=2.0": average(lambda u: relu(2 - u)),
    "relativistic_average kind=least_squares": average(lambda u: (u - 1) ** 2),
    **{
        f"f_divergence kind={kind} game={game}": f_gan(kind, game)
        for kind in F_GAN
        for game in ("minimax", "non_saturating")
    },
}


@pytest.mark.parametrize(
    ("name", "parameters", "l_d", "l_g"),
    [
        ("minimax", {}, 0.440190, -0.313262),
        ("non_saturating", {}, 0.440190, 1.313262),
        ("least_squares", {}, 1.0, 2.0),
        ("hinge", {}, 0.0, 1.0),
        ("wasserstein", {}, -3.0, 1.0),
        ("relativistic_paired", {}, 0.048587, 3.048587),
        # all logits equal, so r - E f = 3 everywhere: sp(-3) twice
        ("relativistic_average", {}, 0.097175, 6.097175),
        ("relativistic_average", {"kind": "hinge"}, 0.0, 8.0),
        ("relativistic_average", {"kind": "least_squares"}, 8.0, 32.0),
        # -(2 - e^-2) and -(-1)
        ("f_divergence", {"kind": "kl"}, -1.864665, 1.0),
        ("f_divergence", {"kind": "kl", "game": "minimax"}, -1.864665, -0.135335),
        # e^-2 + (-1 - 1) and -(-1 - 1), and e
        ("f_divergence", {"kind": "reverse_kl", "game": "minimax"}, -1.864665, 2.0),
        ("f_divergence", {"kind": "reverse_kl"}, -1.864665, 2.718282),
        # -(2 - (1/4 - 1))
        ("f_divergence", {"kind": "pearson"}, -2.75, 1.0),
        # -(1 - e^-2) + 2 - 2 e^.5 and -(1 - e)
        ("f_divergence", {"kind": "neyman"}, -2.162107, 1.718282),
        # -(1 - e^-2) + e^-1 - 1
        ("f_divergence", {"kind": "squared_hellinger"}, -1.496785, 1.718282),
        # minimax less 2 log 2, and sp(1) - log 2
        ("f_divergence", {"kind": "jensen_shannon"}, -0.946104, 0.620115),
        ("f_divergence", {"kind": "gan"}, 0.440190, 1.313262),
    ],
)
def test_values_computed_by_hand(name, parameters, l_d, l_g):
    loss = losses.create(name, **parameters)
    real, fake = torch.full((5,), 2.0), torch.full((5,), -1.0)
    assert loss.discriminator(real, fake).item() == pytest.approx(l_d, abs=2e-6)
    assert loss.generator(real, fake).item() == pytest.approx(l_g, abs=2e-6)


def test_values_and_gradients_equal_the_formula(scalar):
    for formula, compute in zip(DEFINITIONS[scalar.id], (scalar.d, scalar.g), strict=True):
        said = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
        value = compute(said[:, :2], said[:, 2:])
        (slopes,) = torch.autograd.grad(value.sum(), said)
        for i, point in enumerate(POINTS):
            at = dict(zip((*REAL, *FAKE), point, strict=True))
            assert value[i].item() == pytest.approx(float(formula.subs(at)), rel=1e-12, abs=1e-12)
            for variable, found in zip(at, slopes[i].tolist(), strict=True):
                expected = float(sympy.diff(formula, variable).subs(at))
                assert found == pytest.approx(expected, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("real_label", "fake_label"), [(1.0, 1.0), (0.0, 0.0)])
def test_equilibrium_of_equal_hard_targets_is_zero(real_label, fake_label):
    assert losses.create("non_saturating", real_label=real_label, fake_label=fake_label).equilibrium == 0


@pytest.mark.parametrize("offset", [3.0, -4.0])
def test_equilibrium_of_probabilities_stays_within_their_range(offset):
    loss = losses.create("least_squares", a=offset, b=offset + 1, on="probability")
    sure = torch.full((1,), math.copysign(1e3, offset), dtype=torch.float64)
    assert loss.discriminator(sure, sure).item() == pytest.approx(loss.equilibrium)


def test_softplus_is_exact_where_torchs_turns_linear():
    x = torch.tensor([-40.0, -20.0, 0.0, 20.0, 25.0, 40.0], dtype=torch.float64)
    exact = torch.tensor([float(sympy.N(sp(sympy.Rational(v)), 30)) for v in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(softplus(x), exact, rtol=1e-15, atol=0)
