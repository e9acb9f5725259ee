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


CASES = [
    ("gradient_penalty", {}, [10 * 4.0**2, 10 * 12.0**2]),
    ("gradient_penalty", {"weight": 1.0, "target": 0.0}, [25.0, 169.0]),
    ("gradient_penalty", {"weight": 1.0, "target": 6.0}, [1.0, 49.0]),
    ("gradient_penalty", {"weight": 1.0, "target": 6.0, "one_sided": True}, [0.0, 49.0]),
    ("gradient_penalty", {"weight": 0.5, "at": "real"}, [8.0, 72.0]),
    ("gradient_penalty", {"weight": 0.5, "at": "fake"}, [8.0, 72.0]),
    ("gradient_penalty", {"weight": 0.5, "at": "perturbed"}, [8.0, 72.0]),
    ("r1", {}, [125.0, 845.0]),
    ("r1", {"gamma": 1.0}, [12.5, 84.5]),
    ("r2", {"gamma": 0.2}, [2.5, 16.9]),
]


@pytest.mark.parametrize("size", [1, 2, 7, 64])
@pytest.mark.parametrize(("name", "parameters", "expected"), CASES)
def test_linear_d_gives_the_known_value_at_any_batch_size(name, parameters, expected, size, linear, seeded):
    penalty = penalties.create(name, **parameters)
    found = penalty(linear(W), batch(size), batch(size, 1), seeded((1, 2)))
    torch.testing.assert_close(found, torch.tensor(expected, dtype=F64), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "parameters"), [(name, parameters) for name, parameters, _ in CASES])
def test_gradient_in_ds_parameters_equals_finite_differences(name, parameters, seeded):
    penalty = penalties.create(name, **parameters)
    generator = torch.Generator().manual_seed(3)
    first = torch.randn(2, 4, 3, dtype=F64, generator=generator).requires_grad_()
    last = torch.randn(2, 3, dtype=F64, generator=generator).requires_grad_()
    real, fake = batch(5), batch(5, 1)

    def value(first, last):
        def critic(x):
            return (torch.bmm(x.flatten(2), first).tanh() * last.unsqueeze(1)).sum(-1)

        return penalty(critic, real, fake, seeded((1, 2)))

    assert torch.autograd.gradcheck(value, (first, last))


@pytest.mark.parametrize(("name", "parameters"), [(name, parameters) for name, parameters, _ in CASES])
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


@pytest.mark.parametrize(("name", "field"), [("gradient_penalty", "weight"), ("r1", "gamma"), ("r2", "gamma")])
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
