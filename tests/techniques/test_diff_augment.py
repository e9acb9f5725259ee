"""DiffAugment against a slow reference, image by image, and the ranges of each of its transformations."""

from __future__ import annotations

import pytest
import torch

from ganbench import techniques
from ganbench.training.streams import CellNoise

F64 = torch.float64
POLICIES = [
    {"color": True, "translation": False, "cutout": False},
    {"color": False, "translation": True, "cutout": False},
    {"color": False, "translation": False, "cutout": True},
    {},
]


def noise(*seeds, dtype=F64):
    return CellNoise(seeds, "noise", dtype, torch.device("cpu"))


def images(*shape, seed=0):
    return torch.rand(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def augment(samples, *seeds, **policy):
    return techniques.create("diff_augment", **policy).seen(samples, noise(*seeds), 0)


def only(**policy):
    return {"color": False, "translation": False, "cutout": False} | policy


def reference(samples, source, color=True, translation=True, cutout=True):
    """Do to one image after the other what the paper says, with loops over pixels."""
    cells, batch, channels, height, width = samples.shape
    result = samples.clone()
    if color:
        b, s, t = (source.uniform((batch, 1, 1, 1)).flatten(1) for _ in range(3))
    if translation:
        down, right = (
            (source.uniform((batch,)) * (2 * most + 1)).floor().int() - most for most in (height // 8, width // 8)
        )
    if cutout:
        tall, wide = height // 2, width // 2
        top = (source.uniform((batch,)) * (height + 1 - tall % 2)).floor().int() - tall // 2
        left = (source.uniform((batch,)) * (width + 1 - wide % 2)).floor().int() - wide // 2
    for cell in range(cells):
        for i in range(batch):
            image = result[cell, i].clone()
            if color:
                image += b[cell, i] - 0.5
                grey = sum(image[c] for c in range(channels)) / channels
                image = torch.stack([grey + (image[c] - grey) * 2 * s[cell, i] for c in range(channels)])
                image = image.mean() + (image - image.mean()) * (t[cell, i] + 0.5)
            if translation:
                moved = torch.zeros_like(image)
                for y in range(height):
                    for x in range(width):
                        to_y, to_x = y + int(down[cell, i]), x + int(right[cell, i])
                        if 0 <= to_y < height and 0 <= to_x < width:
                            moved[:, to_y, to_x] = image[:, y, x]
                image = moved
            if cutout:
                y, x = int(top[cell, i]), int(left[cell, i])
                image[:, max(y, 0) : y + tall, max(x, 0) : x + wide] = 0
            result[cell, i] = image
    return result


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", [(3, 8, 16), (1, 16, 8)])
def test_every_policy_equals_the_reference(policy, shape):
    samples = images(2, 12, *shape)
    torch.testing.assert_close(augment(samples, 5, 6, **policy), reference(samples, noise(5, 6), **policy))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_gradient_flows_into_the_samples(policy):
    samples = images(2, 1, 2, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: augment(x, 1, 2, **policy), (samples,))
    assert torch.autograd.gradgradcheck(lambda x: augment(x, 1, 2, **policy).square(), (samples,))


def test_brightness_moves_an_image_by_up_to_a_half():
    moved = augment(torch.zeros(2, 500, 1, 4, 4), 1, 2, **only(color=True)).flatten(2)
    torch.testing.assert_close(moved, moved[..., :1].expand_as(moved))
    assert -0.5 <= moved.min() < -0.48 and 0.48 < moved.max() <= 0.5 and moved.mean().abs() < 0.03


def test_contrast_keeps_the_mean_and_scales_by_a_half_to_one_and_a_half():
    samples = torch.tensor([-1.0, 1.0], dtype=F64).reshape(1, 1, 1, 1, 2).expand(2, 500, 1, 1, 2)
    found = augment(samples, 1, 2, **only(color=True)).flatten(2)
    scale, mean = (found[..., 1] - found[..., 0]) / 2, found.mean(-1)
    assert 0.5 <= scale.min() < 0.52 and 1.48 < scale.max() <= 1.5 and mean.abs().max() <= 0.5
    brightness = noise(1, 2).uniform((500, 1, 1, 1)).flatten(1) - 0.5
    torch.testing.assert_close(mean, brightness)


def test_saturation_scales_what_the_channels_differ_by_up_to_two_and_leaves_grey():
    # each pixel's channels are -1, 0, 1: grey is 0, and contrast scales by t all the same
    samples = torch.tensor([-1.0, 0.0, 1.0], dtype=F64).reshape(1, 1, 3, 1, 1).expand(2, 500, 3, 2, 2)
    found = augment(samples, 1, 2, **only(color=True))
    source = noise(1, 2)
    _, _, contrast = (source.uniform((500, 1, 1, 1)) for _ in range(3))
    scale = ((found[:, :, 2] - found[:, :, 0]) / 2 / (contrast[:, :, 0] + 0.5)).flatten(1)
    assert 0 <= scale.min() < 0.02 and 1.98 < scale.max() <= 2
    grey = images(2, 9, 1, 4, 4).expand(2, 9, 3, 4, 4)
    saturated = augment(grey, 1, 2, **only(color=True))
    torch.testing.assert_close(saturated[:, :, 0], saturated[:, :, 2])


def test_translation_reaches_every_offset_up_to_an_eighth():
    samples = torch.zeros(2, 2000, 1, 16, 24)
    samples[..., 8, 12] = 1.0
    moved = augment(samples, 1, 2, **only(translation=True)).reshape(4000, 16, 24)
    assert (moved.sum((1, 2)) == 1).all()
    at = moved.flatten(1).argmax(1)
    for offset, most in ((at // 24 - 8, 2), (at % 24 - 12, 3)):
        values, counts = offset.unique(return_counts=True)
        assert values.tolist() == list(range(-most, most + 1))
        assert (counts / 4000 - 1 / (2 * most + 1)).abs().max() < 0.03


def test_translation_fills_with_zero():
    moved = augment(torch.ones(1, 50, 1, 8, 8), 1, **only(translation=True))[0, :, 0]
    assert set(moved.unique().tolist()) == {0.0, 1.0}
    assert set(moved.sum((1, 2)).tolist()) == {64.0, 56.0, 49.0}


@pytest.mark.parametrize(("side", "length", "shortest", "last"), [(8, 4, 2, 6), (6, 3, 2, 4)])
def test_cutout_is_one_box_whose_centre_is_anywhere(side, length, shortest, last):
    seen = augment(torch.ones(2, 2000, 2, side, side), 1, 2, **only(cutout=True)).reshape(4000, 2, side, side)
    assert torch.equal(seen[:, 0], seen[:, 1])
    gone = seen[:, 0] == 0
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(gone, rows.unsqueeze(2) & columns.unsqueeze(1))  # a box
    for axis in (rows, columns):
        lengths, first = axis.sum(1), axis.int().argmax(1)
        assert set(lengths.tolist()) == set(range(shortest, length + 1))
        assert set(first.tolist()) == set(range(last + 1))
        assert all(torch.equal(row.nonzero().squeeze(1).diff().unique(), torch.tensor([1])) for row in axis[:200])


def test_the_gradient_of_a_cut_image_is_its_mask():
    samples = images(1, 20, 1, 8, 8).requires_grad_()
    seen = augment(samples, 1, **only(cutout=True))
    (slope,) = torch.autograd.grad(seen.sum(), samples)
    assert torch.equal(slope, (seen != 0).double()) and 0.6 < slope.mean() < 0.95


def test_draws_belong_to_the_sample_the_cell_and_the_stream():
    samples = images(1, 1, 3, 8, 8).expand(3, 6, 3, 8, 8)
    seen = augment(samples, 1, 2, 1)
    assert torch.equal(seen[0], seen[2]) and not torch.equal(seen[0], seen[1])
    assert len({tuple(image.flatten().tolist()) for image in seen[:2].reshape(12, -1)}) == 12
    assert torch.equal(seen, augment(samples, 1, 2, 1))
    source, technique = noise(1, 2), techniques.create("diff_augment")
    first, again = (technique.seen(samples[:2], source, 0) for _ in range(2))
    assert torch.equal(first, seen[:2]) and not torch.equal(first, again)


def test_a_cell_is_seen_alike_alone_and_in_company():
    samples = images(2, 4, 1, 8, 8)
    together = augment(torch.stack([samples[0], samples[1] * torch.nan]), 7, 8)
    assert torch.equal(together[:1], augment(samples[:1], 7)) and together[1].isnan().any()


def test_nothing_chosen_changes_nothing_and_points_are_refused():
    samples = images(1, 2, 1, 8, 8)
    assert augment(samples, 1, **only()) is samples
    technique = techniques.create("diff_augment")
    assert technique.refusal((3, 8, 8), 64, None) is None
    assert "images" in technique.refusal((2,), 64, None)
