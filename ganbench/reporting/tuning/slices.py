"""Score against each parameter: every trial a point."""

from __future__ import annotations

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import Sheet, grid, inks, layered, number
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.tuning.marks import axis_of, marked, points, scores_of, titled
from ganbench.reporting.tuning.record import TunedSubject, by_importance, order_told
from ganbench.reporting.tuning.ticks import ticks
from ganbench.reporting.wording import count

CROWDED = 2000  # points of a figure, of which none has a tooltip


def slices_figure(frame: Frame, each: TunedSubject, name: str) -> Figure | None:
    """Draw the score of every trial against each parameter; trials without one stand at the worse edge."""
    scores = scores_of(each)
    if scores is None or not each.parameters:
        return None
    ink, sheet = inks(frame.objectives)[each.shown], Sheet()
    axes = [axis_of(each, parameter) for parameter in by_importance(each)]
    data = points(each, axes, scores, ink, len(each.trials) * len(axes) <= CROWDED)
    title, columns = titled(frame, each), min(3, len(axes))
    panels = []
    for place, axis in enumerate(axes):
        y = number("score", scores.scale, title if place % columns == 0 else None, ticks(scores.scale))
        channels = {"x": axis.channel(f"x{place}"), "y": y, **marked(data)}
        mine = data.dropna(subset=[f"x{place}"])
        layer = sheet.layer(mine, {"type": "point", "opacity": 0.85, "strokeWidth": 1.5}, channels)
        panels.append(layered(layer, width=285, height=170))
    counted = {state: sum(trial.state == state for trial in each.trials) for state in ("infeasible", "pruned")}
    without = [f"{n} {state} (at the edge)" for state, n in counted.items() if n]
    caption = (
        f"{title[:1].upper()}{title[1:]} ({each.better} is better) of every trial of {name} against each parameter, "
        f"{order_told(each)}: means over the search's seeds of {count(len(each.trials), 'trial')}"
        f"{', of which ' + ' and '.join(without) if without else ''}, no interval. Settings with a name stand at "
        "their means on fresh seeds. All panels share the vertical axis."
    )
    shown = data.rename(columns={f"x{place}": axis.parameter.name for place, axis in enumerate(axes)})
    shown = shown.drop(columns=["fill", "stroke", "size", "tip"])
    alternative = f"{title} of the trials of {name} against each parameter"
    return sheet.figure(grid(panels, columns), plain("slices", name), caption, alternative, shown)
