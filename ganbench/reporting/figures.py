"""Figures as static SVG that takes its text colour from the page: nothing is requested, no script runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from ganbench.reporting.colours import OUTCOME_COLOURS, colours
from ganbench.reporting.drawing import (
    Sheet,
    curve_panel,
    grid,
    layered,
    loss_panel,
    name_axis,
    score_scale,
    spec_of,
    within,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import Ranking, Standing
from ganbench.reporting.verdict import losses

WIDTH = 640


@dataclass(frozen=True)
class Figure:
    """A drawing (SVG to be inlined), what it shows in words, and a text for those who cannot see it."""

    svg: str
    caption: str
    alt: str


def ranking_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw every seed's final and best score, the mean and its interval, in the order of the ranking."""
    rows = [row for standing in ranking.standings for row in _dots(standing)]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    means = [
        {
            "contender": s.contender,
            "objective": s.objective,
            "mean": s.final.mean,
            "low": s.final.low,
            "high": s.final.high,
        }
        for s in ranking.standings
        if s.final.n
    ]
    summary = pd.DataFrame(means, columns=["contender", "objective", "mean", "low", "high"])
    names = [standing.contender for standing in ranking.standings]
    y = alt.Y("contender:N", sort=names, title=None, axis=name_axis(names))
    ceiling = [ranking.ceiling[ranking.headline]] if ranking.headline in ranking.ceiling else []
    scale = score_scale([*data["score"], *ceiling], ranking.better, _reach(data["score"], summary))
    x = alt.X("score:Q", title=ranking.title, scale=scale)
    offset = alt.YOffset("offset:Q", scale=alt.Scale(domain=[-1, 1]))
    colour = _colour(frame)
    sheet = Sheet()
    dots = sheet.chart(data).encode(x=x, y=y, yOffset=offset, color=colour)
    final = dots.transform_filter("datum.kind == 'final'").mark_circle(size=42, opacity=0.75)
    best = dots.transform_filter("datum.kind == 'best'").mark_point(size=32, opacity=0.7, strokeWidth=1.2)
    bars = sheet.chart(within(summary, scale)).encode(y=y, color=colour)
    interval = bars.mark_rule(strokeWidth=2.5, opacity=0.9, clip=True).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q"
    )
    mean = bars.mark_tick(thickness=3, size=22).encode(x=alt.X("mean:Q", scale=scale))
    lost = [{"contender": s.contender, "remark": losses(s)} for s in ranking.standings if s.broken]
    remarks = sheet.chart(pd.DataFrame(lost, columns=["contender", "remark"])).mark_text(
        align="left", dx=10, color="currentColor", fontSize=11
    )
    remark = remarks.encode(x=alt.value(WIDTH), y=y, text="remark:N")
    real = sheet.chart(pd.DataFrame({"score": ceiling})).mark_rule(strokeDash=[4, 3], color="#888888").encode(x=x)
    chart = layered(real, interval, final, best, mean, remark, width=WIDTH, height={"step": 46})
    chart["padding"] = {"left": 5, "top": 5, "right": 45, "bottom": 5}  # room for a font wider than the measured one
    caption = (
        f"{ranking.title} ({ranking.better} is better) of every seed. Filled dots: final scores; hollow dots "
        "below them: each seed's best evaluation; tick and bar: mean of the final scores, 95 % t-interval over seeds "
        f"({_seeds(ranking)}). A contender without filled dots has no final score."
        f"{' Dashed: what held-out real samples score.' if ceiling else ''}"
    )
    return Figure(
        sheet.svg(chart, f"rank-{ranking.anchor}"), caption, f"Final scores on {ranking.dataset} by contender"
    )


def curves_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw the headline by step: every seed, and the mean with its band while all seeds are there."""
    curves = frame.curves[frame.curves["cell"].isin(list(ranking.cells.index))]
    if ranking.headline not in curves or curves[ranking.headline].notna().sum() == 0:
        return None
    curves = curves[["cell", "step", ranking.headline]].rename(columns={ranking.headline: "score"}).dropna()
    curves = curves.merge(ranking.cells[["contender", "outcome"]], left_on="cell", right_index=True)
    scale, steps = score_scale(curves["score"], ranking.better), float(curves["step"].max())
    palette = colours(frame.objectives)
    sheet, panels = Sheet(), []
    for standing in ranking.standings:
        mine = curves[curves["contender"] == standing.contender]
        if not mine.empty:
            panels.append(curve_panel(sheet, mine, standing.contender, palette[standing.objective], scale, steps))
    caption = (
        f"{ranking.title} ({ranking.better} is better) by G step. Thin lines: single seeds; thick line and band: mean "
        "and 95 % t-interval over seeds at each step, drawn only while every seed is there. A cross marks the last "
        "score of a seed that did not complete. All panels share both axes."
    )
    alt_text = f"{ranking.title} by G step on {ranking.dataset}, one panel per contender"
    return Figure(sheet.svg(grid(panels), f"curves-{ranking.anchor}"), caption, alt_text)


def equilibrium_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw D's loss by step beside its value where real and fake are alike."""
    traces = frame.traces[frame.traces["cell"].isin(list(ranking.cells.index))][["cell", "step", "d_loss"]].dropna()
    traces = traces.merge(ranking.cells[["contender"]], left_on="cell", right_index=True)
    steps = float(traces["step"].max())
    palette = colours(frame.objectives)
    sheet, panels = Sheet(), []
    for standing in ranking.standings:
        mine = traces[traces["contender"] == standing.contender].rename(columns={"d_loss": "score"})
        if not mine.empty:
            level = frame.suite.objectives.get(standing.objective, {}).get("equilibrium")
            panels.append(loss_panel(sheet, mine, standing.contender, palette[standing.objective], level, steps))
    if not panels:
        return None
    caption = (
        "D's loss without penalties, by G step: mean over the seeds still training, with its 95 % t-interval. Dashed: "
        "its value where real and fake cannot be told apart, for objectives that have one. Each panel has its own "
        "vertical axis, cut to the middle 98 % of the means."
    )
    alt_text = f"D's loss by G step on {ranking.dataset}, one panel per contender"
    return Figure(sheet.svg(grid(panels), f"loss-{ranking.anchor}"), caption, alt_text)


def outcome_figure(frame: Frame) -> Figure:
    """Draw the outcomes of all cells by objective."""
    counts = frame.cells.groupby(["objective", "dataset", "outcome"], sort=False).size().reset_index(name="cells")
    present = [name for name in OUTCOME_COLOURS if name in set(counts["outcome"])]
    counts["order"] = counts["outcome"].map(present.index)
    scale = alt.Scale(domain=present, range=[OUTCOME_COLOURS[name] for name in present])
    sheet = Sheet()
    base = (
        sheet.chart(counts)
        .mark_bar(height=14)
        .encode(
            x=alt.X("cells:Q", title="cells", axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color("outcome:N", scale=scale, title=None, legend=alt.Legend(orient="top", symbolType="square")),
            order=alt.Order("order:Q"),
        )
    )
    rows, axis = alt.Scale(domain=frame.objectives), name_axis(frame.objectives)
    panels = [
        spec_of(
            base.transform_filter(alt.datum.dataset == name)
            .encode(
                y=alt.Y("objective:N", sort=frame.objectives, title=None, scale=rows, axis=None if place % 3 else axis)
            )
            .properties(width=250, height=alt.Step(22), title=name)
        )
        for place, name in enumerate(frame.datasets)
    ]
    alt_text = "Outcomes of the cells by objective, one panel per dataset; the table of outcomes has the counts"
    return Figure(sheet.svg(grid(panels, 3), "outcomes"), "Outcomes of the cells by objective and dataset.", alt_text)


def cost_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw the mean final score against the seconds that a cell took to train."""
    seconds = ranking.cells.groupby("contender", sort=False)["train_seconds"].mean()
    rows = [
        {"contender": s.contender, "objective": s.objective, "seconds": seconds[s.contender], "score": s.final.mean}
        | {"low": s.final.low, "high": s.final.high}
        for s in ranking.standings
        if s.final.n
    ]
    data = pd.DataFrame(rows)
    if len(rows) < 2 or data["seconds"].isna().any():
        return None
    reach = score_scale(data["score"], ranking.better)
    y = alt.Y("score:Q", title=ranking.title, scale=reach)
    names = [str(row["contender"]) for row in rows]
    palette = colours(frame.objectives)
    scale = alt.Scale(domain=names, range=[palette[str(row["objective"])] for row in rows])
    legend = alt.Legend(labelLimit=260, symbolOpacity=1)
    sheet = Sheet()
    base = sheet.chart(within(data, reach)).encode(
        x=alt.X("seconds:Q", title="training seconds per cell"),
        color=alt.Color("contender:N", scale=scale, sort=names, title=None, legend=legend),
    )
    bar = base.mark_rule(strokeWidth=1.5, opacity=0.6, clip=True).encode(
        y=alt.Y("low:Q", title=ranking.title, scale=reach), y2="high:Q"
    )
    shape = alt.Shape("contender:N", sort=names, title=None, scale=alt.Scale(domain=names), legend=legend)
    dot = base.mark_point(size=80, filled=True, opacity=1).encode(y=y, shape=shape)
    chart = layered(bar, dot, width=520, height=230)
    chart["padding"] = {"left": 5, "top": 5, "right": 60, "bottom": 5}
    caption = (
        f"{ranking.title} ({ranking.better} is better) against what a cell took to train (its share of its cohort's "
        f"time): means over seeds, bars: 95 % t-intervals of the score ({_seeds(ranking)})."
    )
    return Figure(sheet.svg(chart, f"cost-{ranking.anchor}"), caption, f"Score against cost on {ranking.dataset}")


def _dots(standing: Standing) -> list[dict[str, Any]]:
    """Set the seeds apart vertically, or equal scores would look like one seed."""
    rows: list[dict[str, Any]] = []
    for kind, scores, middle in (("final", standing.finals, -0.25), ("best", standing.bests, 0.55)):
        for place, seed in enumerate(sorted(scores)):
            spread = 0.0 if len(scores) == 1 else 0.4 * (place / (len(scores) - 1) - 0.5)
            names = {"contender": standing.contender, "objective": standing.objective, "kind": kind}
            rows.append({**names, "seed": seed, "score": scores[seed], "offset": middle + spread})
    return rows


def _reach(scores: pd.Series[float], summary: pd.DataFrame) -> list[float]:
    """Return the ends of the intervals, but not so far out that a wide one squeezes the dots together."""
    room = 0.25 * float(scores.max() - scores.min())
    ends = pd.concat([summary["low"], summary["high"]]).dropna()
    return list(ends.clip(scores.min() - room, scores.max() + room))


def _colour(frame: Frame) -> alt.Color:
    palette = colours(frame.objectives)
    return alt.Color("objective:N", scale=alt.Scale(domain=list(palette), range=list(palette.values())), legend=None)


def _seeds(ranking: Ranking) -> str:
    counts = sorted({standing.final.n for standing in ranking.standings})
    return f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
