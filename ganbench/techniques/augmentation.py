"""Random changes of images `(cells, batch, channels, height, width)`: each sample draws its own, without a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise

# The part of a side by which an image is shifted at most, in consistency regularisation and in DiffAugment alike.
SHIFT = 0.125


def per_sample(images: Tensor, noise: Noise) -> Tensor:
    """Draw one number from U[0, 1) for each image, shaped to be multiplied with it."""
    return noise.uniform((images.shape[1], 1, 1, 1))


def whole_numbers(batch: int, low: int, high: int, noise: Noise) -> Tensor:
    """Draw whole numbers `(cells, batch)` from low to high, both included."""
    return (noise.uniform((batch,)) * (high - low + 1)).long() + low


def mirrored(images: Tensor, noise: Noise) -> Tensor:
    """Mirror each image left to right with probability 1/2."""
    return images.flip(-1).where(per_sample(images, noise) < 0.5, images)


def shifted(images: Tensor, noise: Noise, border: Literal["zero", "repeated"]) -> Tensor:
    """Move each image by up to an eighth of its side each way, and fill what comes in."""
    import torch

    batch, _, *sides = images.shape[1:]
    places, inside = [], []
    for side in sides:
        most = int(side * SHIFT + 0.5)
        by = whole_numbers(batch, -most, most, noise)
        source = torch.arange(side, device=images.device) - by.unsqueeze(-1)
        places.append(source.clamp(0, side - 1))
        inside.append((source >= 0) & (source < side))
    rows, columns = places
    index = (rows.unsqueeze(-1) * sides[1] + columns.unsqueeze(-2)).flatten(2).unsqueeze(2)
    moved = images.flatten(3).gather(-1, index.expand(images.flatten(3).shape)).reshape(images.shape)
    if border == "repeated":
        return moved
    return moved * (inside[0].unsqueeze(-1) & inside[1].unsqueeze(-2)).unsqueeze(2)


def cut_out(images: Tensor, noise: Noise, ratio: float = 0.5) -> Tensor:
    """Set a box of each image to 0, `ratio` of its sides long, whose centre is anywhere in the image."""
    import torch

    batch, _, *sides = images.shape[1:]
    inside = []
    for side in sides:
        length = int(side * ratio + 0.5)
        first = whole_numbers(batch, 0, side - length % 2, noise).unsqueeze(-1) - length // 2
        at = torch.arange(side, device=images.device)
        inside.append((at >= first) & (at < first + length))
    return images * ~(inside[0].unsqueeze(-1) & inside[1].unsqueeze(-2)).unsqueeze(2)
