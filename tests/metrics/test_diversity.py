"""Scores of pairs of generated pictures against slow definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import convolve2d

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics.pairs import within_classes
from ganbench.metrics.ssim import scales, structural_similarity

NOTHING = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))


def pictures(count: int, channels: int, side: int, seed: int = 0) -> torch.Tensor:
    """Smooth noise, uint8."""
    coarse = torch.rand(count, channels, 6, 6, generator=torch.Generator().manual_seed(seed)) * 255
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear").round().to(torch.uint8)


def evidence(samples: torch.Tensor, seed: int = 0, labels=None, seen_as=None) -> Evidence:
    return Evidence(samples.flatten(1).float(), None, None, NOTHING, seed, labels, seen_as, samples)


def slow_ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Wang et al. 2003 on one channel, written out with a window in two dimensions."""
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))
    window /= window.sum()
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = []
    while min(a.shape) >= 11 and len(found) < 5:
        mean_a, mean_b, aa, bb, ab = (convolve2d(x, window, "valid") for x in (a, b, a * a, b * b, a * b))
        structure = (2 * (ab - mean_a * mean_b) + c2) / (aa - mean_a**2 + bb - mean_b**2 + c2)
        luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        found.append((structure.mean(), (structure * luminance).mean()))
        a, b = (
            np.array([[x[i : i + 2, j : j + 2].mean() for j in range(0, x.shape[1], 2)] for i in range(0, len(x), 2)])
            for x in (a, b)
        )
    values = [one[0] for one in found[:-1]] + [found[-1][1]]
    total = sum(weights[: len(values)])
    return float(np.prod([max(value, 0) ** (weight / total) for value, weight in zip(values, weights, strict=False)]))


@pytest.mark.parametrize(
    ("side", "expected"), [(10, 0), (11, 1), (20, 1), (28, 2), (32, 2), (64, 3), (128, 4), (161, 5)]
)
def test_as_many_scales_as_the_window_fits_into(side: int, expected: int):
    assert scales(side) == expected


@pytest.mark.parametrize("side", [11, 28, 33, 64, 161])
def test_ms_ssim_is_the_one_of_the_paper(side: int):
    a, b = pictures(1, 2, side, 0).double(), pictures(1, 2, side, 1).double()
    b = a * 0.7 + b * 0.3
    expected = np.mean([slow_ms_ssim(a[0, c].numpy(), b[0, c].numpy()) for c in range(2)])
    assert 0.2 < expected < 0.99
    found = structural_similarity(a, b)
    assert found.shape == (1,)
    assert found.item() == pytest.approx(expected, rel=1e-9)
    assert structural_similarity(a.float(), b.float()).item() == pytest.approx(expected, rel=1e-3)


def test_equal_pictures_are_alike_and_opposite_ones_not_at_all():
    a = pictures(5, 3, 64)
    assert structural_similarity(a.double(), a.double()).numpy() == pytest.approx(1)
    assert torch.equal(structural_similarity(a.double(), 255 - a.double()), torch.zeros(5, dtype=torch.float64))
    assert structural_similarity(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)).item() == 1


def test_pictures_below_the_window_are_refused():
    with pytest.raises(ValueError, match="8 x 8 px are smaller than the window of 11 px"):
        metrics.create("ms_ssim").compute(evidence(pictures(10, 1, 8)))
    with pytest.raises(ValueError, match="no pictures"):
        metrics.create("ms_ssim").compute(evidence(torch.zeros(10, 2)))


def test_a_diverse_sampler_has_the_lower_ms_ssim():
    one, many = pictures(1, 1, 28).expand(50, -1, -1, -1), pictures(50, 1, 28)
    values = [metrics.create("ms_ssim").compute(evidence(x))["ms_ssim"] for x in (one, many)]
    assert values[0] == pytest.approx(1)
    assert values[1] < 0.6


def test_it_is_the_mean_over_its_pairs_and_follows_the_seed():
    samples = pictures(40, 1, 28)
    metric = metrics.create("ms_ssim", pairs=130)  # more than one block
    one, same, other = (metric.compute(evidence(samples, seed))["ms_ssim"] for seed in (2**40, 2**40, 1))
    assert one == same != other
    first, second = within_classes(evidence(samples, 1), 130)
    expected = structural_similarity(samples[first].double(), samples[second].double()).mean()
    assert other == pytest.approx(float(expected), rel=1e-4)


def test_pairs_are_two_samples_of_one_class_drawn_evenly():
    samples = torch.zeros(7, 1, 2, 2)
    labels = torch.tensor([4, 0, 4, 9, 0, 4, 4])
    first, second = within_classes(evidence(samples, labels=labels), 20_000)
    assert bool((first != second).all())
    assert torch.equal(labels[first], labels[second])
    pairs, counts = torch.stack([first, second]).unique(dim=1, return_counts=True)
    assert pairs.shape[1] == 4 * 3 + 2 * 1  # every ordered pair of a class; the 9 is alone
    shares = counts / 20_000
    of_fours = labels[pairs[0]] == 4
    assert shares[of_fours].numpy() == pytest.approx(4 / 6 / 12, abs=0.01)
    assert shares[~of_fours].numpy() == pytest.approx(1 / 6, abs=0.01)


def test_the_class_asked_for_counts_before_the_class_seen():
    samples = torch.zeros(4, 1, 2, 2)
    asked, seen = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    for what, labels in ((evidence(samples, 0, asked, seen), asked), (evidence(samples, 0, None, seen), seen)):
        first, second = within_classes(what, 50)
        assert torch.equal(labels[first], labels[second])
    first, second = within_classes(evidence(samples), 500)
    assert len(torch.stack([first, second]).unique(dim=1).T) == 12
    with pytest.raises(ValueError, match="no two samples"):
        within_classes(evidence(samples, 0, torch.arange(4)), 5)
