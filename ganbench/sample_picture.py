"""Samples as one picture: a grid of images, or a scatter of 2-D points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

SIDE = 512
GREY = 128  # between the images of a grid: visible on light and on dark


def image_grid(samples: NDArray[Any], columns: int, width: int, square: bool = True) -> Image:
    """Set images (uint8 NCHW) in rows of so many, a pixel apart, enlarged to about `width` pixels.

    A square has at most as many rows as columns; what is left over is not shown.
    """
    import numpy as np
    from PIL import Image

    images = np.asarray(samples[: columns * columns] if square else samples, dtype=np.uint8)
    channels, high, wide = images.shape[1:]
    channels = 3 if channels >= 3 else 1
    rows = math.ceil(len(images) / columns)
    sheet = np.full((rows * (high + 1) - 1, columns * (wide + 1) - 1, channels), GREY, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (high + 1), place % columns * (wide + 1)
        sheet[top : top + high, left : left + wide] = image[:channels].transpose(1, 2, 0)
    picture = Image.fromarray(sheet if channels == 3 else sheet[:, :, 0])
    factor = max(1, width // picture.width)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def sample_picture(samples: NDArray[Any]) -> Image | None:
    """Draw images as a grid of up to 8 x 8 and 2-D points as dots; None for what is neither."""
    import numpy as np
    from PIL import Image, ImageDraw

    if samples.ndim == 4 and len(samples):
        return image_grid(samples, min(8, math.isqrt(len(samples))), SIDE)
    if samples.ndim == 2 and samples.shape[1] == 2:
        points = samples[np.isfinite(samples).all(1)].astype(float)
        reach = max(float(np.abs(points).max(initial=0.0)) * 1.1, 1e-6)
        image = Image.new("L", (SIDE, SIDE), 255)
        draw = ImageDraw.Draw(image)
        for x, y in (points * [1, -1] / reach + 1) * SIDE / 2:
            draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=0)
        return image
    return None
