"""Parallel coordinates: every trial a line over all parameters, to its score."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import GREY, INK, Ink, Sheet, Spec, category, inks, layered, number
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Figure
from ganbench.reporting.tuning.marks import (
    Axis,
    ScoreScale,
    axis_of,
    scores_of,
    titled,
)
from ganbench.reporting.tuning.record import (
    DEFAULT,
    RECOMMENDED,
    TUNED,
    Settings,
    TunedSubject,
    by_importance,
    order_told,
    settings_told,
    told,
)
from ganbench.reporting.tuning.ticks import ticks

HEIGHT, APART, WIDEST = 260, 190, 960
NO_SCORE = -0.1  # where lines without a score end, below the worst
DASHES = {"infeasible": [5, 3], "pruned": [1, 3]}
VARIANT_DASHES = {DEFAULT: [8, 4], RECOMMENDED: [2, 2]}


def parallel_figure(frame: Frame, each: TunedSubject, name: str) -> Figure | None:
    """Draw every trial as a line over all parameters and the score, which colours it."""
    scores = scores_of(each)
    if scores is None or not each.parameters:
        return None
    ink, sheet = inks(frame.objectives)[each.shown], Sheet()
    axes = [axis_of(each, parameter) for parameter in by_importance(each)]
    title = titled(frame, each)
    lines = _lines(each, axes, scores, title, ink)
    names = [axis.parameter.name for axis in axes] + [title]
    x = category("axis", names, {"labelAngle": 0, "orient": "top", "domain": False, "ticks": False, "labelPadding": 12})
    x |= {"type": "ordinal", "scale": {"domain": names, "padding": 0.25}}
    y: Spec = number("place", {"domain": [NO_SCORE, 1], "nice": False}, axis=None) | {"axis": None}
    by_trial: Spec = {"x": x, "y": y, "detail": {"field": "line"}}
    legend = {"title": title, "titleLimit": 130, "gradientLength": 160, "tickCount": 4, "gradientOpacity": 1}
    legend |= ticks(scores.scale) or {}
    complete = lines[lines["kind"] == "complete"]
    best = complete[complete["line"] == (each.best.number if each.best else -1)]
    bars = pd.DataFrame({"axis": names, "low": 0.0, "high": 1.0})
    rule: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    layers = [sheet.layer(bars, {"type": "rule", "color": GREY, "strokeWidth": 1.2}, rule)]
    for state, dash in DASHES.items():
        mine = lines[lines["kind"] == state]
        layers.append(
            sheet.layer(mine, {"type": "line", "color": GREY, "strokeDash": dash, "strokeWidth": 1.1}, by_trial)
        )
    layers.append(
        sheet.layer(
            complete,
            {"type": "line", "strokeWidth": 1.4, "opacity": 0.8},
            {**by_trial, "color": scores.coloured(legend)},
        )
    )
    layers.append(sheet.layer(best, {"type": "line", "strokeWidth": 4}, {**by_trial, "color": scores.coloured(None)}))
    for variant, dash in VARIANT_DASHES.items():
        mine = lines[lines["kind"] == variant]
        layers.append(
            sheet.layer(mine, {"type": "line", "color": INK, "strokeDash": dash, "strokeWidth": 1.6}, by_trial)
        )
    ends = _ends(axes, scores, title)
    text = {
        "type": "text",
        "align": "left",
        "dx": 6,
        "fontSize": 11,
        "fontWeight": 600,
        "color": INK,
        "baseline": "middle",
    }
    layers.append(sheet.layer(ends, text, {"x": x, "y": y, "text": {"field": "told"}}))
    chart = layered(*layers, width=min(WIDEST, APART * len(names)), height=HEIGHT)
    without = sorted({trial.state for trial in each.trials if trial.score is None})
    caption = (
        f"Every trial of {name} as a line over all parameters, {order_told(each)}, to its {title} "
        f"({each.better} is better, the best at the top), which colours it. The thick line is the best trial"
        f"{_others(each)}."
        f"{f' Grey: trials without a score ({_dashes(without)}), which end below the scale.' if without else ''}"
    )
    shown = lines.pivot_table(index=["kind", "line"], columns="axis", values="value", aggfunc="first", sort=False)
    alternative = f"Parallel coordinates of the trials of {name}, coloured by {title}"
    return sheet.figure(chart, plain("parallel", name), caption, alternative, shown.reset_index())


def _dashes(states: Sequence[str]) -> str:
    return " and ".join({"infeasible": "dashed: infeasible", "pruned": "dotted: pruned"}[state] for state in states)


def _others(each: TunedSubject) -> str:
    drawn = {DEFAULT: "the suite's own settings (long dashes)", RECOMMENDED: "the recommended ones (short dashes)"}
    found = [said for name, said in drawn.items() if name in each.measured]
    return f"; black or white: {' and '.join(found)}, which end where they score on fresh seeds" if found else ""


def _lines(each: TunedSubject, axes: Sequence[Axis], scores: ScoreScale, title: str, ink: Ink) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for trial in each.trials:
        text = f"trial {trial.number}: {trial.state if trial.score is None else f'{trial.score:.4g}'}"
        rows += _line(trial.state, trial.number, trial.settings, trial.score, axes, scores, title, ink.tip(text))
    for place, name in enumerate((DEFAULT, RECOMMENDED, TUNED)[:2]):
        found, settings = each.measured.get(name), each.variants.get(name, {})
        if found is not None and found.n:
            tip = ink.tip(f"{name}, fresh seeds: {found.value:.4g}, {settings_told(settings)}")
            rows += _line(name, -2 - place, settings, found.value, axes, scores, title, tip)
    return pd.DataFrame(rows)


def _line(
    kind: str,
    line: int,
    settings: Settings,
    score: float | None,
    axes: Sequence[Axis],
    scores: ScoreScale,
    title: str,
    tip: str,
) -> list[dict[str, object]]:
    known = [axis for axis in axes if axis.parameter.name in settings]
    values = {axis.parameter.name: (axis.place(settings[axis.parameter.name]), settings) for axis in known}
    rows: list[dict[str, object]] = [
        {"axis": name, "place": place, "value": of[name]} for name, (place, of) in values.items()
    ]
    rows.append({"axis": title, "place": NO_SCORE if score is None else scores.place(score), "value": score})
    return [{**row, "kind": kind, "line": line, "score": score, "tip": tip} for row in rows]


def _ends(axes: Sequence[Axis], scores: ScoreScale, title: str) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for axis in axes:
        name = axis.parameter.name
        if axis.parameter.numeric:
            ends = sorted({float(end) for end in axis.parameter.ends if isinstance(end, int | float)})
            rows += [{"axis": name, "place": axis.place(end), "told": told(end)} for end in ends]
        else:
            rows += [{"axis": name, "place": axis.place(value), "told": told(value)} for value in axis.values]
    low, high = scores.scale["domain"]
    worst, best = (high, low) if scores.better == "lower" else (low, high)
    rows += [{"axis": title, "place": place, "told": told(float(end))} for place, end in ((0.0, worst), (1.0, best))]
    return pd.DataFrame(rows)
