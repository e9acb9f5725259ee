"""Where in the plane of two parameters trials are good and where they end without a score, by D steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import Sheet, Spec, grid, inks, layered
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.tuning.marks import (
    STATES,
    Axis,
    ScoreScale,
    axis_of,
    marked,
    points,
    scores_of,
    titled,
)
from ganbench.reporting.tuning.record import TunedSubject, Value, by_importance, told
from ganbench.reporting.tuning.ticks import ticks
from ganbench.reporting.wording import joined

STEPS = "d_steps"
MOST = 6  # panels
SIDE = 26  # rows and columns of the ground behind a panel's trials
GROUND = {STATES["infeasible"]: ("#6a6a6a", 0.5), STATES["pruned"]: ("#9a9a9a", 0.22)}  # of trials without a score


def map_figure(frame: Frame, each: TunedSubject, name: str) -> Figure | None:
    """Draw trials in the plane of the two most important numeric parameters, a panel for each value of D steps.

    The ground has the colour of the nearest trial. Where there is but one numeric parameter beside D steps, those are
    the other axis. None where fewer than two parameters can be drawn.
    """
    scores = scores_of(each)
    steps = next((one for one in each.parameters if one.name == STEPS), None)
    plane = [one for one in by_importance(each) if one.numeric and one.name != STEPS][:2]
    by_steps: list[Value] = _values(each) if steps is not None else []
    panelled = steps is not None and len(plane) == 2 and len(by_steps) <= MOST
    if steps is not None and not panelled:
        plane = [*plane[:1], steps]
    if scores is None or len(plane) < 2:
        return None
    ink, sheet = inks(frame.objectives)[each.shown], Sheet()
    axes = [axis_of(each, parameter) for parameter in (*plane, *([steps] if panelled and steps else []))]
    data = points(each, axes, scores, ink)
    marks = marked(data)
    panels = []
    for value in by_steps if panelled else [None]:
        mine = data if value is None else data[data["x2"] == axes[2].column(value)]
        title = None if value is None else f"{STEPS} = {told(value)}"
        panels.append(_panel(sheet, mine, marks, axes, scores, title, titled(frame, each)))
    others = [one.name for one in each.parameters if one.name not in {axis.parameter.name for axis in axes}]
    greys = {"infeasible": "dark grey where one lost a seed (crosses)", "pruned": "light grey where one was pruned"}
    lost = [said for state, said in greys.items() if any(trial.state == state for trial in each.trials)]
    grey = f", {', '.join(lost)}" if lost else ""
    caption = (
        f"Where the trials of {name} lie{', by D steps' if panelled else ''}, coloured by {titled(frame, each)} "
        f"({each.better} is better): blue is good, orange bad{grey}. The ground has the colour of the nearest trial of "
        "its panel: it is no model of what lies between."
        f"{f' Trials differ in {joined(others)} too, which no panel shows.' if others else ''}"
    )
    shown = data.rename(columns={f"x{place}": axis.parameter.name for place, axis in enumerate(axes)})
    shown = shown.drop(columns=["fill", "stroke", "size", "tip"])
    alternative = f"Trials of {name} in the plane of {plane[0].name} and {plane[1].name}, coloured by score"
    return sheet.figure(grid(panels, 3), plain("map", name), caption, alternative, shown)


def _values(each: TunedSubject) -> list[Value]:
    found = {trial.settings[STEPS] for trial in each.trials}
    return sorted(found, key=lambda value: (isinstance(value, str | None), value if isinstance(value, int) else 0))


def _panel(
    sheet: Sheet,
    data: pd.DataFrame,
    marks: Spec,
    axes: Sequence[Axis],
    scores: ScoreScale,
    title: str | None,
    of: str,
) -> Spec:
    x, y = axes[0].channel("x0"), axes[1].channel("x1")
    legend = {
        "orient": "right",
        "title": of,
        "gradientLength": 120,
        "titleLimit": 130,
        "tickCount": 4,
        "gradientOpacity": 1,
        **(ticks(scores.scale) or {}),
    }
    trials = data[data["mark"].isin(STATES.values())]
    with_score = trials[trials["mark"] == STATES["complete"]]
    ground = _ground(trials, axes)
    around: Spec = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    rect = {"type": "rect", "opacity": 0.28, "stroke": None}
    place: Spec = {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}, **around}
    layers = [
        sheet.layer(ground[ground["score"].notna()], rect, {**place, "color": scores.coloured(legend)}),
        *(
            sheet.layer(ground[ground["mark"] == mark], {**rect, "color": colour, "opacity": opacity}, place)
            for mark, (colour, opacity) in GROUND.items()
        ),
        sheet.layer(
            with_score[["x0", "x1", "score", "tip"]],
            {"type": "circle", "size": 70, "opacity": 1, "strokeWidth": 0.6, "stroke": "#ffffff"},
            {"x": x, "y": y, "color": scores.coloured(legend)},
        ),
        sheet.layer(
            data[data["mark"] != STATES["complete"]].assign(fill="none"),  # colours are for scores here
            {"type": "point", "opacity": 1, "strokeWidth": 1.6},
            {"x": x, "y": y, **marks},
        ),
    ]
    return layered(*layers, title=title, width=260, height=234)


def _ground(trials: pd.DataFrame, axes: Sequence[Axis]) -> pd.DataFrame:
    """Return the plane as rows of rectangles, each with the score of the nearest trial; NaN where that has none."""
    columns = ["x", "x2", "y", "y2", "score", "mark"]
    if trials.empty:
        return pd.DataFrame(columns=columns)
    at = np.array([[axis.place(value) for value in trials[f"x{place}"]] for place, axis in enumerate(axes[:2])])
    middles = (np.arange(SIDE) + 0.5) / SIDE
    across, up = np.meshgrid(middles, middles)
    near = np.argmin((across[..., None] - at[0]) ** 2 + (up[..., None] - at[1]) ** 2, axis=2)
    known = np.where(trials["mark"] == STATES["complete"], trials["score"].to_numpy(float), np.nan)
    edges = [_back(axis, np.arange(SIDE + 1) / SIDE) for axis in axes[:2]]
    rows = []
    for row in range(SIDE):
        starts = [0, *(np.flatnonzero(np.diff(near[row])) + 1).tolist(), SIDE]
        for start, end in itertools.pairwise(starts):
            trial = near[row, start]
            edge = (edges[0][start], edges[0][end], edges[1][row], edges[1][row + 1])
            rows.append((*edge, float(known[trial]), trials["mark"].iloc[trial]))
    return pd.DataFrame(rows, columns=columns)


def _back(axis: Axis, shares: NDArray[np.float64]) -> list[float]:
    low, high = axis.domain
    found = low * (high / low) ** shares if axis.log else low + (high - low) * shares
    return [float(value) for value in found]
