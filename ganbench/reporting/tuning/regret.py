"""What it costs to use the settings that were found on another dataset."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ganbench.reporting.drawing import INK, Sheet, category, grid, inks, layered, name_axis, number, short
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.tuning.marks import BAD, GOOD
from ganbench.reporting.tuning.record import TUNED, Borrowed, TunedSubject, panel_name
from ganbench.reporting.wording import NOTHING, bounds, rounded
from ganbench.stats import Interval

SAME = "the same settings"
SIDE = 90


def regret_table(tuned: Sequence[TunedSubject]) -> Table | None:
    """Table what settings found elsewhere score, and how much worse that is; None where there is one dataset."""
    rows, shown = [], []
    for each in tuned:
        own = each.measured.get(TUNED)
        for one in each.borrowed:
            told = (one.dataset, each.dataset, each.value, _mean(own), _mean(one.mean), _regret(one))
            rows.append((panel_name(each, tuned), *told))
            shown.append(each.shown)
    if not rows:
        return None
    caption = (
        "Settings found on one dataset and measured on another, on the fresh seeds of those found there: the mean. "
        "Regret: by how much they score worse, seed by seed: the mean difference of scores of which more is better, "
        "the median of distances, with its 95 % interval where one holds. A space belongs to an objective, so "
        "settings are in the other dataset's space too."
    )
    headings = ("Objective", "Tuned on", "Measured on", "Score", "Its own settings", "Borrowed", "Regret")
    return Table(caption, headings, tuple(rows), (False,) * 4 + (True,) * 2 + (False,), tuple(shown))


def regret_figure(frame: Frame, tuned: Sequence[TunedSubject]) -> Figure | None:
    """Draw the regret of using each dataset's settings on each, a panel per objective."""
    lending = [each for each in tuned if any(one.regret is not None or one.same for one in each.borrowed)]
    if not lending or len({each.architecture for each in tuned}) > len({each.dataset for each in tuned}):
        return None
    datasets = [name for name in frame.datasets if name in {each.dataset for each in tuned}]
    ink, sheet, panels, rows = inks(frame.objectives), Sheet(), [], []
    for objective in dict.fromkeys(each.objective for each in lending):
        mine = [row for each in tuned if each.objective == objective for row in _row(each)]
        shown = next(each.shown for each in tuned if each.objective == objective)
        data = pd.DataFrame(mine)
        data["tip"] = [
            ink[shown].tip(f"{objective}, tuned on {a}, measured on {b}: {said}")
            for a, b, said in zip(data["from"], data["on"], data["said"], strict=True)
        ]
        rows += [{"objective": objective, **row} for row in mine]
        place = {
            "x": category("on", datasets, {"orient": "top", "labelAngle": 0, "grid": False}, "measured on")
            | {"scale": {"domain": datasets}},
            "y": category("from", datasets, {**name_axis(datasets), "minExtent": 50}, "tuned on")
            | {"scale": {"domain": datasets}},
        }
        scale = {"domain": [0, 0.5, 1], "range": [GOOD, "#b9b9b9", BAD], "clamp": True}
        square = {"type": "rect", "opacity": 0.4, "stroke": "#88888844"}
        text = {"type": "text", "color": INK, "fontSize": 11}
        panels.append(
            layered(
                sheet.layer(data, square, {**place, "color": {**number("part", scale), "legend": None}}),
                sheet.layer(data.drop(columns="tip"), text, {**place, "text": {"field": "said"}}),
                title=short(objective),
                width={"step": SIDE},
                height={"step": 40},
            )
        )
    caption = (
        "Regret of using the settings found on one dataset (rows) on another (columns), on fresh seeds: how much worse "
        "they score than those found there. Blue: nothing is lost; orange: as much as the score itself, or more; "
        "negative: better than its own. The table has the intervals."
    )
    numbers = pd.DataFrame(rows).rename(columns={"part": "part of its own score", "said": "shown"})
    return sheet.figure(grid(panels, 3), "regret", caption, "Regret by dataset, a panel per objective", numbers)


def _row(each: TunedSubject) -> list[dict[str, object]]:
    own = each.measured.get(TUNED)
    found: list[dict[str, object]] = []
    if own is not None and own.n:
        found.append({"from": each.dataset, "on": each.dataset, "regret": 0.0, "part": 0.0, "said": "0"})
    for one in each.borrowed:
        regret = 0.0 if one.same else one.regret.value if one.regret is not None else math.nan
        part = _part(regret, own)
        said = "same" if one.same else rounded(regret)
        found.append({"from": one.dataset, "on": each.dataset, "regret": regret, "part": part, "said": said})
    return found


def _part(regret: float, own: Interval | None) -> float:
    """Return a regret as a part of the score that is lost, which compares over datasets."""
    if regret == 0 or own is None or not own.n or not math.isfinite(regret):
        return 0.0 if regret == 0 else math.nan
    return min(1.0, max(0.0, regret / abs(own.value))) if own.value else 1.0


def _mean(found: Interval | None) -> str:
    return NOTHING if found is None or not found.n else f"{rounded(found.value)}, n = {found.n}"


def _regret(one: Borrowed) -> str:
    if one.same or one.reason:
        return SAME if one.same else one.reason
    if one.regret is None or not one.regret.n:
        return NOTHING
    reach = f" ({bounds(one.regret)})" if one.regret.offered else ""
    return f"{rounded(one.regret.value)}{reach}, n = {one.regret.n}"
