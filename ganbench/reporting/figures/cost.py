"""What a score costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from ganbench.reporting.drawing import (
    GREY,
    Sheet,
    Spec,
    inks,
    layered,
    number,
    score_scale,
    within,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import legend, ordered
from ganbench.reporting.panels import centres
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import INTERVALS, interval_and_n, rounded
from ganbench.stats import CENTRES, Better

COSTS = (
    ("train_seconds", "Seconds", "training seconds per cell (its share of its cohort's time)"),
    ("g_updates", "G steps", "G steps"),
    ("images_seen", "Images seen by D", "real images that D saw"),
    ("energy_joules", "Energy", "joules that a cell drew while it trained"),
)


def cost_figures(frame: Frame, ranking: Ranking) -> list[tuple[str, Figure]]:
    """Draw the headline against each cost that is known, on the way and at the end, with the Pareto front."""
    if ranking.headline not in frame.curves:
        return []
    curves = frame.curves[["cell", "step", ranking.headline]].rename(columns={ranking.headline: "score"}).dropna()
    means, found = _means(ranking.split(curves), ranking.better), []
    for column, title, axis in COSTS:
        if column in ranking.cells and (ends := _ends(frame, ranking, column)) is not None:
            found.append((title, _figure(frame, ranking, _ways(means, ends), ends, (column, title, axis))))
    return found


def pareto(costs: Sequence[float], scores: Sequence[float], better: str) -> list[int]:
    """Return the places of those that no other beats in one without losing in the other, by cost."""
    sign = 1 if better == "lower" else -1
    order = sorted(range(len(costs)), key=lambda place: (costs[place], sign * scores[place]))
    front: list[int] = []
    best = math.inf
    for place in order:
        if sign * scores[place] < best:
            best = sign * scores[place]
            front.append(place)
    return front


def _ends(frame: Frame, ranking: Ranking, column: str) -> pd.DataFrame | None:
    """Return where each contender that has a final score ended: its mean cost, score and interval."""
    completed = ranking.cells[ranking.cells["outcome"] == "completed"]
    costs = completed.groupby("contender", sort=False)[column].mean()
    ink, rows = inks(frame.objectives), []
    for s in ordered(frame, ranking):
        cost = float(costs.get(s.contender, math.nan))
        if s.final.n and math.isfinite(cost):
            told = f"{s.contender}: {rounded(s.final.mean)} for {cost:,.4g}, n = {s.final.n}"
            where = {"contender": s.contender, "objective": s.objective, "cost": cost, "score": s.final.mean}
            rows.append(where | {"low": s.final.low, "high": s.final.high, "tip": ink[s.objective].tip(told)})
    return pd.DataFrame(rows) if len(rows) > 1 else None


def _means(curves: Mapping[str, pd.DataFrame], better: Better) -> dict[str, pd.DataFrame]:
    """Return what stands for each contender's seeds by step, only while every one is there."""
    means = {name: centres(mine, better) for name, mine in curves.items()}
    return {name: found[found["n"] == curves[name]["cell"].nunique()] for name, found in means.items()}


def _ways(means: Mapping[str, pd.DataFrame], ends: pd.DataFrame) -> pd.DataFrame:
    """Return each contender's mean score on the way, at what it had cost by then."""
    ways = [
        pd.DataFrame({"contender": name, "cost": mine["step"] / mine["step"].max() * cost, "score": mine["mean"]})
        .assign(tip=tip)
        .dropna(subset=["cost"])
        for name, cost, tip in zip(ends["contender"], ends["cost"], ends["tip"], strict=True)
        if (mine := means.get(name)) is not None
    ]
    return pd.concat(ways) if ways else pd.DataFrame(columns=["contender", "cost", "score", "tip"])


def _figure(
    frame: Frame, ranking: Ranking, ways: pd.DataFrame, ends: pd.DataFrame, what: tuple[str, str, str]
) -> Figure:
    column, title, axis = what
    reach = score_scale([*ends["score"], *ways["score"]], ranking.better)
    told = legend(frame, ends["contender"])
    front = ends.iloc[pareto(list(ends["cost"]), list(ends["score"]), ranking.better)]
    x, sheet, cut = number("cost", {"zero": True}, axis), Sheet(), within(ends, reach)
    y: Spec = number("score", reach, ranking.title)
    dot = {"type": "point", "size": 80, "filled": True, "opacity": 1}
    bar = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.6, "clip": True}
    step = {"type": "line", "interpolate": "step-after", "strokeDash": [4, 3], "color": GREY, "strokeWidth": 1.5}
    chart = layered(
        sheet.layer(front[["cost", "score"]], step, {"x": x, "y": y}),
        sheet.layer(
            ways[["contender", "cost", "score", "tip"]],
            {"type": "line", "strokeWidth": 1.2, "opacity": 0.55, "clip": True},
            {"x": x, "y": y, "color": told.colour},
        ),
        sheet.layer(
            cut, bar, {"x": x, "y": number("low", reach, ranking.title), "y2": {"field": "high"}, "color": told.colour}
        ),
        sheet.layer(cut, dot, {"x": x, "y": y, "color": told.colour, "shape": told.shape}),
        width=520,
        height=250,
    )
    chart["padding"] = {"left": 5, "top": 5, "right": 60, "bottom": 5}
    finals = (s.final for s in ranking.standings if s.contender in told.looks)
    about, centre = interval_and_n(finals, INTERVALS[ranking.better]), CENTRES[ranking.better]
    caption = (
        f"{ranking.title} ({ranking.better} is better) against {axis}: lines are {centre}s over seeds on the way, "
        f"dots the {centre}s of the final scores, {about}. Dashed: the Pareto front, those that no other contender "
        "beats in one without losing in the other."
    )
    alternative = f"{ranking.title} against {title.lower()} on {ranking.dataset}"
    shown = ends[["contender", "cost", "score", "low", "high"]]
    return sheet.figure(chart, f"{ranking.slug}-cost-{column}", caption, alternative, shown)
