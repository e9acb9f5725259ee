"""How much each parameter decides whether a trial is good."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import Sheet, Spec, category, grid, inks, layered, name_axis, number, short
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Part, Text
from ganbench.reporting.tuning.record import TunedSubject, by_importance, panel_name
from ganbench.reporting.wording import joined, n_of, p_value, percent

LEVEL = 0.05


def importance_figure(frame: Frame, dataset: str, tuned: Sequence[TunedSubject]) -> Part | None:
    """Draw the importance of each parameter, a panel per study; a sentence where the trials are too few for any."""
    mine = [each for each in tuned if each.dataset == dataset and each.parameters]
    known = [each for each in mine if any(one.importance is not None for one in each.parameters)]
    if not known:
        return Text("The trials are too few, or too alike, to say which parameters matter.") if mine else None
    ink, sheet, rows, panels = inks(frame.objectives), Sheet(), [], []
    names = list(dict.fromkeys(one.name for each in known for one in by_importance(each)))
    axis: Spec = {**name_axis(names), "minExtent": 60}
    for place, each in enumerate(known):
        found = [
            {
                "objective": panel_name(each, tuned),
                "parameter": one.name,
                "importance": one.importance,
                "p": one.chance,
                "more than chance": one.chance is not None and one.chance <= LEVEL,
                "tip": ink[each.shown].tip(
                    f"{each.objective}, {one.name}: {percent(one.importance)}, p = {p_value(one.chance or 0.0)}"
                ),
            }
            for one in by_importance(each)
            if one.importance is not None
        ]
        rows += found
        data = pd.DataFrame(found)
        opacity: Spec = {
            "field": "more than chance",
            "type": "nominal",
            "scale": {"domain": [True, False], "range": [1, 0.3]},
            "legend": None,
        }
        channels = {
            "x": number("importance", {"domain": [0, 1]}, "share of importance", {"format": "%", "tickCount": 3}),
            "y": category("parameter", names, axis)
            | {"scale": {"domain": names}}
            | ({"axis": None} if place % 3 else {}),
            "opacity": opacity,
        }
        bars = sheet.layer(data, {"type": "bar", "height": 12, "color": ink[each.shown].colour}, channels)
        panels.append(layered(bars, title=short(panel_name(each, tuned)), width=240, height={"step": 22}))
    without = [panel_name(each, tuned) for each in mine if each not in known]
    trials = n_of(len(each.trials) for each in known)
    caption = (
        f"Share of each parameter in what tells good trials from all (PED-ANOVA, Watanabe et al. 2023; {trials} "
        "trials). Good is the best tenth, at least five. Infeasible and pruned trials count as what they are: not "
        "good. Faint bars are no more than chance: with the scores dealt out anew 99 times, one in twenty or more came "
        f"out as important.{f' Nothing can be said of {joined(without)}.' if without else ''}"
    )
    shown = pd.DataFrame(rows).drop(columns="tip")
    alternative = f"Importance of the parameters on {dataset}, a panel per study"
    return sheet.figure(grid(panels, 3), plain("importance", dataset), caption, alternative, shown)
