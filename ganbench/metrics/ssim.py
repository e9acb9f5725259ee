"""Structural similarity of two pictures, at several scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, the finest first (Wang et al. 2003, section 3.2)


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the MS-SSIM `(n,)` of pictures `(n, c, h, w)` in [0, 255], in [0, 1] (Wang et al. 2003).

    By a Gaussian window of 11 px, sigma 1.5, where it fits whole, each channel on its own and then their mean. Between
    scales pictures are halved by the mean of 2 x 2 px (at an odd border of what there is). There are five scales, or as
    many as fit; the weights of those sum to one. A negative mean counts as 0, which has a root. ValueError for pictures
    smaller than the window.
    """
    import torch

    count = scales(min(a.shape[-2:]))
    if not count:
        raise ValueError(f"pictures of {a.shape[-2]} x {a.shape[-1]} px are smaller than the window of {WINDOW} px")
    weights = a.new_tensor(WEIGHTS[:count])
    found = []
    for scale in range(count):
        if scale:
            a, b = (torch.nn.functional.avg_pool2d(x, 2, ceil_mode=True) for x in (a, b))
        luminance, structure = _at_one_scale(a, b)
        # the luminance counts at the coarsest scale alone
        found.append((structure * luminance if scale == count - 1 else structure).mean(dim=(-2, -1)))
    by_scale = torch.stack(found, dim=-1).clamp(min=0)
    return (by_scale ** (weights / weights.sum())).prod(dim=-1).mean(dim=1)


def scales(side: int) -> int:
    """Return at how many scales, of five, a window fits into pictures of this side."""
    count = 0
    while side >= WINDOW and count < len(WEIGHTS):
        side, count = -(-side // 2), count + 1
    return count


def _at_one_scale(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return luminance, and contrast times structure, around every pixel that has a whole window around it."""
    import torch

    smooth = _smooth(torch.cat([a, b, a * a, b * b, a * b]))
    mean_a, mean_b, squared_a, squared_b, product = torch.split(smooth, len(a))
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    covariance, variances = product - mean_a * mean_b, squared_a - mean_a**2 + squared_b - mean_b**2
    return luminance, (2 * covariance + C2) / (variances + C2)


def _smooth(pictures: Tensor) -> Tensor:
    """Return the means under the window, rows first and then columns."""
    import torch

    offsets = torch.arange(WINDOW, dtype=pictures.dtype, device=pictures.device) - WINDOW // 2
    window = (-(offsets**2) / (2 * SIGMA**2)).exp()
    window = window / window.sum()
    single = pictures.flatten(0, 1)[:, None]
    smooth = torch.nn.functional.conv2d(single, window.view(1, 1, -1, 1))
    smooth = torch.nn.functional.conv2d(smooth, window.view(1, 1, 1, -1))
    return smooth.reshape(*pictures.shape[:2], *smooth.shape[-2:])
