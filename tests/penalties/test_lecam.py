"""LeCam regularisation against moving averages that are rolled by hand."""

from __future__ import annotations

import pytest
import torch

from ganbench import penalties

F64 = torch.float64


def logits(steps, cells=2, size=6):
    generator = torch.Generator().manual_seed(4)
    return torch.randn(steps, 2, cells, size, dtype=F64, generator=generator) * 2


def run(penalty, drawn):
    """Play the part of the loop: a penalty before each D step's memory."""
    memory, values = penalty.start(torch.zeros(drawn.shape[2], dtype=F64)), []
    for real, fake in drawn:
        values.append(penalty.on_logits(real, fake, memory))
        memory = penalty.remember(memory, real, fake)
    return torch.stack(values), memory


@pytest.mark.parametrize("start_at", [0, 1, 4])
def test_values_equal_averages_rolled_by_hand(start_at):
    drawn = logits(9)
    values, memory = run(penalties.create("lecam", decay=0.8, start_at=start_at), drawn)
    for cell in range(2):
        ema_real = ema_fake = 0.0
        for step in range(9):
            real, fake = drawn[step, 0, cell].tolist(), drawn[step, 1, cell].tolist()
            begun = step >= max(start_at, 1)
            expected = 0.0
            if begun:
                above = sum(max(0.0, r - ema_fake) ** 2 for r in real) / 6
                below = sum(max(0.0, ema_real - f) ** 2 for f in fake) / 6
                expected = 0.3 * (above + below)
            assert values[step, cell].item() == pytest.approx(expected, rel=1e-12)
            decay = 0.8 if begun else 0.0
            ema_real = decay * ema_real + (1 - decay) * sum(real) / 6
            ema_fake = decay * ema_fake + (1 - decay) * sum(fake) / 6
        assert memory["ema_real"][cell].item() == pytest.approx(ema_real)
        assert memory["ema_fake"][cell].item() == pytest.approx(ema_fake)
        assert memory["steps"][cell].item() == 9


def test_it_is_zero_before_its_start_even_where_logits_overflow():
    penalty = penalties.create("lecam")
    memory = penalty.start(torch.zeros(1))
    real = torch.full((1, 3), 1e30, requires_grad=True)
    value = penalty.on_logits(real, -real, memory)
    (slope,) = torch.autograd.grad(value.sum(), real)
    assert value.tolist() == [0.0] and slope.tolist() == [[0.0, 0.0, 0.0]]
    late = {**memory, "steps": torch.full((1,), 1000.0)}
    assert penalty.on_logits(torch.ones(1, 3), torch.ones(1, 3), late).item() == pytest.approx(0.3)


def test_the_gradient_reaches_the_logits_and_not_the_memory():
    penalty = penalties.create("lecam", start_at=0)
    real, fake = logits(1)[0]
    memory = penalty.remember(penalty.start(torch.zeros(2, dtype=F64)), real.requires_grad_(), fake)
    assert not any(value.requires_grad for value in memory.values())

    def value(real, fake):
        return penalty.on_logits(real, fake, memory)

    real, fake = (part.clone().requires_grad_() for part in logits(2)[1])
    assert torch.autograd.gradcheck(value, (real, fake)) and torch.autograd.gradgradcheck(value, (real, fake))


def test_a_weight_for_each_cell_and_cells_of_their_own():
    drawn = logits(6)
    plain, _ = run(penalties.create("lecam", weight=1.0, start_at=2), drawn)
    weights = torch.tensor([0.5, 4.0], dtype=F64)
    weighted, _ = run(penalties.registry.get("lecam")(weight=weights, start_at=2), drawn)
    torch.testing.assert_close(weighted, plain * weights)
    drawn[:, :, 1] *= torch.nan
    broken, memory = run(penalties.create("lecam", weight=1.0, start_at=2), drawn)
    assert torch.equal(broken[:, 0], plain[:, 0]) and broken[2:, 1].isnan().all()
    assert memory["ema_real"][0].isfinite()


def test_a_batch_with_each_logit_twice_has_the_same_value():
    drawn = logits(5)
    once, _ = run(penalties.create("lecam", start_at=0), drawn)
    twice, _ = run(penalties.create("lecam", start_at=0), torch.cat([drawn, drawn], -1))
    torch.testing.assert_close(once, twice)


@pytest.mark.parametrize("parameters", [{"decay": 1.0}, {"decay": -0.1}, {"start_at": -1}, {"weight": -1.0}])
def test_parameters_that_make_no_sense_are_refused(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        penalties.create("lecam", **parameters)
