"""What real samples score in mode coverage: the values that a perfect generator reaches, and not better ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import datasets, metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.plugins import Modes

NOTHING = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))
SAMPLES = 2500


def scores(modes: Modes) -> dict[str, float]:
    return metrics.create("modes").compute(Evidence(torch.zeros(2, 2), None, modes, NOTHING))


@pytest.mark.parametrize(
    ("name", "modes", "kl", "spread"), [("ring8", 8, 0.0014, 0.0007), ("grid25", 25, 0.0048, 0.0014)]
)
def test_held_out_samples_score_as_a_perfect_generator_does(name: str, modes: int, kl: float, spread: float):
    source = datasets.create(name)
    held_out = source.load(Path("unused"), "test").samples
    inside = 1 - math.exp(-4.5)  # of three standard deviations of a Gaussian in the plane: 98.889 %
    for chunk in held_out.reshape(-1, SAMPLES, 2):
        found = scores(source.modes(chunk))
        assert found["modes"] == modes
        assert found["high_quality"] == pytest.approx(inside, abs=3 * math.sqrt(inside * (1 - inside) / SAMPLES))
        assert found["mode_kl"] == pytest.approx(kl, abs=3 * spread)
