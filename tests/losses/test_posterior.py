"""What a logit says of a sample where D is at its best: found by minimising each loss on two known distributions."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from ganbench import losses
from ganbench.losses.variational_bounds import Kind

# Four points: batches hold each of them as often as it is likely.
REAL, FAKE = np.array([6, 3, 1, 10]), np.array([2, 3, 12, 3])
P, Q = REAL / 20, FAKE / 20
TRUTH = P / (P + Q)

READINGS = [
    ("minimax", {}),
    ("non_saturating", {}),
    ("non_saturating", {"real_label": 0.9}),
    ("non_saturating", {"real_label": 0.8, "fake_label": 0.3}),
    ("non_saturating", {"real_label": 0.1, "fake_label": 0.9}),
    ("least_squares", {}),
    ("least_squares", {"a": -1.0, "b": 1.0, "c": 0.0}),
    ("least_squares", {"a": 1.0, "b": 0.0}),
    ("least_squares", {"on": "probability"}),
    *(("f_divergence", {"kind": kind}) for kind in get_args(Kind)),
]
BEYOND = torch.tensor([-1e4, -60.0, -21.0, 21.0, 60.0, 1e4], dtype=torch.float64)


def best_logits(loss) -> torch.Tensor:
    real, fake = (torch.repeat_interleave(torch.arange(4), torch.tensor(n)) for n in (REAL, FAKE))

    def value_and_slope(logits):
        table = torch.tensor(logits, requires_grad=True)
        value = loss.discriminator(table[real], table[fake])
        return value.item(), torch.autograd.grad(value, table)[0].numpy()

    return torch.tensor(minimize(value_and_slope, np.full(4, 0.1), jac=True, tol=1e-11).x)


@pytest.mark.parametrize(("name", "parameters"), READINGS, ids=str)
def test_the_best_logits_stand_for_the_share_of_real_samples(name, parameters):
    loss = losses.create(name, **parameters)
    assert loss.posterior(best_logits(loss)).numpy() == pytest.approx(TRUTH, abs=1e-5)


@pytest.mark.parametrize(("name", "parameters"), READINGS, ids=str)
def test_every_logit_gives_a_probability_and_none_is_misread(name, parameters):
    loss = losses.create(name, **parameters)
    found = loss.posterior(BEYOND)
    assert bool(((found >= 0) & (found <= 1)).all())
    rising = found if loss.posterior(BEYOND[-1:]) > loss.posterior(BEYOND[:1]) else found.flip(0)
    assert bool((rising.diff() >= 0).all())
    assert (rising[0], rising[-1]) == pytest.approx((0, 1), abs=1e-3)
    assert loss.posterior(torch.zeros(2, 3)).shape == (2, 3)


def test_targets_that_do_not_tell_samples_apart_are_refused():
    for loss in (
        losses.create("non_saturating", real_label=0.5, fake_label=0.5),
        losses.create("least_squares", a=1.0),
    ):
        with pytest.raises(ValueError, match="does not tell samples apart"):
            loss.posterior(torch.zeros(3))


@pytest.mark.parametrize("name", ["hinge", "wasserstein", "relativistic_paired", "relativistic_average", "mmd"])
def test_losses_whose_best_d_is_no_ratio_of_densities_have_none(name):
    assert not hasattr(losses.create(name), "posterior")
