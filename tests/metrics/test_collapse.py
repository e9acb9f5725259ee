"""A generator that repeats one sample, or a few, through every metric there is: numbers or reasons, never a crash."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import datasets, metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.plugins import Modes

COUNT = 300
WORTHLESS = {"recall": 0.02, "coverage": 0.05}  # at most
COLLAPSED = {"duplicates": 1.0, "support": 1.0, "modes": 1.0}


def log_density(points: np.ndarray) -> np.ndarray:
    return -(points**2).sum(axis=1) / 2 - math.log(2 * math.pi)


def of_points(rows: torch.Tensor, posterior: float = 0.9) -> Evidence:
    real = torch.from_numpy(datasets.create("ring8").load(Path("unused"), "train").samples[:1000])
    reference = Reference(real, None, real.double().mean(0).numpy(), np.cov(real.double().numpy(), rowvar=False))
    modes = datasets.create("ring8").modes(rows.numpy())
    seen = torch.from_numpy(modes.nearest)
    asked = torch.arange(len(rows)) % 8
    return Evidence(
        *(rows, None, modes, reference, 0, asked, seen, rows, log_density),
        lambda points: points.new_full(points.shape[:1], posterior),
    )


def of_pictures(rows: torch.Tensor) -> Evidence:
    """Uint8 pictures of 32 px, whose features and logits are fixed random projections of them."""
    stream = torch.Generator().manual_seed(1)
    real = torch.randint(256, (600, 3, 32, 32), generator=stream, dtype=torch.uint8)
    to_features, to_logits = (torch.randn(3 * 32 * 32, size, generator=stream) / 2000 for size in (64, 10))
    features, known = (x.flatten(1).float() @ to_features for x in (rows, real))
    logits = rows.flatten(1).float() @ to_logits
    reference = Reference(known, None, known.double().mean(0).numpy(), np.cov(known.double().numpy(), rowvar=False))
    seen = logits.argmax(dim=1)
    modes = Modes(seen.numpy(), np.ones(len(rows), dtype=bool), np.full(10, 0.1))
    return Evidence(features, logits, modes, reference, 0, torch.arange(len(rows)) % 10, seen, rows)


def sampler(kind: str, atoms: int) -> Evidence:
    if kind == "points":
        real = torch.from_numpy(datasets.create("ring8").load(Path("unused"), "test").samples[:atoms])
        return of_points(real.repeat(COUNT // atoms, 1))
    if kind == "far points":
        return of_points(torch.linspace(50, 60, atoms).repeat(COUNT // atoms)[:, None].expand(-1, 2).contiguous())
    if kind == "black pictures":
        return of_pictures(torch.zeros(COUNT, 3, 32, 32, dtype=torch.uint8))
    some = torch.randint(256, (atoms, 3, 32, 32), generator=torch.Generator().manual_seed(9), dtype=torch.uint8)
    return of_pictures(some.repeat(COUNT // atoms, 1, 1, 1))


@pytest.mark.parametrize("atoms", [1, 2])
@pytest.mark.parametrize("kind", ["points", "far points", "pictures", "black pictures"])
@pytest.mark.parametrize("name", metrics.names())
def test_a_collapsed_generator_gets_numbers_or_reasons(name: str, kind: str, atoms: int):
    if name == "lpips":
        pytest.skip("needs weights: tests/metrics/test_lpips.py has it")
    metric, evidence = metrics.create(name), sampler(kind, atoms)
    for_points, on_points = {"points", "density"} & {*metric.needs}, "points" in kind
    if (for_points and not on_points) or (on_points and {"images", "logits"} & {*metric.needs}):
        return  # never asked of these: `inapplicable` says so
    found = metric.compute(evidence)
    assert found.keys() == metric.better.keys()
    for value_name, value in found.items():
        assert type(value) is float
        assert math.isfinite(value) or value_name in metric.undefined
        assert not value > WORTHLESS.get(value_name, math.inf)
        if atoms == 1 and value_name in COLLAPSED and kind != "far points":
            assert value == COLLAPSED[value_name]


@pytest.mark.parametrize("kind", ["points", "pictures"])
def test_a_collapse_is_worse_than_real_samples_wherever_diversity_counts(kind: str):
    if kind == "points":
        healthy = of_points(torch.from_numpy(datasets.create("ring8").load(Path("unused"), "test").samples[:COUNT]))
    else:
        noise = torch.Generator().manual_seed(9)
        healthy = of_pictures(torch.randint(256, (COUNT, 3, 32, 32), generator=noise, dtype=torch.uint8))
    collapsed = sampler(kind, 1)
    names = {"fid", "fid_infinity", "sliced_wasserstein", "kid", "precision_recall", "coverage", "duplicates", "modes"}
    for name in names | ({"w2"} if kind == "points" else {"ms_ssim", "is"}):
        metric = metrics.create(name)
        best, worst = metric.compute(healthy), metric.compute(collapsed)
        for value in metric.better.keys() - {"precision", "density", "high_quality"}:  # those ask for fidelity alone
            sign = 1 if metric.better[value] == "higher" else -1
            assert sign * best[value] > sign * worst[value], value
