"""Mistakes that codes in the wild make: each is written out here, and ours must differ from it where it matters."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ganbench import losses

REAL = torch.tensor([2.0, -0.5, 0.7, 3.0], dtype=torch.float64)
FAKE = torch.tensor([-1.0, 0.4, -2.2, 1.5], dtype=torch.float64)


def slope(compute, at):
    at = torch.tensor([at], requires_grad=True)
    return torch.autograd.grad(compute(at).sum(), at)[0].item()


def test_a_log_with_an_epsilon_kills_the_gradient_that_non_saturating_is_for():
    ours = losses.create("non_saturating")
    assert slope(lambda f: -(f.sigmoid() + 1e-8).log(), -20.0) > -0.3
    assert slope(lambda f: -(f.sigmoid() + 1e-8).log(), -30.0) > -1e-4
    for at in (-20.0, -30.0, -1e4):
        assert slope(lambda f: ours.generator(f, f), at) == pytest.approx(-1, abs=1e-6)


def test_saturation_is_where_minimax_and_non_saturating_differ():
    minimax, other = losses.create("minimax"), losses.create("non_saturating")
    assert abs(slope(lambda f: minimax.generator(f, f), -20.0)) < 1e-8
    assert slope(lambda f: other.generator(f, f), -20.0) == pytest.approx(-1)


def test_labels_are_targets_and_not_an_amount_of_smoothing():
    smoothing = 0.1

    def cross_entropy(real_target, fake_target):
        on_real = binary_cross_entropy_with_logits(REAL, torch.full_like(REAL, real_target))
        return (on_real + binary_cross_entropy_with_logits(FAKE, torch.full_like(FAKE, fake_target))).item()

    # Szegedy's smoothing, which some frameworks mean by the word: t (1 - s) + s / 2, for both targets
    szegedy = cross_entropy(1 * (1 - smoothing) + smoothing / 2, 0 * (1 - smoothing) + smoothing / 2)
    one_sided = cross_entropy(0.9, 0.0)
    assert szegedy != pytest.approx(one_sided, abs=0.02)
    ours = losses.create("non_saturating", real_label=0.9)
    assert ours.discriminator(REAL, FAKE).item() == pytest.approx(one_sided)
    named = losses.create("non_saturating", real_label=0.95, fake_label=0.05)
    assert named.discriminator(REAL, FAKE).item() == pytest.approx(szegedy)


def test_minimax_has_no_half_on_l_d():
    halved = (binary_cross_entropy_with_logits(REAL, torch.ones_like(REAL))) / 2
    halved = halved + binary_cross_entropy_with_logits(FAKE, torch.zeros_like(FAKE)) / 2
    for name in ("minimax", "non_saturating"):
        loss = losses.create(name)
        assert loss.discriminator(REAL, FAKE).item() == pytest.approx(2 * halved.item())
        assert loss.equilibrium == pytest.approx(2 * math.log(2))


def test_swapped_batches_or_a_turned_sign_push_the_wrong_way(scalar):
    middle = sum(scalar.span) / 2
    real, fake = (torch.full((3,), middle, dtype=torch.float64, requires_grad=True) for _ in range(2))
    for mistaken in (lambda: scalar.d(fake, real), lambda: -scalar.d(real, fake)):
        of_real, of_fake = torch.autograd.grad(mistaken(), (real, fake))
        assert not ((of_real < 0).all() and (of_fake > 0).all())
    (of_fake,) = torch.autograd.grad(-scalar.g(real, fake), fake)
    assert not (of_fake < 0).all()


def test_the_average_of_relativistic_losses_is_neither_halved_nor_of_pairs_nor_without_gradient():
    loss = losses.create("relativistic_average")
    halved = binary_cross_entropy_with_logits(REAL - FAKE.mean(), torch.ones_like(REAL))
    halved = (halved + binary_cross_entropy_with_logits(FAKE - REAL.mean(), torch.zeros_like(FAKE))) / 2
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(2 * halved.item())
    pairs = losses.create("relativistic_paired")
    assert loss.discriminator(REAL, FAKE).item() != pytest.approx(2 * pairs.discriminator(REAL, FAKE).item(), rel=0.02)
    fake = FAKE.clone().requires_grad_()
    (ours,) = torch.autograd.grad(loss.discriminator(REAL, fake), fake)
    detached = torch.nn.functional.softplus(fake - REAL.mean()).mean()
    (without,) = torch.autograd.grad(detached, fake)
    assert (ours - without).abs().min() > 0.01


@pytest.mark.parametrize("kind", ["reverse_kl", "neyman", "squared_hellinger"])
def test_exp_of_v_in_the_output_of_f_gan_turns_real_and_fake_round(kind):
    def mistaken(v):
        return -v.exp() if kind == "reverse_kl" else 1 - v.exp()

    loss = losses.create("f_divergence", kind=kind)
    assert slope(lambda r: -mistaken(r), 0.5) > 0
    assert slope(lambda r: loss.discriminator(r, torch.zeros(1)), 0.5) < 0


def test_exponentials_neither_overflow_nor_lose_their_gradient_to_a_clamp():
    loss = losses.create("f_divergence", kind="kl")
    real = torch.zeros(1)
    assert (torch.tensor([100.0]) - 1).exp().isinf()
    assert slope(lambda f: (f.clamp(max=20.0) - 1).exp(), 100.0) == 0
    assert slope(lambda f: loss.discriminator(real, f), 100.0) == pytest.approx(math.exp(19), rel=1e-5)


def test_mmd_without_the_diagonals_is_unbiased_and_with_them_is_not():
    stream = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 2000, 6, 2, generator=stream, dtype=torch.float64)

    def k(a, b):
        squared = torch.cdist(a, b).square()
        return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in (0.2, 0.5, 1, 2, 5))

    biased = k(x, x).mean((-2, -1)) + k(y, y).mean((-2, -1)) - 2 * k(x, y).mean((-2, -1))
    ours = losses.create("mmd").generator(x, y)
    error = ours.std() / math.sqrt(len(ours))
    assert biased.mean() > 50 * error
    assert ours.mean().abs() < 4 * error


def test_the_margin_of_energy_is_each_samples_and_not_the_batchs():
    margin, errors = 1.0, torch.tensor([0.0, 3.0], dtype=torch.float64)
    of_batch = (margin - errors.mean()).relu()
    said = torch.stack([errors, torch.zeros_like(errors)], dim=-1)
    nothing = torch.zeros_like(said)
    assert of_batch == 0
    assert losses.create("energy", margin=margin).discriminator(nothing, said).item() == pytest.approx(0.5)


def test_the_pulling_away_term_squares_the_cosines():
    # opposite codes are as alike as equal ones: without the square they would be the best of all
    said = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]], dtype=torch.float64)
    direction = said[:, 1:]
    cosines = (direction @ direction.T).sum() - 2
    assert cosines / 2 == -1
    assert losses.create("energy", pulling_away=1.0).generator(said, said).item() == pytest.approx(1)
