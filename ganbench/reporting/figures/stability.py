"""How steadily a contender got to its score, and where it broke."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ganbench.reporting.colours import OUTCOME_COLOURS
from ganbench.reporting.drawing import (
    Sheet,
    Spec,
    category,
    coloured,
    grid,
    inks,
    layered,
    linear_scale,
    name_axis,
    number,
    short,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import ordered
from ganbench.reporting.panels import moments, trace_panel
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.stability import VANISHED_GRADIENT_NORM
from ganbench.reporting.svg import tip
from ganbench.reporting.wording import n_of, places
from ganbench.reporting.wording import number as written
from ganbench.stats import MEANS_FROM

WIDTH = 560
LOGARITHMIC = "logarithmic"
RECORDED = (
    ("d_loss", "D's loss", "without penalties"),
    ("g_loss", "G's loss", ""),
    (
        "d_accuracy",
        "D's accuracy",
        "share of real and fake samples on the right side of zero; for logits without one it means little",
    ),
    ("g_grad_norm", "G's gradient norm", LOGARITHMIC),
    ("d_grad_norm", "D's gradient norm", LOGARITHMIC),
)
MEASURES = (
    ("best_over_final", "Kept of best", "how much of the best score was left at the end: 1 is all of it"),
    ("best_step", "Step of best", "the G step of the best evaluation"),
    ("oscillation", "Oscillation", "coefficient of variation of the score over the second half of the evaluations"),
    (
        "vanished_gradient_share",
        "Vanished gradient",
        f"share of records in which G's gradient norm is below {VANISHED_GRADIENT_NORM:g}",
    ),
    ("equilibrium_distance", "Distance from equilibrium", "of D's loss over the last quarter of training"),
)


def trace_figures(frame: Frame, ranking: Ranking) -> list[tuple[str, Figure]]:
    """Draw what the cells recorded while training, a figure per series; D's loss beside its value at equilibrium."""
    traces, found = ranking.split(frame.traces), []
    for series, title, remark in RECORDED:
        if series in frame.traces:
            picked = {name: mine[["cell", "step", series]].dropna() for name, mine in traces.items()}
            if remark == LOGARITHMIC:
                picked = {name: mine[mine[series] > 0] for name, mine in picked.items()}
            known = {name: mine.rename(columns={series: "score"}) for name, mine in picked.items() if len(mine)}
            if known:
                found.append((title, _trace(frame, ranking, known, (series, title, remark))))
    return found


def _trace(frame: Frame, ranking: Ranking, traces: Mapping[str, pd.DataFrame], what: tuple[str, str, str]) -> Figure:
    series, title, remark = what
    ink, steps = inks(frame.objectives), max(float(mine["step"].max()) for mine in traces.values())
    logarithmic, sheet, panels = remark == LOGARITHMIC, Sheet(), []
    scale = _shared_scale(traces.values(), logarithmic) if series != "d_loss" else None
    for standing in ordered(frame, ranking):
        mine = traces.get(standing.contender)
        if mine is not None:
            level = frame.suite.objectives.get(standing.objective, {}).get("equilibrium") if scale is None else None
            panels.append(
                trace_panel(sheet, mine, standing.contender, ink[standing.objective], level, steps, scale, logarithmic)
            )
    shared = "All panels share both axes."
    if series == "d_loss":
        shared = (
            "Dashed: its value where real and fake cannot be told apart, for objectives that have one. Each panel has "
            "its own vertical axis, cut to the middle 98 % of the means."
        )
    about, mean = f" ({remark})" if remark else "", "geometric mean" if logarithmic else "mean"
    began = [mine["cell"].nunique() for mine in traces.values()]
    many = max(began) >= MEANS_FROM
    enough = "with its 95 % t-interval where it holds" if many else f"no interval below {MEANS_FROM} seeds"
    caption = (
        f"{title}{about}, by G step: {mean} over the seeds still training, {enough} ({n_of(began)} at first). {shared}"
    )
    alternative = f"{title} by G step on {ranking.dataset}, one panel per contender"
    shown = pd.concat([moments(mine).assign(contender=name) for name, mine in traces.items()])
    shown = shown[["contender", "step", "mean", "std", "count"]]
    return sheet.figure(grid(panels), f"{ranking.slug}-{series}", caption, alternative, shown)


def _shared_scale(traces: Iterable[pd.DataFrame], logarithmic: bool) -> Spec:
    scores = np.concatenate([mine["score"].to_numpy() for mine in traces])
    low, high = np.quantile(scores, (0.005, 0.995)).tolist()
    if logarithmic:
        return {"type": "log", "domain": [low * 0.8, max(high, low) * 1.25], "nice": False}
    return linear_scale(low, high)


def measure_figures(frame: Frame, ranking: Ranking) -> list[tuple[str, Figure]]:
    """Draw what was measured of each cell's way, a figure per measure: every seed, and the median."""
    return [
        (title, _measure(frame, ranking, (column, title, meaning)))
        for column, title, meaning in MEASURES
        if ranking.cells[column].notna().any()
    ]


def _measure(frame: Frame, ranking: Ranking, what: tuple[str, str, str]) -> Figure:
    column, title, meaning = what
    known = ranking.cells[["contender", "objective", "seed", column]].dropna().rename(columns={column: "value"})
    ink, digits, crowded = inks(frame.objectives), places(known["value"]), ranking.crowded()
    known["tip"] = [
        ink[str(objective)].tip("" if crowded else f"{contender}, seed {seed}: {written(value, digits)}", int(seed))
        for contender, objective, seed, value in zip(*(known[name] for name in known), strict=True)
    ]
    middle = known.groupby(["contender", "objective"], sort=False)["value"].agg(["median", "count"]).reset_index()
    middle["tip"] = [
        ink[str(objective)].tip(f"{contender}: median {written(value, digits)}, n = {n}")
        for contender, objective, value, n in zip(*(middle[name] for name in middle), strict=True)
    ]
    names = [s.contender for s in ordered(frame, ranking)]
    scale = linear_scale(float(known["value"].min()), float(known["value"].max()))
    y = category("contender", names, name_axis(names)) | {"scale": {"domain": names}}
    colour, sheet = coloured("objective", {name: one.colour for name, one in ink.items()}), Sheet()
    chart = layered(
        sheet.layer(
            known,
            {"type": "circle", "size": 44, "opacity": 0.6},
            {"x": number("value", scale, title), "y": y, "color": colour},
        ),
        sheet.layer(
            middle,
            {"type": "tick", "thickness": 3, "size": 18},
            {"x": number("median", scale, title), "y": y, "color": colour},
        ),
        width=WIDTH,
        height={"step": 26},
    )
    caption = (
        f"{title}: {meaning}. Dots: single seeds; tick: their median ({n_of(middle['count'])}), no interval. "
        "A contender without dots has no such number."
    )
    alternative = f"{title} on {ranking.dataset} by contender, every seed"
    return sheet.figure(chart, f"{ranking.slug}-{column}", caption, alternative, known[["contender", "seed", "value"]])


def outcome_figure(frame: Frame) -> Figure:
    """Draw the outcomes of all cells by objective."""
    counts = frame.cells.groupby(["objective", "dataset", "outcome"], sort=False).size().reset_index(name="cells")
    present = [name for name in OUTCOME_COLOURS if name in set(counts["outcome"])]
    counts["order"] = counts["outcome"].map(present.index)
    order = {name: place for place, name in enumerate(frame.objectives)}
    shown = ["objective", "dataset", "outcome", "cells"]
    counts["tip"] = [
        tip(f"{name} on {dataset}: {cells} {str(outcome).replace('_', ' ')}", order[str(name)])
        for name, dataset, outcome, cells in zip(*(counts[column] for column in shown), strict=True)
    ]
    sheet, legend = Sheet(), {"orient": "top", "symbolType": "square"}
    colour = coloured("outcome", {name: OUTCOME_COLOURS[name] for name in present}, legend)
    axis = name_axis(frame.objectives)
    panels = []
    for place, dataset in enumerate(frame.datasets):
        y: Spec = category("objective", frame.objectives, axis) | {"scale": {"domain": frame.objectives}}
        channels = {
            "x": number("cells", title="cells", axis={"tickMinStep": 1, "format": "d"}),
            "y": y | ({"axis": None} if place % 3 else {}),
            "color": colour,
            "order": {"field": "order", "type": "quantitative"},
        }
        mine = counts[counts["dataset"] == dataset]
        bars = sheet.layer(mine, {"type": "bar", "height": 14}, channels)
        panels.append(layered(bars, title=short(dataset), width=250, height={"step": 22}))
    alternative = "Outcomes of the cells by objective, one panel per dataset; the table of outcomes has the counts"
    caption = (
        f"Outcomes of the cells by objective and dataset (n = {len(frame.cells)} cells), counts without an interval."
    )
    return sheet.figure(grid(panels, 3), "outcomes", caption, alternative, counts[shown])
