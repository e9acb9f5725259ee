"""The bounds of f-GAN against the divergences that they bound, and what they do where exponentials overflow."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, minimize_scalar
from scipy.special import rel_entr

from ganbench import losses
from ganbench.losses.variational_bounds import BOUNDS, Kind

KINDS = get_args(Kind)

# the convex function of each, on u > 0: the last two are u log u - (u + 1) log(u + 1), without its cancellation
F = {
    "kl": lambda u: u * math.log(u),
    "reverse_kl": lambda u: -math.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "neyman": lambda u: (1 - u) ** 2 / u,
    "squared_hellinger": lambda u: (math.sqrt(u) - 1) ** 2,
    "jensen_shannon": lambda u: (u + 1) * math.log(2) - u * math.log1p(1 / u) - math.log1p(u),
    "gan": lambda u: -u * math.log1p(1 / u) - math.log1p(u),
}

# Two distributions on three points, as batches that hold each point as often as it is likely.
REAL_COUNTS, FAKE_COUNTS = np.array([6, 3, 1]), np.array([2, 3, 5])
P, Q = REAL_COUNTS / 10, FAKE_COUNTS / 10
M = (P + Q) / 2
TWICE_JENSEN_SHANNON = rel_entr(P, M).sum() + rel_entr(Q, M).sum()
BOUNDED = {
    "kl": rel_entr(P, Q).sum(),
    "reverse_kl": rel_entr(Q, P).sum(),
    "pearson": ((P - Q) ** 2 / Q).sum(),
    "neyman": ((P - Q) ** 2 / P).sum(),
    "squared_hellinger": ((np.sqrt(P) - np.sqrt(Q)) ** 2).sum(),
    "jensen_shannon": TWICE_JENSEN_SHANNON,
    "gan": TWICE_JENSEN_SHANNON - 2 * math.log(2),
}


def best_l_d(loss) -> float:
    """The least L_D of any D on the three points."""
    real, fake = (torch.repeat_interleave(torch.arange(3), torch.tensor(n)) for n in (REAL_COUNTS, FAKE_COUNTS))

    def value_and_slope(logits):
        table = torch.tensor(logits, requires_grad=True)
        value = loss.discriminator(table[real], table[fake])
        return value.item(), torch.autograd.grad(value, table)[0].numpy()

    return minimize(value_and_slope, np.full(3, 0.1), jac=True, tol=1e-10).fun


@pytest.mark.parametrize("kind", KINDS)
def test_the_best_d_reaches_the_divergence_that_the_loss_is_named_after(kind):
    loss = losses.create("f_divergence", kind=kind)
    assert -best_l_d(loss) == pytest.approx(BOUNDED[kind], abs=1e-8)
    assert BOUNDS[kind].divergence.split("(")[0] in loss.divergence


def test_the_best_d_of_logistic_least_squares_and_hinge_reaches_what_they_say():
    logistic = TWICE_JENSEN_SHANNON - 2 * math.log(2)
    assert -best_l_d(losses.create("minimax")) == pytest.approx(logistic, abs=1e-8)
    triangular = ((P - Q) ** 2 / (P + Q)).sum()
    assert best_l_d(losses.create("least_squares")) == pytest.approx(1 / 4 - triangular / 8, abs=1e-8)
    # the hinge has corners, where gradients mislead a line search: each point's best logit is one of them
    hinge, variation = losses.create("hinge"), np.abs(P - Q).sum() / 2
    real, fake = (torch.tensor(np.repeat(np.sign(P - Q), n)) for n in (REAL_COUNTS, FAKE_COUNTS))
    assert hinge.discriminator(real, fake).item() == pytest.approx(2 * (1 - variation))


def test_pearsons_form_of_least_squares_is_what_the_paper_shows():
    loss = losses.create("least_squares", a=-1.0, b=1.0, c=0.0)
    assert "Pearson" in loss.divergence
    best = torch.tensor((P - Q) / (P + Q))  # (b p + a q) / (p + q)
    real, fake = (best.repeat_interleave(torch.tensor(n)) for n in (REAL_COUNTS, FAKE_COUNTS))
    # the paper adds E[(D(x) - c)^2] / 2 to L_G, which no G changes at a fixed D
    both = loss.generator(real, fake) + loss.generator(fake, real)
    assert 2 * both.item() == pytest.approx(((P + Q - 2 * Q) ** 2 / (P + Q)).sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("v", [-60.0, -21.0, -1.5, 0.0, 0.8, 19.0, 24.0, 60.0])
def test_f_star_is_the_conjugate_of_f_at_every_logit_the_tangents_included(kind, v):
    bound, logit = BOUNDS[kind], torch.tensor(v, dtype=torch.float64, requires_grad=True)
    output, conjugate = bound.output(logit), bound.conjugate(logit)
    slopes = [torch.autograd.grad(part, logit)[0].item() for part in (output, conjugate)]
    u = slopes[1] / slopes[0]  # f*'(T), the density ratio that this logit stands for
    if kind == "pearson" and v < -2:
        assert u < 0  # the parabola that the paper keeps
        return
    # Fenchel and Young: f(u) + f*(t) = u t exactly where u = f*'(t)
    scale = max(1.0, abs(u * output.item()))
    assert F[kind](u) + conjugate.item() == pytest.approx(u * output.item(), abs=1e-6 * scale)
    if abs(v) < 10:
        t = output.item()
        over = minimize_scalar(lambda w: F[kind](math.exp(w)) - t * math.exp(w), bounds=(-25, 25), method="bounded")
        assert conjugate.item() == pytest.approx(-over.fun, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_equilibrium_is_minus_f_of_one(kind):
    assert losses.create("f_divergence", kind=kind).equilibrium == pytest.approx(-F[kind](1.0), abs=1e-12)


@pytest.mark.parametrize("game", ["minimax", "non_saturating"])
def test_kind_gan_is_the_loss_of_that_game(game):
    ours, named = losses.create("f_divergence", kind="gan", game=game), losses.create(game)
    real, fake = torch.linspace(-50, 50, 200).reshape(2, 4, 25)
    assert torch.equal(ours.discriminator(real, fake), named.discriminator(real, fake))
    assert torch.equal(ours.generator(real, fake), named.generator(real, fake))


@pytest.mark.parametrize("kind", KINDS)
def test_output_and_conjugate_go_on_as_smooth_tangents_with_living_gradients(kind):
    for part in (BOUNDS[kind].output, BOUNDS[kind].conjugate):
        for join in (-20.0, 20.0):
            around = torch.tensor([join - 1e-7, join + 1e-7], dtype=torch.float64, requires_grad=True)
            (slopes,) = torch.autograd.grad(part(around).sum(), around)
            torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-5, atol=0)
        far = torch.tensor([[-1e4], [-36.0], [-21.5], [21.5], [36.0], [1e4]], dtype=torch.float64, requires_grad=True)
        (slopes,) = torch.autograd.grad(part(far).sum(), far)
        for i, at in enumerate(far.detach()):
            h = torch.tensor([1e-4 * abs(at.item())], dtype=torch.float64)
            numeric = (part(at + h) - part(at - h)) / (2 * h)
            torch.testing.assert_close(slopes[i], numeric, rtol=1e-4, atol=1e-9)


def test_exponentials_are_exact_up_to_twenty_and_linear_beyond():
    v = torch.tensor([-20.0, 0.0, 13.0, 20.0], dtype=torch.float64)
    torch.testing.assert_close(BOUNDS["kl"].conjugate(v), (v - 1).exp(), rtol=1e-15, atol=0)
    torch.testing.assert_close(BOUNDS["reverse_kl"].output(-v), -v.exp(), rtol=1e-15, atol=0)
    far = torch.tensor([120.0], dtype=torch.float64)
    assert BOUNDS["kl"].conjugate(far).item() == pytest.approx(math.exp(19) * (1 + 100))
