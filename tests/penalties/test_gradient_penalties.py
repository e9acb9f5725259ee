"""Gradient penalties where every value is known, and against the mistakes that other code makes."""

from __future__ import annotations

import pytest
import torch

from ganbench import penalties

F64 = torch.float64
# Two cells whose gradients have norms 5 and 13.
W = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 5.0, 0.0, 12.0]], dtype=F64)
SHAPE = (1, 2, 2)


def batch(size, seed=0, cells=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(cells, size, *SHAPE, dtype=F64, generator=generator)


def curved(first, last):
    """D(x) = last . tanh(first x) for each cell."""
    return lambda x: (torch.bmm(x.flatten(2), first).tanh() * last.unsqueeze(1)).sum(-1)


CASES = [
    ("gradient_penalty", {}, [10 * 4.0**2, 10 * 12.0**2]),
    ("gradient_penalty", {"weight": 1.0, "target": 0.0}, [25.0, 169.0]),
    ("gradient_penalty", {"weight": 1.0, "target": 6.0}, [1.0, 49.0]),
    ("gradient_penalty", {"weight": 1.0, "target": 6.0, "one_sided": True}, [0.0, 49.0]),
    ("gradient_penalty", {"weight": 1.0, "target": 0.5, "one_sided": True}, [20.25, 156.25]),
    ("gradient_penalty", {"weight": 0.5, "at": "real"}, [8.0, 72.0]),
    ("gradient_penalty", {"weight": 0.5, "at": "fake"}, [8.0, 72.0]),
    ("gradient_penalty", {"weight": 0.5, "at": "perturbed"}, [8.0, 72.0]),
    ("r1", {}, [125.0, 845.0]),
    ("r1", {"gamma": 1.0}, [12.5, 84.5]),
    ("r2", {"gamma": 0.2}, [2.5, 16.9]),
    ("wgan_div", {}, [2 * 5.0**6, 2 * 13.0**6]),
    ("wgan_div", {"k": 1.0, "p": 3.0}, [125.0, 2197.0]),
    ("wgan_div", {"k": 1.0, "p": 1.5}, [5.0**1.5, 13.0**1.5]),
    ("wgan_div", {"k": 0.5, "p": 2.0, "at": "real"}, [12.5, 84.5]),
    ("wgan_div", {"k": 1.0, "p": 2.0, "at": "fake"}, [25.0, 169.0]),
    ("wgan_div", {"k": 1.0, "p": 4.0, "at": "perturbed"}, [625.0, 28561.0]),
]
NAMED = [(name, parameters) for name, parameters, _ in CASES]


@pytest.mark.parametrize("size", [1, 2, 7, 64])
@pytest.mark.parametrize(("name", "parameters", "expected"), CASES)
def test_linear_d_gives_the_known_value_at_any_batch_size(name, parameters, expected, size, linear, seeded):
    penalty = penalties.create(name, **parameters)
    found = penalty(linear(W), batch(size), batch(size, 1), seeded((1, 2)))
    torch.testing.assert_close(found, torch.tensor(expected, dtype=F64), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "parameters"), NAMED)
def test_first_and_second_gradients_in_ds_parameters_equal_finite_differences(name, parameters, seeded):
    penalty = penalties.create(name, **parameters)
    generator = torch.Generator().manual_seed(3)
    first = torch.randn(2, 4, 2, dtype=F64, generator=generator).requires_grad_()
    last = torch.randn(2, 2, dtype=F64, generator=generator).requires_grad_()
    real, fake = batch(3), batch(3, 1)

    def value(first, last):
        return penalty(curved(first, last), real, fake, seeded((1, 2)))

    assert torch.autograd.gradcheck(value, (first, last))
    assert torch.autograd.gradgradcheck(value, (first, last))


@pytest.mark.parametrize(("name", "parameters"), NAMED)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_flat_d_gives_a_finite_gradient(name, parameters, dtype, linear, seeded):
    flat = torch.zeros(2, 4, dtype=dtype, requires_grad=True)
    penalty = penalties.create(name, **parameters)
    value = penalty(linear(flat), batch(3).to(dtype), batch(3, 1).to(dtype), seeded((1, 2), dtype))
    (slope,) = torch.autograd.grad(value.sum(), flat)
    assert value.isfinite().all() and slope.isfinite().all()


@pytest.mark.parametrize("at", ["interpolates", "real", "fake", "perturbed"])
def test_points_are_those_of_the_definition(at, seeded):
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.flatten(2).square().sum(-1)

    real, fake = batch(6), batch(6, 1) * 3
    penalties.create("gradient_penalty", at=at)(critic, real, fake, seeded((1, 2)))
    (points,) = seen
    noise = seeded((1, 2))
    alpha = noise.uniform((6, 1, 1, 1))
    assert alpha.unique().numel() == 12  # one for each sample of each cell
    if at == "perturbed":
        std = torch.stack([cell.flatten().std(correction=0) for cell in real]).reshape(2, 1, 1, 1, 1)
        expected = real + alpha * 0.5 * std * noise.uniform((6, *SHAPE))
    else:
        expected = {"interpolates": alpha * real + (1 - alpha) * fake, "real": real, "fake": fake}[at]
    torch.testing.assert_close(points, expected)
    if at == "interpolates":
        found = ((points - fake) / (real - fake)).flatten(2)
        torch.testing.assert_close(found, found[..., :1].expand_as(found))  # one alpha serves the whole sample,
        assert found[..., 0].round(decimals=6).unique().numel() == 12  # and no other one


@pytest.mark.parametrize(("name", "where"), [("r1", 0), ("r2", 1)])
def test_r1_looks_at_real_and_r2_at_fake_samples(name, where):
    samples = [torch.full((1, 4, 2), 1.0, dtype=F64), torch.full((1, 4, 2), 3.0, dtype=F64)]

    def critic(x):
        return x.square().sum(-1) / 2  # the gradient at x is x

    value = penalties.create(name, gamma=2.0)(critic, *samples, None)
    assert value.item() == samples[where][0, 0].square().sum().item()


def penalty_with_one_norm_over_the_batch(critic, x):
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    return 10 * (gradient.flatten(1).norm(dim=1) - 1).square()


def test_one_norm_over_the_whole_batch_would_not_pass(linear, seeded):
    right = penalties.create("gradient_penalty")(linear(W), batch(16), batch(16), seeded((1, 2)))
    wrong = penalty_with_one_norm_over_the_batch(linear(W), batch(16))
    assert (wrong / right).min() > 10


def test_a_target_does_not_scale_the_weight(linear, seeded):
    found = penalties.create("gradient_penalty", weight=1.0, target=2.0)(linear(W), batch(3), batch(3), seeded((1, 2)))
    assert found[0].item() == pytest.approx(9.0)  # ((5 / 2) - 1)^2 would be 2.25


@pytest.mark.parametrize(
    ("name", "field"), [("gradient_penalty", "weight"), ("r1", "gamma"), ("r2", "gamma"), ("wgan_div", "k")]
)
def test_a_tensor_over_cells_equals_separate_runs(name, field, linear, seeded):
    penalty_class = penalties.registry.get(name)
    assert penalty_class.per_cell == (field,)
    values = torch.tensor([0.3, 7.0], dtype=F64)
    real, fake = batch(5), batch(5, 1)
    together = penalty_class(**{field: values})(linear(W), real, fake, seeded((1, 2)))
    for i in range(2):
        alone = penalty_class(**{field: values[i].item()})(
            linear(W[i : i + 1]), real[i : i + 1], fake[i : i + 1], seeded((1 + i,))
        )
        torch.testing.assert_close(together[i : i + 1], alone)


def test_a_nan_cell_leaves_its_neighbour_alone(linear, seeded):
    penalty = penalties.create("gradient_penalty")
    real = batch(4)
    healthy = penalty(linear(W), real, real, seeded((1, 2)))
    broken = real.clone()
    broken[0] = torch.nan
    curved = torch.stack([W[0] * torch.nan, W[1]])
    found = penalty(linear(curved), broken, broken, seeded((1, 2)))
    assert found[0].isnan() and found[1] == healthy[1]


class Doubled:
    """The draws of a batch, twice: for a batch that holds each sample twice."""

    def __init__(self, noise):
        self.noise = noise

    def uniform(self, shape):
        drawn = self.noise.uniform((shape[0] // 2, *shape[1:]))
        return torch.cat([drawn, drawn], dim=1)


@pytest.mark.parametrize(("name", "parameters"), NAMED)
def test_a_batch_with_each_sample_twice_has_the_same_value(name, parameters, seeded):
    penalty = penalties.create(name, **parameters)
    critic = curved(batch(2).flatten(2).mT, torch.full((2, 2), 8.0, dtype=F64))
    real, fake = batch(5), batch(5, 1)
    once = penalty(critic, real, fake, seeded((1, 2)))
    twice = penalty(critic, torch.cat([real, real], 1), torch.cat([fake, fake], 1), Doubled(seeded((1, 2))))
    torch.testing.assert_close(once, twice, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("name", "parameters"), NAMED)
def test_a_cells_value_does_not_depend_on_its_neighbours_data(name, parameters, seeded):
    penalty = penalties.create(name, **parameters)
    critic = curved(batch(2).flatten(2).mT, torch.full((2, 2), 8.0, dtype=F64))
    real, fake = batch(5), batch(5, 1)
    others = [torch.stack([samples[0], 3 * samples[1] + 1]) for samples in (real, fake)]
    before, after = penalty(critic, real, fake, seeded((1, 2))), penalty(critic, *others, seeded((1, 2)))
    assert before[0] == after[0] and before[1] != after[1]


def test_r1_and_r2_have_their_half(linear):
    for name in ("r1", "r2"):
        found = penalties.create(name, gamma=10.0)(linear(W), batch(3), batch(3), None)
        assert found[0].item() == 10 / 2 * 25  # 250 where the half is forgotten


def test_wgan_div_raises_the_norm_to_p_and_not_its_square(linear, seeded):
    found = penalties.create("wgan_div", k=1.0, p=2.0)(linear(W), batch(3), batch(3), seeded((1, 2)))
    assert found[0].item() == pytest.approx(25.0)  # 625 where the sum of squares is raised


@pytest.mark.parametrize(("name", "parameters"), [("r2", {}), ("gradient_penalty", {}), ("wgan_div", {"p": 2.0})])
def test_the_value_is_differentiable_in_fake_samples_that_have_a_graph(name, parameters, seeded):
    penalty = penalties.create(name, **parameters)
    critic = curved(batch(2).flatten(2).mT, torch.full((2, 2), 8.0, dtype=F64))
    fake = batch(3, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: penalty(critic, batch(3), x * 1.0, seeded((1, 2))), (fake,))


@pytest.mark.parametrize("name", ["gradient_penalty", "r1", "r2", "wgan_div"])
def test_laziness_is_a_number_that_the_loop_reads(name, linear, seeded):
    lazy, eager = penalties.create(name, every=16), penalties.create(name)
    assert (lazy.every, eager.every) == (16, 1)
    values = [penalty(linear(W), batch(3), batch(3), seeded((1, 2))) for penalty in (lazy, eager)]
    assert torch.equal(*values)  # the loop multiplies, not the penalty
    with pytest.raises(ValueError, match="greater than 0"):
        penalties.create(name, every=0)
