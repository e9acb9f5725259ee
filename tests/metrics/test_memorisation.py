from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def memorisation(fake: torch.Tensor, real: torch.Tensor) -> float:
    reference = Reference(real, None, np.zeros(real.shape[1]), np.eye(real.shape[1]))
    return metrics.create("memorisation").compute(Evidence(fake, None, None, reference))["memorisation"]


@pytest.mark.parametrize("size", [2, 30])
def test_copies_are_memorised_and_fresh_samples_are_not(size: int):
    real, fresh = normal(2000, size, 0), normal(1000, size, 1)
    assert memorisation(real[:700], real) == 1
    assert memorisation(fresh, real) < 0.06
    assert memorisation(fresh * 5, real) == 0
    half = torch.cat([real[:500], fresh[:500]])
    assert memorisation(half, real) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("size", [2, 30])
def test_it_is_the_ratio_of_distances_to_the_nearest_training_sample(size: int):
    real, fake = normal(900, size, 0), normal(400, size, 1) * 0.8
    own = (real.double()[:, None] - real.double()).norm(dim=2).fill_diagonal_(np.inf)
    between = (fake.double()[:, None] - real.double()).norm(dim=2)
    ratio = between.min(1).values.mean() / own.min(1).values.mean()
    assert memorisation(fake, real) == pytest.approx(max(0.0, 1 - float(ratio)), abs=1e-9)


def test_copies_of_rows_beyond_the_number_of_samples_are_found():
    real = normal(2000, 3, 0)
    assert memorisation(real[-50:], real) == 1


def test_a_training_set_of_equal_pairs_says_nothing_of_copies():
    pairs = normal(50, 2, 0).repeat(2, 1)
    with pytest.raises(ValueError, match="every real row has an equal one"):
        memorisation(normal(50, 2, 1), pairs)
    with pytest.raises(ValueError, match="too few"):
        memorisation(normal(50, 2, 1), pairs[:1])
