"""How steadily a contender got to its score, and where it broke."""

from __future__ import annotations

from ganbench.reporting.colours import OUTCOME_COLOURS
from ganbench.reporting.drawing import Sheet, Spec, category, coloured, grid, inks, layered, name_axis, number, short
from ganbench.reporting.frame import Frame
from ganbench.reporting.panels import trace_panel
from ganbench.reporting.parts import Figure
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.svg import tip


def equilibrium_figure(frame: Frame, ranking: Ranking) -> Figure | None:
    """Draw D's loss by step beside its value where real and fake are alike."""
    traces = frame.traces[frame.traces["cell"].isin(list(ranking.cells.index))][["cell", "step", "d_loss"]].dropna()
    traces = traces.merge(ranking.cells[["contender", "seed"]], left_on="cell", right_index=True)
    steps = float(traces["step"].max())
    ink = inks(frame.objectives)
    sheet, panels = Sheet(), []
    for standing in ranking.standings:
        mine = traces[traces["contender"] == standing.contender].rename(columns={"d_loss": "score"})
        if not mine.empty:
            level = frame.suite.objectives.get(standing.objective, {}).get("equilibrium")
            panels.append(trace_panel(sheet, mine, standing.contender, ink[standing.objective], level, steps))
    if not panels:
        return None
    caption = (
        "D's loss without penalties, by G step: mean over the seeds still training, with its 95 % t-interval. Dashed: "
        "its value where real and fake cannot be told apart, for objectives that have one. Each panel has its own "
        "vertical axis, cut to the middle 98 % of the means."
    )
    alternative = f"D's loss by G step on {ranking.dataset}, one panel per contender"
    shown = traces[["contender", "seed", "step", "d_loss"]]
    return sheet.figure(grid(panels), f"{ranking.slug}-equilibrium", caption, alternative, shown)


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
    caption = f"Outcomes of the cells by objective and dataset (n = {len(frame.cells)} cells)."
    return sheet.figure(grid(panels, 3), "outcomes", caption, alternative, counts[shown])
