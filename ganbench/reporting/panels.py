"""One contender's way through training, in a panel among those of others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ganbench.reporting.drawing import GREY, Ink, Sheet, Spec, layered, linear_scale, number, short, steps_axis, within
from ganbench.reporting.limits import ANY, Limits
from ganbench.stats import CENTRES, MEANS_FROM, Better, centre
from ganbench.stats.intervals import SAME

DOT: Spec = {"type": "point", "filled": True, "opacity": 1}
POINTS = 80  # of a trace, per contender: more cannot be seen in a panel


def curve_panel(
    sheet: Sheet,
    curves: pd.DataFrame,
    cells: pd.DataFrame,
    name: str,
    ink: Ink,
    scale: Spec,
    steps: float,
    better: Better,
    single: bool = True,
    limits: Limits = ANY,
) -> Spec:
    """Draw one contender's scores (columns cell, step, score): their centre with its band, and `single` seeds.

    `limits` are what a score can be. `cells` are the contender's. Where no step has all seeds there is no band, and
    single seeds are drawn in any case.
    """
    x, score, colour = steps_axis(steps), number("score", scale), ink.colour
    ended = dict(zip(cells.index.tolist(), zip(cells["seed"], cells["outcome"], strict=True), strict=True))
    tips = {
        place: ink.tip(
            f"{name}, seed {seed}" + ("" if outcome == "completed" else f" ({outcome.replace('_', ' ')})"), int(seed)
        )
        for place, (seed, outcome) in ended.items()
    }
    places = curves["cell"].astype(int).tolist()
    curves = curves.assign(tip=np.array([tips[place] for place in places], object))
    seeds, band = len(set(places)), centres(curves, better, limits)
    band = band[band["n"] == seeds]
    lost = curves[[ended[place][1] != "completed" for place in places]].sort_values("step").groupby("cell").tail(1)
    line = {"type": "line", "strokeWidth": 0.8, "opacity": 0.45, "color": colour}
    apart = {"x": x, "y": score, "detail": {"field": "cell", "type": "nominal"}}
    alone = curves[~curves["cell"].duplicated(keep=False)]  # one point has no line
    layers = [
        *([sheet.layer(curves, line, apart)] if single or band.empty else []),
        *([] if alone.empty else [sheet.layer(alone, DOT | {"color": colour, "size": 24, "opacity": 0.6}, apart)]),
        *_mean(sheet, band, f"{name}: {CENTRES[better]} of {seeds} seeds", ink, scale, steps),
    ]
    if not lost.empty:
        cross = {"type": "point", "shape": "cross", "angle": 45, "size": 90, "filled": True, "opacity": 1}
        layers.append(sheet.layer(lost, {**cross, "color": colour}, {"x": x, "y": score}))
    return layered(*layers, title=short(name))


def trace_panel(
    sheet: Sheet,
    traces: pd.DataFrame,
    name: str,
    ink: Ink,
    level: float | None,
    steps: float,
    scale: Spec | None = None,
    geometric: bool = False,
) -> Spec:
    """Draw what one contender recorded (columns step, score) with a dashed line at `level`.

    Without a scale the panel has its own, cut to the middle 98 % of the means; means may be `geometric`.
    """
    band = _geometric(traces) if geometric else _band(traces)
    band = band.iloc[:: max(1, math.ceil(len(band) / POINTS))]
    if scale is None:
        ends = [float(band["mean"].quantile(share)) for share in (0.01, 0.99)] + ([] if level is None else [level])
        scale = linear_scale(min(ends), max(ends))
    told = f"{name}: mean of up to {int(band['n'].max())} seeds"
    layers = _mean(sheet, band, told, ink, scale, steps)
    if level is not None:
        rule = {"type": "rule", "strokeDash": [5, 4], "color": GREY, "strokeWidth": 1.5}
        layers.append(sheet.layer(pd.DataFrame({"level": [level]}), rule, {"y": number("level", scale)}))
    return layered(*layers, title=short(name))


def _mean(sheet: Sheet, band: pd.DataFrame, told: str, ink: Ink, scale: Spec, steps: float) -> list[Spec]:
    if band.empty:
        return []
    band = within(band[["step", "mean", "low", "high"]], scale).assign(tip=ink.tip(told))
    x, mark = steps_axis(steps), {"color": ink.colour, "clip": True}
    if len(band) == 1:
        bar = {"type": "rule", "strokeWidth": 2.5, "opacity": 0.5, **mark}
        return [
            sheet.layer(band, bar, {"x": x, "y": number("low", scale), "y2": {"field": "high"}}),
            sheet.layer(band, {**DOT, "size": 60, "color": ink.colour}, {"x": x, "y": number("mean", scale)}),
        ]
    return [
        sheet.layer(
            band, {"type": "area", "opacity": 0.2, **mark}, {"x": x, "y": number("low", scale), "y2": {"field": "high"}}
        ),
        sheet.layer(band, {"type": "line", "strokeWidth": 2, **mark}, {"x": x, "y": number("mean", scale)}),
    ]


def _band(data: pd.DataFrame, limits: Limits = ANY) -> pd.DataFrame:
    """Return mean, t-interval and number of seeds at each step; bounds only where `mean_interval` would offer them."""
    found = moments(data)
    n, mean = found["count"].to_numpy(), found["mean"].to_numpy()
    half = np.full(len(n), np.nan)
    many = (n >= MEANS_FROM) & (2 * found["different"].to_numpy() > n)
    half[many] = _quantiles(n[many]) * found["std"].to_numpy()[many] / np.sqrt(n[many])
    low, high = np.maximum(mean - half, limits[0]), np.minimum(mean + half, limits[1])
    return pd.DataFrame({"step": found["step"], "n": n, "mean": mean, "low": low, "high": high})


def centres(data: pd.DataFrame, better: Better, limits: Limits = ANY) -> pd.DataFrame:
    """Return what stands for the seeds at each step (columns step, score): step, mean (or median), low, high and n."""
    if better == "higher":
        return _band(data, limits)
    known = data.dropna(subset=["score"])
    found = [(step, centre(mine.tolist(), better)) for step, mine in known.groupby("step")["score"]]
    rows = [(step, one.n, one.value, one.low, one.high) for step, one in found]
    return pd.DataFrame(rows, columns=["step", "n", "mean", "low", "high"], dtype=float)


def moments(data: pd.DataFrame) -> pd.DataFrame:
    """Return mean, standard deviation and count of the scores that are known at each step (columns step, score).

    `different` says how many of them are no other's equal.
    """
    score, steps = data["score"].to_numpy(float), data["step"].to_numpy(float)
    known = ~np.isnan(score)
    score = score[known]
    steps, place = np.unique(steps[known], return_inverse=True)
    n = np.bincount(place, minlength=len(steps))
    mean = np.bincount(place, score, len(steps)) / n
    squares = np.bincount(place, (score - mean[place]) ** 2, len(steps))
    deviation = np.sqrt(np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1))
    return pd.DataFrame(
        {"step": steps, "mean": mean, "std": deviation, "count": n, "different": _different(place, score)}
    )


def _different(place: NDArray[np.int64], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the different numbers at each place, rounding apart, as `ganbench.stats.few_values` does of one."""
    order = np.lexsort((score, place))
    place, score = place[order], score[order]
    largest = np.zeros(place.max(initial=-1) + 1)
    np.maximum.at(largest, place, np.abs(score))
    first = np.append(True, place[1:] != place[:-1])[: place.size]
    new = first | np.append(True, np.diff(score) > SAME * largest[place[1:]])[: place.size]
    return np.bincount(place[new], minlength=largest.size)


def _quantiles(n: NDArray[np.int64]) -> NDArray[np.float64]:
    counts, place = np.unique(n, return_inverse=True)
    found: NDArray[np.float64] = np.asarray(stats.t.ppf(0.975, counts - 1))[place]
    return found


def _geometric(data: pd.DataFrame) -> pd.DataFrame:
    found = _band(data.assign(score=np.log(data["score"])))
    return found.assign(**{name: np.exp(found[name]) for name in ("mean", "low", "high")})
