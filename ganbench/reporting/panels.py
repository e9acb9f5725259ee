"""One contender's way through training, in a panel among those of others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy import stats

from ganbench.reporting.drawing import GREY, Ink, Sheet, Spec, layered, linear_scale, number, short, steps_axis, within
from ganbench.stats import MEANS_FROM

POINTS = 80  # of a trace, per contender: more cannot be seen in a panel


def curve_panel(
    sheet: Sheet, curves: pd.DataFrame, name: str, ink: Ink, scale: Spec, steps: float, single: bool = True
) -> Spec:
    """Draw one contender's scores (columns cell, seed, step, score, outcome): mean with band, and `single` seeds."""
    x, score, colour = steps_axis(steps), number("score", scale), ink.colour
    seeds, tips = curves["cell"].nunique(), {}
    for seed, outcome in curves[["seed", "outcome"]].drop_duplicates().itertuples(index=False):
        ended = "" if outcome == "completed" else f" ({str(outcome).replace('_', ' ')})"
        tips[seed] = ink.tip(f"{name}, seed {seed}{ended}", int(seed))
    curves = curves[["cell", "step", "score", "outcome"]].assign(tip=curves["seed"].map(tips))
    band = _band(curves)
    lost = curves[curves["outcome"] != "completed"].sort_values("step").groupby("cell").tail(1)
    line = {"type": "line", "strokeWidth": 0.8, "opacity": 0.45, "color": colour}
    apart = {"x": x, "y": score, "detail": {"field": "cell", "type": "nominal"}}
    layers = [
        *([sheet.layer(curves.drop(columns="outcome"), line, apart)] if single else []),
        *_mean(sheet, band[band["n"] == seeds], f"{name}: mean of {seeds} seeds", ink, scale, steps),
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
    return [
        sheet.layer(
            band, {"type": "area", "opacity": 0.2, **mark}, {"x": x, "y": number("low", scale), "y2": {"field": "high"}}
        ),
        sheet.layer(band, {"type": "line", "strokeWidth": 2, **mark}, {"x": x, "y": number("mean", scale)}),
    ]


def _band(data: pd.DataFrame) -> pd.DataFrame:
    """Return mean, t-interval and number of seeds at each step; no bounds where so few seeds offer none."""
    known = data["score"].notna().to_numpy()
    score = data["score"].to_numpy(float)[known]
    steps, place = np.unique(data["step"].to_numpy(float)[known], return_inverse=True)
    n = np.bincount(place, minlength=len(steps))
    mean = np.bincount(place, score, len(steps)) / n
    squares = np.bincount(place, (score - mean[place]) ** 2, len(steps))
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(n < MEANS_FROM, np.nan, squares)
        half = stats.t.ppf(0.975, np.maximum(n - 1, 1)) * np.sqrt(squares / (n - 1) / n)
    return pd.DataFrame({"step": steps, "n": n, "mean": mean, "low": mean - half, "high": mean + half})


def _geometric(data: pd.DataFrame) -> pd.DataFrame:
    found = _band(data.assign(score=np.log(data["score"])))
    return found.assign(**{name: np.exp(found[name]) for name in ("mean", "low", "high")})
