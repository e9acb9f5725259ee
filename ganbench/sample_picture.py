"""One small picture of a cell's samples, for MLflow's list of artifacts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

SIDE = 512


def sample_picture(samples: NDArray[Any]) -> Image | None:
    """Draw images as a grid of up to 8 x 8 and 2-D points as dots; None for what is neither."""
    import numpy as np
    from PIL import Image, ImageDraw

    if samples.ndim == 4 and samples.shape[1] in (1, 3) and len(samples):
        columns = min(8, math.isqrt(len(samples)))
        chosen = samples[: columns * columns].transpose(0, 2, 3, 1)
        _, height, width, channels = chosen.shape
        grid = chosen.reshape(columns, columns, height, width, channels).swapaxes(1, 2)
        image = Image.fromarray(grid.reshape(columns * height, columns * width, channels).squeeze())
        scale = max(1, SIDE // image.width)
        return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    if samples.ndim == 2 and samples.shape[1] == 2:
        points = samples[np.isfinite(samples).all(1)].astype(float)
        reach = max(float(np.abs(points).max(initial=0.0)) * 1.1, 1e-6)
        image = Image.new("L", (SIDE, SIDE), 255)
        draw = ImageDraw.Draw(image)
        for x, y in (points * [1, -1] / reach + 1) * SIDE / 2:
            draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=0)
        return image
    return None
