"""Pictures of samples as PNG data URIs: grids of images, and scatters of 2-D points over the true modes."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ganbench.reporting.colours import colours
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import ordered
from ganbench.reporting.parts import Folded, Gallery, Part, Picture, Text
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import count, percent
from ganbench.sample_picture import GREY, image_grid

TILE, STRIP, GRID = 420, 220, 200  # pixels of a scatter, and of a grid of images
LEVELS = 32
SEEDS = 12  # whose samples are shown, the first ones: pictures are dear, and more tell no more
OPACITY = 0.35

Samples = NDArray[np.generic]


@dataclass(frozen=True)
class Axes:
    """The square that every scatter of a dataset shows, its true modes and their ring's radius."""

    middle: tuple[float, float]
    half: float
    centres: tuple[tuple[float, float], ...]
    radius: float


def gallery(frame: Frame, ranking: Ranking, budget: int) -> list[Part]:
    """Draw the samples of every cell of a ranking in at most about `budget` bytes: one seed's, and folded all."""
    seed = int(ranking.cells["seed"].min())
    cells = {s.contender: ranking.of[s.contender] for s in ordered(frame, ranking)}
    first = [int(mine.index.to_numpy()[mine["seed"].to_numpy().argmin()]) for mine in cells.values()]
    seeds = sorted({int(seed) for seed in ranking.cells["seed"]})
    shown = {name: mine[mine["seed"].isin(seeds[:SEEDS])].sort_values("seed") for name, mine in cells.items()}
    every = [int(place) for mine in shown.values() for place in mine.index]
    read = {place: _samples(frame, place) for place in dict.fromkeys([*first, *every])}
    kept = {place: samples for place, samples in read.items() if samples is not None}
    if not kept:
        return []
    axes = axes_of(frame, ranking.dataset, list(kept.values()))
    tiles = _pictures(frame, first, kept, axes, TILE, (6, 4, 2), budget // 2, by_seed=False)
    strips = _pictures(frame, every, kept, axes, STRIP, (4, 3, 2), budget // 2, by_seed=True)
    by_contender: list[Part] = []
    for name, mine in shown.items():
        pictures = tuple(strips[int(place)] for place in mine.index)
        by_contender += [Text("", name), Gallery(pictures, strip=True)]
    return [
        Gallery(tuple(tiles.values()), _caption(kept, axes, seed)),
        Folded(
            "Samples of every seed" if len(seeds) <= SEEDS else f"Samples of the first {SEEDS} of {len(seeds)} seeds",
            tuple(by_contender),
        ),
    ]


def _samples(frame: Frame, place: int) -> Samples | None:
    listed = frame.suite.listed[place]
    samples = frame.store.samples(listed.key, listed.evaluation_key) if place in frame.scores else None
    drawable = samples is not None and len(samples) > 0 and (samples.ndim == 4 or samples.shape[-1] >= 2)
    return samples if drawable else None


def _pictures(
    frame: Frame,
    cells: Sequence[int],
    kept: dict[int, Samples],
    axes: Axes | None,
    size: int,
    sides: Sequence[int],
    budget: int,
    by_seed: bool,
) -> dict[int, Picture]:
    """Draw cells with the largest grid whose pictures fit the budget, judged by the first of them."""
    palette = colours(frame.objectives)
    colour = {place: palette[str(frame.cells.at[place, "objective"])] for place in cells}
    with_samples, usual = [place for place in cells if place in kept], min(frame.suite.listed[p].seed for p in cells)
    side = sides[0]
    for side in sides:
        if not with_samples:
            break
        probe = _uri(kept[with_samples[0]], colour[with_samples[0]], axes, size, side)
        if len(probe) * len(with_samples) <= budget:
            break
    pictures = {}
    for place in cells:
        uri = _uri(kept[place], colour[place], axes, size, side) if place in kept else ""
        row = frame.cells.loc[place]
        title = f"seed {row['seed']}" if by_seed else str(row["contender"])
        alt = f"Samples of {row['contender']} on {row['dataset']}, seed {row['seed']}"
        remark = _remark(str(row["outcome"]), kept.get(place), axes)
        if not by_seed and row["seed"] != usual:
            remark = f"seed {row['seed']}{remark and f', {remark}'}"
        pictures[place] = Picture(
            uri, title, remark, alt, str(row["objective"]), axes is None, int(frame.suite.listed[place].seed)
        )
    return pictures


def _remark(outcome: str, samples: Samples | None, axes: Axes | None) -> str:
    words = [] if outcome == "completed" else [outcome.replace("_", " ")]
    if samples is None:
        words.append("no samples")
    elif axes is not None and samples.ndim == 2:
        inside = np.abs(samples[:, :2].astype(np.float64) - axes.middle).max(axis=1) <= axes.half
        outside = 1 - float(inside.mean())
        words += [f"{percent(outside)} outside"] if outside > 0.005 else []
    return ", ".join(words)


def _caption(kept: dict[int, Samples], axes: Axes | None, seed: int) -> str:
    samples = next(iter(kept.values()))
    last = "at the last evaluation (of a diverged cell: the last one before it diverged)"
    if samples.ndim == 4:
        return f"Samples of seed {seed} {last}, unselected, enlarged without smoothing."
    rings = "; rings: the true modes, at three standard deviations" if axes is not None and axes.centres else ""
    points = count(len(samples), "generated point")
    return f"{points} of seed {seed} {last}, semi-transparent{rings}. All panels show the same square."


def axes_of(frame: Frame, dataset: str, samples: Sequence[Samples]) -> Axes | None:
    """Return the square that scatters of a dataset show; None where its samples are no points."""
    about = frame.suite.datasets.get(dataset, {})
    if samples[0].ndim != 2:
        return None
    centres = np.array(about.get("centres") or np.empty((0, 2)), dtype=np.float64)
    std = float(about.get("std") or 0.0)
    if len(centres):
        low, high = centres[:, :2].min(axis=0), centres[:, :2].max(axis=0)
    else:
        points = np.concatenate([s[:, :2].astype(np.float64) for s in samples])
        finite = points[np.isfinite(points).all(axis=1)]
        low, high = np.quantile(finite if len(finite) else np.zeros((1, 2)), (0.01, 0.99), axis=0)
    half = max(float((high - low).max()) / 2 * 1.3, 6 * std, 1e-6)
    middle = (low + high) / 2
    rings = tuple((float(x), float(y)) for x, y in centres[:, :2])
    return Axes((float(middle[0]), float(middle[1])), half, rings, 3 * std or half / 40)


def _uri(samples: Samples, colour: str, axes: Axes | None, size: int, side: int) -> str:
    if samples.ndim == 4 or axes is None:
        content = png(image_grid(samples, side, GRID))
    else:
        content = _scatter(samples, colour, axes, size)
    return f"data:image/png;base64,{content}"


def tile(samples: Samples, colour: str, axes: Axes | None, size: int) -> str:
    """Draw a few samples, points or as many images as make a square, as a data URI."""
    return _uri(samples, colour, axes, size, max(1, math.isqrt(len(samples))))


def _scatter(samples: Samples, colour: str, axes: Axes, size: int) -> str:
    """Draw points as levels of opacity in a palette: a third of the bytes of RGBA, on a transparent ground."""
    points = (samples[:, :2].astype(np.float64) - axes.middle) / axes.half  # the square is [-1, 1]
    points = points[(np.abs(points) < 1).all(axis=1)]
    column = ((points[:, 0] + 1) / 2 * (size - 1)).astype(int)
    row = ((1 - points[:, 1]) / 2 * (size - 1)).astype(int)
    hits = np.zeros((size + 2, size + 2))
    for down, right in ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1)):  # a dot of five pixels
        np.add.at(hits, (row + down, column + right), 1.0)
    level = np.rint((1 - (1 - OPACITY) ** hits[1:-1, 1:-1]) * (LEVELS - 1)).astype(np.uint8)
    rings = np.array(_rings(axes, size)) // (256 // LEVELS)
    pixels = np.where((level == 0) & (rings > 0), rings + LEVELS, level).astype(np.uint8)
    picture = Image.fromarray(pixels).convert("P")
    picture.putpalette([*rgb(colour) * LEVELS, *[GREY] * 3 * LEVELS])
    alpha = [round(255 * step / (LEVELS - 1)) for step in range(LEVELS)]
    return png(picture, bytes(alpha * 2))


def _rings(axes: Axes, size: int) -> Image.Image:
    scale = 3
    canvas = Image.new("L", (size * scale, size * scale))
    draw = ImageDraw.Draw(canvas)
    radius = max(axes.radius / axes.half * size / 2, 4.0) * scale
    for x, y in axes.centres:
        left = ((x - axes.middle[0]) / axes.half + 1) / 2 * (size - 1) * scale
        top = (1 - (y - axes.middle[1]) / axes.half) / 2 * (size - 1) * scale
        draw.ellipse((left - radius, top - radius, left + radius, top + radius), outline=255, width=scale)
    return canvas.resize((size, size), Image.Resampling.BOX)


def rgb(colour: str) -> list[int]:
    """Return a colour as three numbers."""
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def png(picture: Image.Image, transparency: bytes | None = None) -> str:
    """Return a picture as PNG in base64, as a data URI holds it."""
    buffer = io.BytesIO()
    if transparency is None:
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "PNG", optimize=True, transparency=transparency)
    return base64.b64encode(buffer.getvalue()).decode()
