"""Who scores what: every seed with the mean and its interval, and the way there."""

from __future__ import annotations

import pandas as pd

from ganbench.reporting.drawing import (
    GREY,
    INK,
    Sheet,
    category,
    coloured,
    grid,
    inks,
    layered,
    name_axis,
    number,
    score_scale,
    within,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import ordered
from ganbench.reporting.panels import curve_panel
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import Standing
from ganbench.reporting.verdict import losses
from ganbench.reporting.wording import INTERVALS, interval_and_n, n_of, places
from ganbench.reporting.wording import number as written
from ganbench.stats import CENTRES, MEANS_FROM

WIDTH = 640
DOTS = 400  # of a figure: of more, only final scores are drawn, which are half of the page's bytes
DASHED = {"type": "rule", "strokeDash": [4, 3], "color": GREY}


def ranking_figure(frame: Frame, ranking: Ranking, value: str) -> Figure | None:
    """Draw every seed's final and best score of a value, its centre and the interval."""
    title, better = frame.title(ranking.dataset, value), frame.direction(value)
    data, summary = _dots(frame, ranking, value), _means(frame, ranking, value)
    if data.empty:
        return None
    names = [standing.contender for standing in ordered(frame, ranking)]
    ceiling = [ranking.ceiling[value]] if value in ranking.ceiling else []
    scale = score_scale([*data["score"], *ceiling], better, _reach(data["score"], summary))
    y, colour = category("contender", names, name_axis(names)), coloured("objective", _colours(frame))
    offset = {"field": "offset", "type": "quantitative", "scale": {"domain": [-1, 1]}}
    dot = {"x": number("score", scale, title), "y": y, "yOffset": offset, "color": colour}
    sheet, summary = Sheet(), within(summary, scale)
    final, best = data[data["kind"] == "final"], data[data["kind"] == "best"]
    crowded = len(data) > DOTS and not final.empty
    hollow = (
        "the best evaluations are among the numbers alone, since there are too many"
        if crowded
        else ("hollow dots below them: each seed's best evaluation")
    )
    lost = [{"contender": s.contender, "remark": losses(s)} for s in ranking.standings if s.broken]
    aside = {"type": "text", "align": "left", "dx": 10, "color": INK, "fontSize": 11}
    text = {"x": {"value": WIDTH}, "y": y, "text": {"field": "remark"}}
    chart = layered(
        sheet.layer(pd.DataFrame({"score": ceiling}), DASHED, {"x": number("score", scale, title)}),
        sheet.layer(
            summary,
            {"type": "rule", "strokeWidth": 2.5, "opacity": 0.9, "clip": True},
            {"x": number("low", scale, title), "x2": {"field": "high"}, "y": y, "color": colour},
        ),
        sheet.layer(final, {"type": "circle", "size": 42, "opacity": 0.75}, dot),
        sheet.layer(
            best[:0] if crowded else best, {"type": "point", "size": 32, "opacity": 0.7, "strokeWidth": 1.2}, dot
        ),
        sheet.layer(
            summary,
            {"type": "tick", "thickness": 3, "size": 22},
            {"x": number("mean", scale, title), "y": y, "color": colour},
        ),
        sheet.layer(pd.DataFrame(lost, columns=["contender", "remark"]), aside, text),
        width=WIDTH,
        height={"step": 46},
    )
    chart["padding"] = {"left": 5, "top": 5, "right": 45, "bottom": 5}  # room for a font wider than the measured one
    caption = (
        f"{title} ({better} is better) of every seed. Filled dots: final scores; {hollow}; tick and bar: "
        f"{CENTRES[better]} of the final scores, {_interval(frame, ranking, value)}. A contender without filled dots "
        f"has no final score.{' Dashed: what held-out real samples score.' if ceiling else ''}"
    )
    return sheet.figure(
        chart,
        f"{ranking.slug}-{value}",
        caption,
        f"{title} on {ranking.dataset} by contender",
        data[["contender", "seed", "kind", "score"]],
    )


def curves_figure(frame: Frame, ranking: Ranking, value: str) -> Figure | None:
    """Draw a value by step: every seed, and the mean with its band while all seeds are there."""
    if value not in frame.curves:
        return None
    curves = frame.curves[["cell", "step", value]].rename(columns={value: "score"}).dropna()
    by_name = ranking.split(curves)
    if not by_name:
        return None
    curves = pd.concat(by_name.values())
    title, better = frame.title(ranking.dataset, value), frame.direction(value)
    scale, steps = score_scale(curves["score"], better), float(curves["step"].max())
    ink, reach = inks(frame.objectives), ranking.limits[value]
    sheet, panels, there, crowded = Sheet(), [], [], ranking.crowded(value)
    for standing in ordered(frame, ranking):
        mine, cells = by_name.get(standing.contender), ranking.of[standing.contender]
        there.append(0 if mine is None else mine["cell"].nunique())
        if mine is not None:
            way = curve_panel(
                sheet,
                mine,
                cells,
                standing.contender,
                ink[standing.objective],
                scale,
                steps,
                better,
                not crowded,
                reach,
            )
            panels.append(way)
    band = f"no band, since its interval needs {MEANS_FROM} seeds"
    if max(there) >= MEANS_FROM:
        band = (
            f"band: its {INTERVALS[better]}, where that holds (from {MEANS_FROM} seeds on, unless half of them gave "
            "the same scores)"
        )
    caption = (
        f"{title} ({better} is better) by G step. {'Thick' if crowded else 'Thin lines: single seeds; thick'} line: "
        f"{CENTRES[better]} over seeds at each step ({n_of(there)}), drawn only while every seed is there; {band}. A "
        "cross marks the last score of a seed that did not complete. All panels share both axes."
    )
    alternative = f"{title} by G step on {ranking.dataset}, one panel per contender"
    shown = curves.join(ranking.cells[["contender", "seed"]], on="cell")[["contender", "seed", "step", "score"]]
    return sheet.figure(grid(panels), f"{ranking.slug}-{value}-curves", caption, alternative, shown)


def _interval(frame: Frame, ranking: Ranking, value: str) -> str:
    found = (standing.others[value] for standing in ranking.standings)
    return interval_and_n(found, INTERVALS[frame.direction(value)])


def _dots(frame: Frame, ranking: Ranking, value: str) -> pd.DataFrame:
    """Set the seeds apart vertically, or equal scores would look like one seed."""
    ink, rows = inks(frame.objectives), []
    for standing in ranking.standings:
        mine = ranking.of[standing.contender]
        for kind, middle in (("final", -0.25), ("best", 0.55)):
            scored = mine[["seed", f"{value}_{kind}"]].dropna().sort_values("seed")
            digits = places(scored[f"{value}_{kind}"])
            seeds, scores = scored["seed"].tolist(), scored[f"{value}_{kind}"].tolist()
            for place, (seed, score) in enumerate(zip(seeds, scores, strict=True)):
                spread = 0.0 if len(scored) == 1 else 0.4 * (place / (len(scored) - 1) - 0.5)
                told = f"{standing.contender}, seed {seed}: {written(score, digits)} ({kind})"
                told = "" if ranking.crowded(value) else told
                tip = ink[standing.objective].tip(told, seed)
                rows.append((standing.contender, standing.objective, seed, kind, score, middle + spread, tip))
    return pd.DataFrame(rows, columns=["contender", "objective", "seed", "kind", "score", "offset", "tip"])


def _means(frame: Frame, ranking: Ranking, value: str) -> pd.DataFrame:
    ink = inks(frame.objectives)
    rows = [
        {"contender": s.contender, "objective": s.objective, "mean": found.mean, "low": found.low, "high": found.high}
        | {"tip": ink[s.objective].tip(_told(s, value, CENTRES[frame.direction(value)]))}
        for s in ranking.standings
        if (found := s.others[value]).n
    ]
    return pd.DataFrame(rows, columns=["contender", "objective", "mean", "low", "high", "tip"])


def _told(standing: Standing, value: str, centre: str) -> str:
    found = standing.others[value]
    digits = places([found.mean, found.low, found.high])
    between = f", 95 % interval {written(found.low, digits)} to {written(found.high, digits)}" if found.offered else ""
    return f"{standing.contender}: {centre} {written(found.mean, digits)}{between}, n = {found.n}"


def _reach(scores: pd.Series[float], summary: pd.DataFrame) -> list[float]:
    """Return the ends of the intervals, but not so far out that a wide one squeezes the dots together."""
    room = 0.25 * float(scores.max() - scores.min())
    ends = pd.concat([summary["low"], summary["high"]]).dropna()
    return list(ends.clip(scores.min() - room, scores.max() + room))


def _colours(frame: Frame) -> dict[str, str]:
    return {name: ink.colour for name, ink in inks(frame.objectives).items()}
