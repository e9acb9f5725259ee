"""The losses of autoencoders: the margin, the pulling-away term, and BEGAN's memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ganbench import losses
from ganbench.plugins import Remembering


def said(errors, codes=None):
    """What D says of samples with these reconstruction errors and codes."""
    errors = torch.tensor(errors, dtype=torch.float64)
    codes = torch.zeros(*errors.shape, 2) if codes is None else torch.tensor(codes, dtype=torch.float64)
    return torch.cat([errors.unsqueeze(-1), codes], dim=-1)


def test_energy_by_hand():
    loss = losses.create("energy", margin=2.0)
    real, fake = said([0.5, 1.5]), said([0.5, 3.5])
    assert loss.discriminator(real, fake).item() == pytest.approx(1.0 + (1.5 + 0.0) / 2)
    assert loss.generator(real, fake).item() == pytest.approx(2.0)
    assert loss.equilibrium == 2.0


def test_every_constant_error_up_to_the_margin_is_an_equilibrium_of_energy():
    loss = losses.create("energy", margin=1.5)
    for constant in (0.0, 0.4, 1.5):
        assert loss.discriminator(said([constant] * 3), said([constant] * 3)).item() == pytest.approx(1.5)
    assert loss.discriminator(said([2.0] * 3), said([2.0] * 3)).item() == pytest.approx(2.0)


def test_the_best_errors_of_energy_reach_the_total_variation():
    p, q, margin = np.array([6, 3, 1]), np.array([2, 3, 5]), 1.5
    best = np.where(p < q, margin, 0.0)  # rebuild what is more often real, and nothing else
    real, fake = said(np.repeat(best, p)), said(np.repeat(best, q))
    variation = np.abs(p - q).sum() / 20
    found = losses.create("energy", margin=margin).discriminator(real, fake).item()
    assert found == pytest.approx(margin * (1 - variation))


def test_pulling_away_by_hand():
    loss = losses.create("energy", pulling_away=0.5)
    codes = [[1.0, 0.0], [0.0, 3.0], [2.0, 2.0]]
    # cosines: 0 between the first two, 1/sqrt(2) between each of them and the third; six ordered pairs
    term = 2 * (0 + 1 / 2 + 1 / 2) / 6
    fake = said([1.0, 2.0, 3.0], codes)
    assert loss.generator(fake, fake).item() == pytest.approx(2.0 + 0.5 * term)


def test_pulling_away_is_one_for_equal_directions_and_zero_for_empty_codes():
    weighed, plain = losses.create("energy", pulling_away=1.0), losses.create("energy")
    alike = said([0.0] * 3, [[1e-3, 2e-3], [-2.0, -4.0], [500.0, 1000.0]])
    assert weighed.generator(alike, alike).item() == pytest.approx(1.0, abs=1e-6)
    assert plain.generator(alike, alike).item() == 0
    empty = said([0.0] * 3).requires_grad_()
    value = weighed.generator(empty, empty)
    assert value.item() == 0
    assert torch.autograd.grad(value, empty)[0][..., 1:].eq(0).all()


def test_descending_the_pulling_away_term_turns_codes_apart():
    loss = losses.create("energy", pulling_away=1.0)
    fake = said([0.0, 0.0], [[1.0, 0.2], [1.0, -0.2]]).requires_grad_()
    (slope,) = torch.autograd.grad(loss.generator(fake, fake), fake)
    first, second = (fake - 0.1 * slope)[:, 1:]
    before = (1.0 - 0.04) / 1.04
    assert torch.cosine_similarity(first, second, dim=0).item() < before


def test_pulling_away_refuses_a_batch_of_one():
    one = said([1.0])
    with pytest.raises(ValueError, match="at least two"):
        losses.create("energy", pulling_away=0.1).generator(one, one)
    assert losses.create("energy").generator(one, one).item() == 1


def test_began_by_hand():
    loss = losses.create("boundary_equilibrium")
    real, fake = said([[0.5, 1.5], [2.0, 2.0]]), said([[0.5, 3.5], [1.0, 1.0]])
    memory = {"k": torch.tensor([0.25, 1.0], dtype=torch.float64)}
    assert loss.discriminator(real, fake, memory).tolist() == pytest.approx([1.0 - 0.25 * 2.0, 2.0 - 1.0])
    assert loss.generator(real, fake, memory).tolist() == pytest.approx([2.0, 1.0])


def test_began_remembers_k_as_a_hand_rolled_loop_does():
    gamma, rate = 0.5, 0.1
    loss = losses.create("boundary_equilibrium", gamma=gamma, lambda_k=rate)
    assert isinstance(loss, Remembering)
    stream = torch.Generator().manual_seed(0)
    steps = [torch.rand(2, 2, 4, 3, generator=stream, dtype=torch.float64) for _ in range(60)]
    memory = loss.start(torch.empty(2, dtype=torch.float64))
    assert memory["k"].tolist() == [0.0, 0.0] and memory["k"].dtype == torch.float64
    expected, seen = [0.0, 0.0], []
    for i, (real, fake) in enumerate(steps):
        # real errors far above fake ones at first, then far below: k must reach both of its ends
        real = real * (20 if i < 30 else 0.1)
        memory = loss.remember(memory, real.requires_grad_(), fake)
        for cell in range(2):
            l_real = sum(real[cell, :, 0].tolist()) / 4
            l_fake = sum(fake[cell, :, 0].tolist()) / 4
            expected[cell] = min(1.0, max(0.0, expected[cell] + rate * (gamma * l_real - l_fake)))
        assert memory["k"].tolist() == pytest.approx(expected, abs=1e-12)
        assert not memory["k"].requires_grad
        seen.append(expected[0])
    assert 0 < seen[0] < 1 and max(seen) == 1 and seen[-1] == 0


def test_k_settles_where_fake_errors_are_gamma_times_real_ones():
    loss = losses.create("boundary_equilibrium", gamma=0.75)
    memory = {"k": torch.tensor(0.3, dtype=torch.float64)}
    real, fake = said([2.0, 2.0]), said([1.0, 2.0])
    assert loss.remember(memory, real, fake)["k"].item() == pytest.approx(0.3)
    balanced = loss.discriminator(real, fake, memory).item()
    assert balanced == pytest.approx((1 - 0.3 * 0.75) * 2.0)


def test_a_cell_whose_errors_are_not_numbers_keeps_that_to_itself():
    loss = losses.create("boundary_equilibrium")
    memory = loss.remember({"k": torch.zeros(2)}, said([[math.nan], [4.0]]).float(), said([[1.0], [1.0]]).float())
    assert memory["k"][0].isnan() and memory["k"][1].item() == pytest.approx(0.002)
