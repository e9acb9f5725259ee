"""The losses on features against double loops over samples, and as estimates, kernels and witnesses."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench import losses
from ganbench.losses.pairs import squared_distances


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rational_quadratic(squared):
    return sum((1 + squared / (2 * alpha)) ** -alpha for alpha in (0.2, 0.5, 1, 2, 5))


def rbf(squared):
    return sum(math.exp(-squared / (2 * sigma**2)) for sigma in (1, 2, 4, 8, 16))


KERNELS = {"rational_quadratic": rational_quadratic, "rbf": rbf}


def squared_distance(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def length(a):
    return math.sqrt(sum(x * x for x in a))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def others(rows, of_pair):
    return mean(of_pair(a, b) for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j)


def all_pairs(rows, columns, of_pair):
    return mean(of_pair(a, b) for a in rows for b in columns)


@pytest.mark.parametrize("kernel", KERNELS)
def test_mmd_equals_a_double_loop_over_samples(kernel):
    loss = losses.create("mmd", kernel=kernel)
    x, y, u = 3 * normal(4, 3), 3 * normal(5, 3, seed=1) + 1, normal(2, 3, seed=2)

    def k(a, b):
        return KERNELS[kernel](squared_distance(a, b))

    rows, columns, points = x.tolist(), y.tolist(), u.tolist()
    expected = others(rows, k) + others(columns, k) - 2 * all_pairs(rows, columns, k)
    assert loss.generator(x, y).item() == pytest.approx(expected, rel=1e-10)
    assert loss.discriminator(x, y).item() == pytest.approx(-expected, rel=1e-10)
    witnessed = [mean(k(p, a) for a in rows) - mean(k(p, b) for b in columns) for p in points]
    assert loss.witness(u, x, y).tolist() == pytest.approx(witnessed, rel=1e-10)


def test_cramer_equals_a_double_loop_over_samples():
    loss = losses.create("cramer")
    x, y, u = 3 * normal(4, 3), 3 * normal(5, 3, seed=1) + 1, normal(2, 3, seed=2)

    def distance(a, b):
        return math.sqrt(squared_distance(a, b))

    rows, columns, points = x.tolist(), y.tolist(), u.tolist()
    across, within = all_pairs(rows, columns, distance), others(columns, distance)
    l_d = (within - mean(map(length, columns))) - (across - mean(map(length, rows)))
    assert loss.generator(x, y).item() == pytest.approx(2 * across - within, rel=1e-8)
    assert loss.discriminator(x, y).item() == pytest.approx(l_d, rel=1e-8)
    witnessed = [mean(distance(p, b) for b in columns) - length(p) for p in points]
    assert loss.witness(u, x, y).tolist() == pytest.approx(witnessed, rel=1e-8)


@pytest.mark.parametrize(
    ("name", "parameters"), [("mmd", {}), ("mmd", {"kernel": "rbf"}), ("cramer", {})], ids=lambda v: str(v)
)
def test_estimates_of_equal_distributions_are_zero_on_average(name, parameters):
    loss = losses.create(name, **parameters)
    x, y = normal(4000, 6, 2), normal(4000, 6, 2, seed=1)
    found = loss.discriminator(x, y)
    error = found.std().item() / math.sqrt(len(found))
    assert abs(found.mean().item()) < 4 * error
    assert found.min() < 0 < found.max()


def test_a_cramer_loss_of_all_pairs_has_the_expectation_of_the_papers_two_fakes_and_less_variance():
    loss = losses.create("cramer")
    x, y, z = normal(3000, 8, 2), normal(3000, 8, 2, seed=1) + 1, normal(3000, 8, 2, seed=2) + 1
    ours = loss.generator(x, y)
    # the paper's: h(x_r), h(x_g) and h(x'_g) taken one by one
    papers = ((x - y).norm(dim=-1) + (x - z).norm(dim=-1) - (y - z).norm(dim=-1)).mean(-1)
    error = math.hypot(ours.std().item(), papers.std().item()) / math.sqrt(len(ours))
    assert abs(ours.mean().item() - papers.mean().item()) < 4 * error
    assert ours.var() < papers.var()


@pytest.mark.parametrize("name", ["mmd", "cramer"])
def test_l_g_and_the_witness_tell_real_from_fake_and_fall_as_they_meet(name):
    loss = losses.create(name)
    x, y = normal(64, 3), normal(64, 3, seed=1)
    far, near, met = (loss.generator(x, y + shift).item() for shift in (3.0, 1.0, 0.0))
    assert far > near > met
    fake = y - 3
    assert loss.witness(x, x, fake).mean() > loss.witness(fake, x, fake).mean()


@pytest.mark.parametrize("name", ["mmd", "cramer"])
def test_descending_l_d_parts_the_features_and_descending_l_g_joins_them(name):
    loss = losses.create(name)
    x, y = (normal(16, 2) + 1).requires_grad_(), (normal(16, 2, seed=1) - 1).requires_grad_()
    of_real, of_fake = torch.autograd.grad(loss.discriminator(x, y), (x, y))
    parted = loss.witness(x - of_real, x, y).mean() - loss.witness(y - of_fake, x, y).mean()
    assert parted > loss.witness(x, x, y).mean() - loss.witness(y, x, y).mean()
    (of_fake,) = torch.autograd.grad(loss.generator(x, y), y)
    assert loss.generator(x, y - 0.1 * of_fake) < loss.generator(x, y)


@pytest.mark.parametrize("name", ["mmd", "cramer"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_penalty_on_the_witness_has_gradients_at_samples_that_coincide(name, dtype):
    loss = losses.create(name)
    real, fake = normal(5, 3).to(dtype), normal(5, 3, seed=1).to(dtype)
    fake[0] = real[0]
    weights = normal(3, 4, seed=2).to(dtype).requires_grad_()
    points = torch.cat([real, fake, torch.zeros(1, 3, dtype=dtype)]).requires_grad_()
    said = loss.witness(points @ weights, real @ weights, fake @ weights)
    (slope,) = torch.autograd.grad(said.sum(), points, create_graph=True)
    penalty = ((slope.square().sum(-1) + 1e-12).sqrt() - 1).square().mean()
    assert torch.autograd.grad(penalty, weights)[0].isfinite().all()


def test_distances_keep_their_digits_far_from_the_origin():
    a, b = normal(6, 4), normal(5, 4, seed=1)
    found = squared_distances((a + 1000).float(), (b + 1000).float())
    torch.testing.assert_close(found.double(), torch.cdist(a, b).square(), rtol=0, atol=5e-3)


@pytest.mark.parametrize("name", ["mmd", "cramer"])
def test_a_batch_of_one_is_refused_in_words(name):
    loss, one = losses.create(name), torch.zeros(1, 3)
    with pytest.raises(ValueError, match="at least two"):
        loss.generator(one, one)
