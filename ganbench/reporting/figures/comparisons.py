"""Who beats whom: on one dataset, and over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from ganbench.reporting.drawing import (
    FAINT,
    INK,
    Ink,
    Sheet,
    Spec,
    category,
    inks,
    layered,
    name_axis,
    number,
    top_axis,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import legend, ordered
from ganbench.reporting.overall import Overall
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking, suite_order
from ganbench.reporting.wording import in_sentence, n_of, p_value, percent
from ganbench.stats import Curve, Interval, beats_matrix

MOST = 24  # contenders of a matrix: the numbers of more cannot be read
SIDE = 34
PADDING = {"left": 5, "top": 5, "right": 60, "bottom": 5}  # for a font wider than the measured one


def wins_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw the chance that the contender of a row beats that of a column, on a new seed of each."""
    first = {s.contender for s in [s for s in ranking.standings if s.seeds][:MOST]}
    ran = [s for s in ordered(frame, ranking) if s.contender in first]
    if len(ran) < 2 or not any(s.finals for s in ran):
        return None
    ink, found = (
        inks(frame.objectives),
        beats_matrix({s.contender: list(s.seeds.values()) for s in ran}, ranking.better),
    )
    rows = [
        {
            "contender": s.contender,
            "against": other,
            "chance": chance.value,
            "low": chance.low,
            "high": chance.high,
            "text": f"{100 * chance.value:.0f}",
            "tip": ink[s.objective].tip(_told(s.contender, other, chance)),
        }
        for s in ran
        for other, chance in found[s.contender].items()
    ]
    data, names = pd.DataFrame(rows), [s.contender for s in ran]
    x = category("against", names, top_axis(names))
    y = category("contender", names, name_axis(names) | {"grid": False})
    diverging = {"domain": [0, 0.5, 1], "range": ["#d55e00", "#88888822", "#0072b2"]}
    sheet = Sheet()
    chart = layered(
        sheet.layer(
            data,
            {"type": "rect", "stroke": FAINT, "strokeWidth": 0.5, "opacity": 0.75},
            {"x": x, "y": y, "color": number("chance", diverging) | {"legend": None}},
        ),
        sheet.layer(
            data.drop(columns="tip"),
            {"type": "text", "fontSize": 11, "color": INK},
            {"x": x, "y": y, "text": {"field": "text"}},
        ),
        width={"step": SIDE},
        height={"step": 24},
    )
    chart["padding"] = PADDING | {"top": 24}
    n = n_of((len(s.seeds) for s in ran), "seed")
    cut = f" Those of the {len(ranking.standings)} contenders that rank first." if len(ranking.standings) > MOST else ""
    offered = any(chance.offered for row in found.values() for chance in row.values())
    reason = next((c.reason for row in found.values() for c in row.values() if c.reason), "")
    interval = (
        "The intervals (which cover at least 95 %) are in the tooltips and the data."
        if offered
        else f"No interval: {reason}."
    )
    caption = (
        "Chance in % that the contender of a row beats that of a column: the share of all pairs of their seeds in "
        f"which it has the better {in_sentence(ranking.title)} ({n} each), ties counted half; a lost seed loses. "
        f"{interval}{cut}"
    )
    alternative = f"Chance of each contender to beat each other on {ranking.dataset}; the data have the numbers"
    shown = data[["contender", "against", "chance", "low", "high"]]
    return sheet.figure(chart, f"{ranking.slug}-wins", caption, alternative, shown)


def _told(name: str, other: str, chance: Interval) -> str:
    between = f" (95 % interval {percent(chance.low)} to {percent(chance.high)})" if chance.offered else ""
    return f"{name} beats {other}: {percent(chance.value)}{between}"


def ranks_figure(frame: Frame, overall: Overall) -> Figure:
    """Draw mean ranks over datasets, and bars that join those which Nemenyi's test cannot tell apart."""
    ranks, ink = overall.ranks, inks(frame.objectives)
    names = [name for name in suite_order(frame) if name in ranks.ranks]
    rows = [
        {"contender": name, "objective": overall.objective[name], "rank": rank}
        | {"tip": ink[overall.objective[name]].tip(f"{name}: mean rank {rank:.2f} over {ranks.datasets} datasets")}
        for name, rank in ((name, ranks.ranks[name]) for name in names)
    ]
    sheet, data = Sheet(), pd.DataFrame(rows)
    scale: Spec = {"domain": [0.5, len(names) + 0.5], "nice": False}
    apart = math.ceil(len(names) / 20)
    axis: Spec = {"values": [rank for rank in range(1, len(names) + 1) if (rank - 1) % apart == 0]}
    axis |= {"tickCount": len(axis["values"]), "format": "d"}  # fewer ticks would be shown than there are values
    title, told = "mean rank (1 is best)", legend(frame, names)
    x, colour = number("rank", scale, title, axis), told.colour | {"legend": None}
    y = category("contender", names, name_axis(names)) | {"scale": {"domain": names}}
    dot, shape = {"type": "point", "filled": True, "size": 80, "opacity": 1}, told.shape | {"legend": None}
    layers = [sheet.layer(data, dot, {"x": x, "y": y, "color": colour, "shape": shape})]
    about = f"No interval, and they are not compared: {ranks.reason}." if ranks.reason else ""
    if not math.isnan(ranks.critical_difference):
        reach = data.assign(low=data["rank"], high=data["rank"] + ranks.critical_difference)
        reach = reach.assign(high=reach["high"].clip(upper=len(names) + 0.5)).drop(columns="tip")
        bar = {"type": "rule", "strokeWidth": 2, "opacity": 0.5}
        layers.insert(
            0,
            sheet.layer(
                reach, bar, {"x": number("low", scale, title, axis), "x2": {"field": "high"}, "y": y, "color": colour}
            ),
        )
        about = (
            f"No interval; a bar reaches as far as Nemenyi's critical difference ({ranks.critical_difference:.2f} at "
            "5 %): contenders whose dots lie under it are not told apart from the one where it begins."
        )
    caption = (
        f"Mean ranks over {ranks.datasets} datasets by the final headline of each (n = {ranks.datasets} ranks per "
        f"contender); one that lost a seed ranks after all that lost none. {_friedman(overall)}{about}"
    )
    alternative = "Mean ranks of the contenders over all datasets"
    chart = layered(*layers, width=520, height={"step": 24})
    return sheet.figure(chart, "overall-ranks", caption, alternative, data[["contender", "rank"]])


def _friedman(overall: Overall) -> str:
    if math.isnan(overall.ranks.p):
        return ""
    p = p_value(overall.ranks.p)
    return f"Friedman's test of whether they differ at all: p {p if p.startswith('<') else f'= {p}'}. "


def profiles_figure(frame: Frame, overall: Overall, curves: Mapping[str, Curve]) -> Figure:
    """Draw which share of the cells comes within each factor of the best score of their dataset."""
    ink, most = inks(frame.objectives), max(_reach(curves.values()), 1.5)
    rows = []
    for name, curve in curves.items():
        points = [(1.0, 0.0), *zip(curve.at, curve.share, strict=True)]
        points = [(at, share) for at, share in points if at <= most]
        rows += [{"contender": name, "factor": at, "share": share} for at, share in [*points, (most, points[-1][1])]]
    tips = {name: ink[overall.objective[name]].tip(f"{name} (n = {curve.n} cells)") for name, curve in curves.items()}
    data = pd.DataFrame(rows)
    data = data.assign(tip=data["contender"].map(tips))
    told = legend(frame, curves)
    sheet = Sheet()
    lines = sheet.layer(
        data,
        {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "clip": True},
        {
            "x": number("factor", _log_scale(1.0, most), "within this factor of the dataset's best score"),
            "y": number("share", {"domain": [0, 1]}, "share of cells", {"format": "%"}),
            "color": told.lines,
            "strokeDash": told.dash,
        },
    )
    counted = n_of((curve.n for curve in curves.values()), "cell")
    caption = (
        "Performance profiles (Dolan and Moré 2002): the share of all cells, over datasets and seeds, whose final "
        f"headline comes within a factor of the best of their dataset ({counted} per contender, no "
        "interval). A cell that diverged, failed or timed out reaches none, nor does one whose score "
        "is 0 while the best is above. Further up and to the left is better."
    )
    chart = {**layered(lines, width=520, height=250), "padding": PADDING}
    return sheet.figure(
        chart, "overall-profiles", caption, "Performance profiles of the contenders", data.drop(columns="tip")
    )


def _reach(curves: Iterable[Curve]) -> float:
    ends = sorted(at for curve in curves for at in curve.at)
    return min(100.0, ends[math.ceil(0.95 * (len(ends) - 1))] * 1.05) if ends else 2.0


def _log_scale(low: float, high: float) -> Spec:
    return {"type": "log", "domain": [low, high], "nice": False}


def survival_figure(
    frame: Frame, ranking: Ranking, curves: Mapping[str, Curve], target: str, unit: str, last: float
) -> Figure:
    """Draw which share of the seeds has reached a target, by steps or seconds; lost cells never do."""
    ink: dict[str, Ink] = inks(frame.objectives)
    objective = {s.contender: s.objective for s in ranking.standings}
    rows = []
    for name, curve in curves.items():
        points = [(0.0, 0.0), *zip(curve.at, curve.share, strict=True)]
        rows += [
            {"contender": name, "time": at, "share": share}
            for at, share in [*points, (max(last, points[-1][0]), points[-1][1])]
        ]
    tips = {
        name: ink[objective[name]].tip(
            f"{name}: {percent(curve.share[-1] if curve.share else 0.0)} of {curve.n} seeds got there"
        )
        for name, curve in curves.items()
    }
    data = pd.DataFrame(rows)
    told = legend(frame, curves)
    sheet = Sheet()
    lines = sheet.layer(
        data.assign(tip=data["contender"].map(tips)),
        {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        {
            "x": number("time", {"zero": True}, unit),
            "y": number("share", {"domain": [0, 1]}, "share of seeds", {"format": "%"}),
            "color": told.lines,
            "strokeDash": told.dash,
        },
    )
    counted = n_of((curve.n for curve in curves.values()), "seed")
    caption = (
        f"Share of seeds that have reached the target, {target}, by {unit} ({counted}, no interval). Seeds that "
        "diverged, failed or ended without reaching it count as never; a score counts when it is evaluated."
    )
    chart = {**layered(lines, width=520, height=220), "padding": PADDING}
    name = f"{ranking.slug}-reached-{'seconds' if 'second' in unit else 'steps'}"
    return sheet.figure(chart, name, caption, f"Share of seeds that reached the target on {ranking.dataset}", data)
