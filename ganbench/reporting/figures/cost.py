"""What a score costs."""

from __future__ import annotations

import pandas as pd

from ganbench.reporting.drawing import Sheet, category, coloured, inks, layered, number, score_scale, within
from ganbench.reporting.figures.scores import seeds
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking


def cost_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw the mean final score against the seconds that a cell took to train."""
    seconds = ranking.cells.groupby("contender", sort=False)["train_seconds"].mean()
    ink = inks(frame.objectives)
    rows = [
        {"contender": s.contender, "objective": s.objective, "seconds": seconds[s.contender], "score": s.final.mean}
        | {"low": s.final.low, "high": s.final.high, "tip": ink[s.objective].tip(s.contender)}
        for s in ranking.standings
        if s.final.n
    ]
    data = pd.DataFrame(rows)
    if len(rows) < 2 or data["seconds"].isna().any():
        return None
    reach = score_scale(data["score"], ranking.better)
    by_name = {str(row["contender"]): ink[str(row["objective"])].colour for row in rows}
    colour = coloured("contender", by_name, {"labelLimit": 260, "symbolOpacity": 1}) | {"sort": list(by_name)}
    shape = category("contender", list(by_name)) | {"scale": {"domain": list(by_name)}, "legend": colour["legend"]}
    x, sheet, cut = number("seconds", title="training seconds per cell"), Sheet(), within(data, reach)
    bar = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.6, "clip": True}
    dot = {"type": "point", "size": 80, "filled": True, "opacity": 1}
    low, score = number("low", reach, ranking.title), number("score", reach, ranking.title)
    chart = layered(
        sheet.layer(cut, bar, {"x": x, "y": low, "y2": {"field": "high"}, "color": colour}),
        sheet.layer(cut, dot, {"x": x, "y": score, "color": colour, "shape": shape}),
        width=520,
        height=230,
    )
    chart["padding"] = {"left": 5, "top": 5, "right": 60, "bottom": 5}
    caption = (
        f"{ranking.title} ({ranking.better} is better) against what a cell took to train (its share of its cohort's "
        f"time): means over seeds, bars: 95 % t-intervals of the score ({seeds(ranking)})."
    )
    alternative = f"Score against cost on {ranking.dataset}"
    return sheet.figure(chart, f"{ranking.slug}-cost", caption, alternative, data.drop(columns="tip"))
