"""What cells kept for the report, as pictures: latents over training, densities, D's surface, nearest training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganbench.reporting.colours import colours
from ganbench.reporting.figures.modes import MODES
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import ordered
from ganbench.reporting.parts import Folded, Gallery, Part, Picture, Text, choice
from ganbench.reporting.pictures import Axes, axes_of, png, rgb, tile
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.soundness import Arrays, sound
from ganbench.reporting.wording import count, joined
from ganbench.sample_picture import image_grid

STRIP = 200  # pixels of a grid or scatter
LEVELS = 64
SEEDS = 3  # whose densities and surfaces are shown
SMALL = ("mode_counts", "mode_weights", "absent")
FLAT = 0.02  # between the largest and the smallest probability of a surface that shows nothing
FAKE, REAL = "#d55e00", "#0072b2"


def kept(frame: Frame, ranking: Ranking) -> dict[int, Arrays]:
    """Read what the cells of a ranking kept for pictures; cells scored by an older ganbench kept nothing.

    Of all but the first few seeds that kept something only what is small: thousands of cells would fill the memory.
    """
    found: dict[int, Arrays] = {}
    seeds: set[int] = set()
    for place in sorted(map(int, ranking.cells.index), key=lambda place: frame.suite.listed[place].seed):
        listed = frame.suite.listed[place]
        arrays = frame.store.pictures(listed.key, listed.evaluation_key) if place in frame.scores else None
        if arrays is not None:
            seeds.add(listed.seed)
            arrays = sound(arrays)
            found[place] = arrays if len(seeds) <= SEEDS else {name: arrays[name] for name in SMALL if name in arrays}
    return found


def by_step(frame: Frame, ranking: Ranking, pictures: Mapping[int, Arrays], budget: int) -> Part | None:
    """Show what the same latents of the first seed give step by step, in about `budget` bytes."""
    first = _of_seed(frame, ranking, pictures, _seeds(frame, pictures)[:1])
    first = [place for place in first if _drawable(pictures[place])]
    if not first:
        return None
    steps = sorted({int(step) for place in first for step in pictures[place]["steps"]})
    axes = axes_of(frame, ranking.dataset, [pictures[place]["by_step"][-1] for place in first])
    palette = colours(frame.objectives)
    probe = tile(pictures[first[0]]["by_step"][-1], palette[_objective(frame, first[0])], axes, STRIP)
    most = max(2, budget // (len(probe) * len(first)))
    if len(steps) > most:
        steps = [steps[round(k)] for k in np.linspace(0, len(steps) - 1, most)]
    place_of = {str(frame.cells.at[place, "contender"]): place for place in first}
    options: list[tuple[str, Part | None]] = []
    for step in steps:
        tiles = []
        for standing in ordered(frame, ranking):
            place = place_of.get(standing.contender)
            lost = Picture("", standing.contender, "no samples", "", standing.objective)
            tiles.append(lost if place is None else _at(frame, pictures[place], place, step, axes))
        options.append((str(step), Gallery(tuple(tiles), strip=True)))
    return choice("G step", options, slider=True)


def _drawable(arrays: Arrays) -> bool:
    """Say whether there are several steps of images, or of points that have two coordinates."""
    samples = arrays.get("by_step")
    return samples is not None and len(samples) > 1 and (samples.ndim == 5 or samples.shape[-1] >= 2)


def _at(frame: Frame, arrays: Arrays, place: int, step: int, axes: Axes | None) -> Picture:
    """Draw what a cell made at a step; of one that had ended by then, say so."""
    objective, name, steps = _objective(frame, place), str(frame.cells.at[place, "contender"]), arrays["steps"].tolist()
    if step not in steps:
        remark = f"{_ended(frame, place)} before" if step > steps[-1] else "not kept at this step"
        return Picture("", name, remark, "", objective)
    uri = tile(arrays["by_step"][steps.index(step)], colours(frame.objectives)[objective], axes, STRIP)
    return Picture(uri, name, "", f"Samples of {name} at G step {step}", objective, axes is None)


def _ended(frame: Frame, place: int) -> str:
    return str(frame.cells.at[place, "outcome"]).replace("_", " ")


def planes(frame: Frame, ranking: Ranking, pictures: Mapping[int, Arrays], budget: int) -> list[Part]:
    """Show densities beside the truth, and D over the plane beside the best D there is.

    Of a few seeds, of which those after the first fit in about `budget` bytes.
    """
    densities: list[tuple[str, Part | None]] = []
    surfaces: list[tuple[str, Part | None]] = []
    seeds = _seeds(frame, pictures)
    for seed in seeds[:SEEDS]:
        places = _of_seed(frame, ranking, pictures, [seed])
        drawn = [_densities(frame, pictures, places), _surfaces(frame, pictures, places)]
        budget -= sum(len(picture.uri) for gallery in drawn if gallery for picture in gallery.pictures)
        if budget < 0 and densities:
            break
        densities.append((f"Seed {seed}", drawn[0]))
        surfaces.append((f"Seed {seed}", drawn[1]))
    found: list[Part] = []
    cut = f" The first {len(densities)} of {count(len(seeds), 'seed')}." if len(densities) < len(seeds) else ""
    if (shown := choice("Seed", densities)) is not None:
        told = f"Where the samples fall, beside the truth. All panels show the same square with the same darkness.{cut}"
        found += [Text(told, "Densities"), shown]
    if (shown := choice("Seed", surfaces)) is not None:
        told = (
            "What D holds for the probability that a point is real (blue: real, orange: fake, clear: undecided), and "
            "beside it the best there is against this generator, p / (p + q), where either has points. Of a D that "
            f"holds no probability its output is shown, blue where it is largest. Grey: the same everywhere.{cut}"
        )
        found += [Text(told, "D over the plane"), shown]
    return found


def _densities(frame: Frame, pictures: Mapping[int, Arrays], places: Sequence[int]) -> Gallery | None:
    there = [place for place in places if "generated" in pictures[place]]
    true = next((pictures[place]["truth"] for place in there if "truth" in pictures[place]), None)
    if not there or true is None:
        return None
    palette, darkest = colours(frame.objectives), float(true.astype(float).max())
    tiles = [Picture(_density(true, "#808080", darkest), "truth", "", "Density of the truth", "", True)]
    for place in there:
        objective, name = _objective(frame, place), str(frame.cells.at[place, "contender"])
        uri = _density(pictures[place]["generated"], palette[objective], darkest)
        tiles.append(Picture(uri, name, "", f"Density of {name}", objective, True))
    return Gallery(tuple(tiles), strip=True)


def _surfaces(frame: Frame, pictures: Mapping[int, Arrays], places: Sequence[int]) -> Gallery | None:
    tiles = []
    for place in places:
        arrays, objective, name = pictures[place], _objective(frame, place), str(frame.cells.at[place, "contender"])
        if "surface" in arrays:
            values, what = arrays["surface"].astype(float), "D"
            flat, shown = FLAT, 2 * values - 1
        elif "logits" in arrays:
            values, what = arrays["logits"].astype(float), "output of D"
            flat, shown = 0.0, _centred(values)
        else:
            continue
        known = values[np.isfinite(values)]
        remark = f"{what}: {float(known.mean()):.3g} everywhere" if known.size and np.ptp(known) <= flat else what
        uri = _diverging(shown) if remark == what else _even(shown)
        tiles.append(Picture(uri, name, remark, f"{remark} of {name} over the plane", objective, True))
        if "best" in arrays:
            best = _diverging(2 * arrays["best"].astype(float) - 1)
            tiles.append(
                Picture(best, name, "the best D", f"The best D against {name} over the plane", objective, True)
            )
    return Gallery(tuple(tiles), strip=True) if tiles else None


def neighbours(frame: Frame, ranking: Ranking, pictures: Mapping[int, Arrays], budget: int) -> Part | None:
    """Show the first samples of the first seed above the training rows that are nearest to them."""
    tiles, first = [], _of_seed(frame, ranking, pictures, _seeds(frame, pictures)[:1])
    for place in first:
        arrays, listed = pictures[place], frame.suite.listed[place]
        rows = arrays.get("neighbours")
        if rows is None or rows.ndim != 4 or not len(rows):
            continue
        samples = frame.store.samples(listed.key, listed.evaluation_key)
        if samples is None:
            continue
        pairs = np.concatenate([samples[: len(rows)], rows])
        name, distances = str(frame.cells.at[place, "contender"]), arrays["neighbour_distances"].astype(float)
        usual = arrays["real_distances"].astype(float)[-1] if "real_distances" in arrays else np.nan
        remark = f"median distance {np.median(distances):.3g}; of real ones {usual:.3g}"
        uri = "data:image/png;base64," + png(image_grid(pairs, len(rows), 2 * STRIP, square=False))
        tiles.append(
            Picture(
                uri,
                name,
                remark,
                f"Samples of {name} above their nearest training rows",
                _objective(frame, place),
                True,
            )
        )
        budget -= len(uri)
        if budget < 0:
            break
    cut = f" Only the first {len(tiles)} of {len(ranking.standings)} contenders." if budget < 0 else ""
    if not tiles:
        return None
    told = (
        "Above: the first samples of the first seed, unselected. Below each: the training row nearest to it, in the "
        "features that the scores read. A generator that copies shows the same picture twice, at a distance near 0."
        f"{cut}"
    )
    return Folded("Nearest training rows", (Text(told), Gallery(tuple(tiles))))


def absent(frame: Frame, ranking: Ranking, pictures: Mapping[int, Arrays]) -> list[str]:
    """Say what cells could not keep, and why, each reason once; and which kept nothing."""
    found: dict[tuple[str, str], int] = {}
    scored = [place for place in map(int, ranking.cells.index) if place in frame.scores and frame.scores[place].rows]
    old = [place for place in scored if place not in pictures]
    for place, arrays in pictures.items():
        for text in arrays.get("absent", np.array([])).tolist():
            key = (str(frame.cells.at[place, "contender"]), str(text))
            found[key] = found.get(key, 0) + 1
    sentences = [f"{name}: {text} ({count(cells, 'cell')})" for (name, text), cells in found.items()]
    modes = max((a["mode_counts"].shape[1] for a in pictures.values() if "mode_counts" in a), default=0)
    if modes > MODES:
        sentences.append(f"{count(modes, 'mode')} are too many to be drawn one by one (at most {MODES}).")
    if old:
        theirs = {str(frame.cells.at[place, "contender"]) for place in old}
        names = joined([s.contender for s in ranking.standings if s.contender in theirs])
        sentences.append(
            f"{count(len(old), 'cell')} of {names}: nothing but samples was kept, since an older ganbench scored them. "
            "Samples step by step, nearest training rows, modes by seed, densities and D need cells scored by this one."
        )
    return sentences


def _density(values: NDArray[np.generic], colour: str, darkest: float) -> str:
    levels = np.rint(np.sqrt(np.clip(values.astype(float) / darkest, 0, 1)) * (LEVELS - 1)).astype(np.uint8)
    return _painted(levels, [*rgb(colour) * LEVELS], [round(255 * k / (LEVELS - 1)) for k in range(LEVELS)])


def _diverging(values: NDArray[np.float64]) -> str:
    """Draw numbers from -1 (fake) over 0 (clear) to 1 (real); those that are not known are clear."""
    known = np.nan_to_num(np.clip(values, -1, 1))
    levels = np.rint(np.abs(known) * (LEVELS // 2 - 1)).astype(np.uint8)
    levels[known > 0] += LEVELS // 2
    alpha = [round(230 * k / (LEVELS // 2 - 1)) for k in range(LEVELS // 2)]
    return _painted(levels, [*rgb(FAKE) * (LEVELS // 2), *rgb(REAL) * (LEVELS // 2)], alpha * 2)


def _even(values: NDArray[np.float64]) -> str:
    """Draw a surface without relief: grey, where a clear tile would look like one that is missing."""
    return _painted(np.zeros(values.shape, np.uint8), [*rgb("#808080")], [70])


def _centred(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logits around their median, in units of what all but a few stay within; those not finite are unknown."""
    known = logits[np.isfinite(logits)]
    if not known.size:
        return np.full_like(logits, np.nan)
    middle = float(np.median(known))
    reach = max(float(np.quantile(np.abs(known - middle), 0.98)), 1e-9)
    return np.where(np.isfinite(logits), (logits - middle) / reach, np.nan)


def _painted(levels: NDArray[np.uint8], palette: list[int], alpha: list[int]) -> str:
    picture = Image.fromarray(np.ascontiguousarray(levels[::-1])).convert("P")  # the lowest y is the last row of pixels
    picture.putpalette(palette)
    return "data:image/png;base64," + png(picture, bytes(alpha))


def _seeds(frame: Frame, pictures: Mapping[int, Arrays]) -> list[int]:
    return sorted({frame.suite.listed[place].seed for place in pictures})


def _of_seed(frame: Frame, ranking: Ranking, pictures: Mapping[int, Arrays], seeds: Sequence[int]) -> list[int]:
    """List the cells of some seeds that kept pictures, in the order of the suite."""
    order = {standing.contender: place for place, standing in enumerate(ordered(frame, ranking))}
    mine = [place for place in pictures if frame.suite.listed[place].seed in seeds]
    return sorted(mine, key=lambda place: order[str(frame.cells.at[place, "contender"])])


def _objective(frame: Frame, place: int) -> str:
    return frame.suite.listed[place].objective
