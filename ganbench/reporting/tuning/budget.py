"""What a search of so many trials finds: its median best with an interval, and its expected best."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import GREY, Ink, Sheet, Spec, grid, inks, layered, number, score_scale, short
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.tuning.marks import titled
from ganbench.reporting.tuning.record import TunedSubject, panel_name, spread
from ganbench.reporting.tuning.ticks import ticks
from ganbench.reporting.wording import count, n_of
from ganbench.stats.budgets import expected_best, median_best

PANEL = {"width": 290, "height": 150}
LOG_FROM = 33  # trials whose axis is logarithmic: what matters happens among the first


def budget_figure(frame: Frame, dataset: str, tuned: Sequence[TunedSubject]) -> Figure | None:
    """Draw the best score that half of all searches reach against the number of trials, a panel per study."""
    both = [(each, _reached(each)) for each in tuned if each.dataset == dataset]
    mine, found = [each for each, reached in both if not reached.empty], [one for _, one in both if not one.empty]
    if not mine:
        return None
    rows = [
        reached.assign(objective=each.shown, network=each.architecture)
        for each, reached in zip(mine, found, strict=True)
    ]
    data = pd.concat(rows, ignore_index=True)
    ends = spread([*data["low"], *data["high"], *data["expected"], *data["reached"]])
    scale, better = score_scale(ends, mine[0].better), mine[0].better
    ink, sheet, title = inks(frame.objectives), Sheet(), titled(frame, mine[0])
    last = max(2, int(data["trials"].max()))
    panels = [
        _panel(sheet, reached, ink[each.shown], panel_name(each, tuned), title, scale, last, better)
        for each, reached in zip(mine, found, strict=True)
    ]
    trials = [len(each.trials) for each in mine]
    caption = (
        f"The best {title} ({better} is better) that a search of so many trials finds, from the trials that were made "
        f"({n_of(trials)}), on the search's own seeds, so luckier than the means on fresh seeds. Line: what half of "
        "all searches reach; band: its 95 % interval between order statistics, exact at each budget (Lourie et al. "
        "2024). Where the band meets the edge, the trials are too few to say how much better, or worse, a search may "
        "end. Dashed: the expected best (Dodge et al. 2019), in which a trial without a score counts as the worst "
        "that has one; it has no interval, since bootstraps of it cover half of what they claim. All this holds for "
        "trials drawn independently; a sampler that learns gets there sooner. All panels share both axes."
    )
    alternative = f"Median best {title} on {dataset} against the number of trials with its interval, a panel per study"
    shown = data[["objective", "network", "trials", "reached", "low", "high", "expected"]]
    shown = shown.replace([math.inf, -math.inf], np.nan)
    return sheet.figure(grid(panels, 3), plain("budget", dataset), caption, alternative, shown)


def _reached(each: TunedSubject) -> pd.DataFrame:
    expected = expected_best(each.scores, each.better)
    rows = [
        {"trials": budget, "reached": one.value, "low": one.low, "high": one.high, "expected": mean}
        for budget, (one, mean) in enumerate(zip(median_best(each.scores, each.better), expected, strict=False), 1)
    ]
    return pd.DataFrame(rows, columns=["trials", "reached", "low", "high", "expected"])


def _panel(
    sheet: Sheet, data: pd.DataFrame, ink: Ink, name: str, title: str, scale: Spec, last: int, better: str
) -> Spec:
    lowest, highest = scale["domain"]
    band = data.assign(low=data["low"].clip(lowest, highest), high=data["high"].clip(lowest, highest))
    line = data[np.isfinite(data["reached"])].drop(columns=["low", "high", "expected"])
    line = line.assign(
        tip=[
            ink.tip(f"{name}: half of all searches of {count(n, 'trial')} reach {score:.4g}")
            for n, score in zip(line["trials"].tolist(), line["reached"].tolist(), strict=True)
        ]
    )
    band = band[["trials", "low", "high"]].assign(tip=ink.tip(f"{name}: 95 % interval of what half of all reach"))
    kind = {"type": "log"} if last >= LOG_FROM else {}
    x = number("trials", {**kind, "domain": [1, last], "nice": False}, "trials", {"tickMinStep": 1, "format": "d"})

    def y(field: str) -> Spec:
        return number(field, scale, f"best {title} {'↓' if better == 'lower' else '↑'}", ticks(scale))

    return layered(
        sheet.layer(
            band,
            {"type": "area", "opacity": 0.2, "color": ink.colour, "clip": True},
            {"x": x, "y": y("low"), "y2": {"field": "high"}},
        ),
        sheet.layer(
            data[["trials", "expected"]],
            {"type": "line", "strokeWidth": 1.2, "strokeDash": [4, 3], "color": GREY, "clip": True},
            {"x": x, "y": y("expected")},
        ),
        sheet.layer(
            line.drop(columns="tip"),
            {"type": "line", "strokeWidth": 2, "color": ink.colour},
            {"x": x, "y": y("reached")},
        ),
        sheet.layer(
            line, {"type": "circle", "size": 18, "color": ink.colour, "opacity": 1}, {"x": x, "y": y("reached")}
        ),
        title=short(name),
        **PANEL,
    )
