"""What a search of so many trials is expected to find."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ganbench.reporting.drawing import Sheet, coloured, inks, layered, number, score_scale
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.tuning.record import TunedSubject
from ganbench.reporting.wording import count
from ganbench.stats.budgets import expected_best

WIDTH, HEIGHT = 560, 240


def budget_figure(frame: Frame, dataset: str, tuned: Sequence[TunedSubject]) -> Figure | None:
    """Draw the expected best score against the number of trials, one line per objective."""
    ink, rows = inks(frame.objectives), []
    mine = [each for each in tuned if each.dataset == dataset]
    for each in mine:
        name = each.objectives.get("tuned", each.objectives["default"])
        for budget, score in enumerate(expected_best(each.trials, each.better), 1):
            tip = ink[name].tip(f"{each.objective}: {score:.4g} expected after {count(budget, 'trial')}")
            rows.append({"objective": name, "trials": budget, "score": score, "tip": tip})
    if not rows:
        return None
    data, sheet = pd.DataFrame(rows), Sheet()
    title = frame.title(dataset, mine[0].value.rpartition("_")[0])
    channels = {
        "x": number("trials", {"domain": [1, max(int(data["trials"].max()), 2)], "nice": False}, "trials"),
        "y": number("score", score_scale(data["score"], mine[0].better), f"expected best {title}"),
        "color": coloured("objective", {name: ink[name].colour for name in dict.fromkeys(data["objective"])}, {}),
    }
    chart = layered(
        sheet.layer(data.drop(columns="tip"), {"type": "line", "strokeWidth": 2}, channels),
        sheet.layer(data, {"type": "circle", "size": 26, "opacity": 0.8}, channels),
        width=WIDTH,
        height=HEIGHT,
    )
    caption = (
        f"The best {title} ({mine[0].better} is better) that a search of so many trials is expected to find, from the "
        "trials that were made (Dodge et al. 2019, exact): on the search's own seeds, so luckier than those above. "
        "An infeasible trial counts as the worst that had a score. It holds for trials drawn independently; a sampler "
        "that learns gets there sooner."
    )
    alternative = f"Expected best {title} on {dataset} against the number of trials, by objective"
    return sheet.figure(chart, f"budget-{dataset}", caption, alternative, data[["objective", "trials", "score"]])
