"""Which modes a generator reaches, seed by seed, and what it gives up for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganbench.reporting.drawing import (
    FAINT,
    Sheet,
    Spec,
    category,
    grid,
    inks,
    layered,
    linear_scale,
    number,
    short,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import legend, ordered
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import n_of, percent, places
from ganbench.reporting.wording import number as written

MODES = 100  # of more, each alone is too narrow to be seen
SQUARES = 1500
PAIRS = (("precision", "recall"), ("density", "coverage"), ("high_quality", "modes"))

Pictures = Mapping[int, Mapping[str, NDArray[np.generic]]]


def frequency_figure(frame: Frame, ranking: Ranking, pictures: Pictures) -> Figure | None:
    """Draw how often each mode is hit by each seed, against how often it should be."""
    cells = ranking.cells[ranking.cells.index.isin([p for p, arrays in pictures.items() if "mode_counts" in arrays])]
    if cells.empty:
        return None
    modes = max(pictures[int(place)]["mode_counts"].shape[1] for place in cells.index)
    room = max(2, SQUARES // (modes * cells["contender"].nunique()))
    seeds = sorted({int(seed) for seed in cells["seed"]})
    if modes > MODES:
        return None
    ink, sheet = inks(frame.objectives), Sheet()
    panels: list[Spec] = []
    rows: list[dict[str, float | str]] = []
    for standing in ordered(frame, ranking):
        mine = cells[(cells["contender"] == standing.contender) & cells["seed"].isin(seeds[:room])]
        found = [
            row
            for place, seed in zip(mine.index, mine["seed"], strict=True)
            for row in _row(pictures[int(place)], int(seed))
        ]
        if not found:
            continue
        rows += [{"contender": standing.contender, **row} for row in found]
        data = pd.DataFrame(found)
        data["tip"] = [
            ink[standing.objective].tip(
                f"{standing.contender}, seed {seed}, mode {mode + 1}: {percent(share)} of the samples, "
                f"{percent(true)} in truth",
                int(seed),
            )
            for seed, mode, share, true in zip(data["seed"], data["mode"], data["share"], data["true"], strict=True)
        ]
        scale = {"domain": [0, 1, 3], "range": ["#d55e00", "#88888822", "#0072b2"], "clamp": True}
        legend = (
            None if panels else {"title": "share / true share", "orient": "top", "gradientLength": 120, "tickCount": 3}
        )
        squares = sheet.layer(
            data.drop(columns=["share", "true"]),
            {"type": "rect", "stroke": FAINT, "strokeWidth": 0.3},
            {
                "x": category("mode", [], {"labels": False, "ticks": False, "grid": False})
                | {"type": "ordinal", "sort": None},
                "y": category("seed", [], {"grid": False}) | {"type": "ordinal", "sort": None},
                "color": number("ratio", scale) | {"legend": legend},
            },
        )
        panels.append(layered(squares, title=short(standing.contender), width=210, height={"step": 14}))
    if not rows:
        return None
    cut = "" if len(seeds) <= room else f" The first {room} of {len(seeds)} seeds."
    caption = (
        f"Modes by seed at the last evaluation (n = {min(len(seeds), room)} seeds, a row each, no interval): the "
        f"share of the high-quality samples that falls on each of the {modes} modes, against its true share. Orange: "
        f"missed or too rare; grey: right; blue: too often.{cut}"
    )
    alternative = f"Frequency of each mode by seed on {ranking.dataset}, one panel per contender"
    return sheet.figure(grid(panels), f"{ranking.slug}-frequencies", caption, alternative, pd.DataFrame(rows))


def _row(arrays: Mapping[str, NDArray[np.generic]], seed: int) -> list[dict[str, float]]:
    """Return a row per mode of the last step that could be read: nothing where no sample was of high quality."""
    counts = arrays["mode_counts"].astype(float)
    read = counts[(counts >= 0).all(axis=1)]
    if not len(read):
        return []
    weights = arrays["mode_weights"].astype(float)
    shares = read[-1] / max(1.0, float(read[-1].sum()))
    return [
        {"seed": seed, "mode": mode, "share": share, "true": true, "ratio": min(share / true, 3.0) if true else 0.0}
        for mode, (share, true) in enumerate(zip(shares.tolist(), weights.tolist(), strict=True))
    ]


def trade_figures(frame: Frame, ranking: Ranking) -> list[tuple[str, Figure]]:
    """Draw quality against variety, a figure for each pair of values that tells them apart."""
    found = []
    for quality, variety in PAIRS:
        columns = [f"{quality}_final", f"{variety}_final"]
        if all(column in ranking.cells and ranking.cells[column].notna().any() for column in columns):
            titles = tuple(frame.title(ranking.dataset, value) for value in (quality, variety))
            found.append(
                (f"{titles[0]}, {titles[1]}", _trade(frame, ranking, (quality, variety), (titles[0], titles[1])))
            )
    return found


def _trade(frame: Frame, ranking: Ranking, values: tuple[str, str], titles: tuple[str, str]) -> Figure:
    columns = [f"{value}_final" for value in values]
    data = ranking.cells[["contender", "objective", "seed", *columns]].dropna()
    data = data.rename(columns=dict(zip(columns, ("quality", "variety"), strict=True)))
    ink, digits = inks(frame.objectives), [places(data[name]) for name in ("quality", "variety")]
    data["tip"] = [
        ink[str(objective)].tip(
            ""
            if ranking.crowded()
            else f"{name}, seed {seed}: {titles[0]} {written(a, digits[0])}, {titles[1]} {written(b, digits[1])}",
            int(seed),
        )
        for name, objective, seed, a, b in zip(*(data[column] for column in data), strict=True)
    ]
    middles = data.groupby(["contender", "objective"], sort=False)[["quality", "variety"]].median().reset_index()
    middles["tip"] = [
        ink[str(o)].tip(f"{name}: medians") for name, o in zip(middles["contender"], middles["objective"], strict=True)
    ]
    told = legend(frame, data["contender"])
    scales = [linear_scale(float(data[name].min()), float(data[name].max())) for name in ("quality", "variety")]
    place = {
        "x": number("quality", scales[0], titles[0]),
        "y": number("variety", scales[1], titles[1]),
        "color": told.colour,
    }
    sheet = Sheet()
    chart = layered(
        sheet.layer(data, {"type": "circle", "size": 28, "opacity": 0.45}, place),
        sheet.layer(
            middles, {"type": "point", "size": 110, "filled": True, "opacity": 1}, {**place, "shape": told.shape}
        ),
        width=380,
        height=260,
    )
    chart["padding"] = {"left": 5, "top": 5, "right": 60, "bottom": 5}
    counted = n_of(data.groupby("contender")["seed"].count())
    caption = (
        f"{titles[1]}, which falls when modes are lost, against {titles[0]}, which falls when samples are poor, at "
        f"the end: small dots are single seeds, large marks their medians ({counted}), no interval."
    )
    alternative = f"{titles[1]} against {titles[0]} on {ranking.dataset}"
    shown = data[["contender", "seed", "quality", "variety"]].rename(
        columns={"quality": values[0], "variety": values[1]}
    )
    return sheet.figure(chart, f"{ranking.slug}-{values[0]}-{values[1]}", caption, alternative, shown)
