"""Parts of figures: panels, scales, and the step from a chart to SVG that a page can hold."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from scipy import stats

COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT = 222, 120
POINTS = 120  # of a trace, per contender: more cannot be seen in a panel
LOG_RATIO = 30
STEPS = "datum.value ? format(datum.value, '~s') : '0'"
FAINT = "#88888844"
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "aria": False,
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": FAINT,
        "domainColor": "#888888",
        "tickColor": "#888888",
        "tickCount": 4,
    },
    "legend": {"labelColor": "currentColor", "titleColor": "currentColor", "labelFontSize": 12},
    "title": {"color": "currentColor", "fontSize": 12, "fontWeight": 600, "anchor": "start", "offset": 6},
    "axisY": {"domain": False, "ticks": False},
    "concat": {"spacing": 24},
}

Spec = dict[str, Any]


class Sheet:
    """The tables behind one figure, kept out of the charts: altair copies what is inside them many times."""

    def __init__(self) -> None:
        """Start with no table."""
        self._tables: list[str] = []

    def chart(self, data: pd.DataFrame) -> alt.Chart:
        """Return an empty chart on `data`."""
        self._tables.append(data.to_json(orient="records"))
        return alt.Chart(alt.NamedData(name=f"table-{len(self._tables) - 1}"))

    def svg(self, spec: Spec, name: str) -> str:
        """Draw a chart; ids get a prefix made of `name`, or one figure's clip paths would cut another's lines."""
        tables = {f"table-{place}": json.loads(table) for place, table in enumerate(self._tables)}
        whole = {"$schema": alt.SCHEMA_URL, **spec, "config": CONFIG, "datasets": tables}
        drawn = str(vl_convert.vegalite_to_svg(json.dumps(whole)))
        prefix = hashlib.sha256(name.encode()).hexdigest()[:8]
        drawn = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\1f{prefix}-\2", drawn)
        return re.sub(r"<[^>]*>", lambda tag: re.sub(r' (?:xmlns|aria-|role)[\w:-]*="[^"]*"', "", tag[0]), drawn)


def curve_panel(sheet: Sheet, curves: pd.DataFrame, name: str, colour: str, scale: alt.Scale, steps: float) -> Spec:
    """Draw one contender's scores (columns cell, step, score, outcome): seeds, and their mean with its band."""
    x = _step_axis(steps)
    seeds = curves["cell"].nunique()
    whole = _band(curves)
    whole = within(whole[whole["n"] == seeds], scale)
    lines = (
        sheet.chart(curves)
        .mark_line(strokeWidth=0.8, opacity=0.45, color=colour)
        .encode(x=x, y=alt.Y("score:Q", title=None, scale=scale), detail="cell:N")
    )
    band = sheet.chart(whole).mark_area(opacity=0.2, color=colour, clip=True)
    mean = sheet.chart(whole).mark_line(strokeWidth=2.2, color=colour)
    ended = curves[~curves["outcome"].isin(["completed"])].sort_values("step").groupby("cell").tail(1)
    cross = sheet.chart(ended).mark_point(shape="cross", angle=45, size=90, filled=True, opacity=1, color=colour)
    y = alt.Y("mean:Q", title=None, scale=scale)
    return layered(
        band.encode(x=x, y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"),
        lines,
        mean.encode(x=x, y=y),
        cross.encode(x=x, y=alt.Y("score:Q", title=None, scale=scale)),
        title=_short(name),
    )


def loss_panel(sheet: Sheet, traces: pd.DataFrame, name: str, colour: str, level: float | None, steps: float) -> Spec:
    """Draw one contender's loss of D (columns step, score) with a dashed line at `level`."""
    band = _band(traces)
    band = band.iloc[:: max(1, math.ceil(len(band) / POINTS))]
    low, high = float(band["mean"].quantile(0.01)), float(band["mean"].quantile(0.99))
    if level is not None:
        low, high = min(low, level), max(high, level)
    margin = 0.08 * (high - low) or 0.1
    scale = alt.Scale(domain=[low - margin, high + margin], nice=False)
    x = _step_axis(steps)
    area = sheet.chart(band).mark_area(opacity=0.2, color=colour, clip=True)
    line = sheet.chart(band).mark_line(strokeWidth=1.8, color=colour, clip=True)
    layers = [
        area.encode(x=x, y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"),
        line.encode(x=x, y=alt.Y("mean:Q", title=None, scale=scale)),
    ]
    if level is not None:
        rule = sheet.chart(pd.DataFrame({"level": [level]})).mark_rule(
            strokeDash=[5, 4], color="#888888", strokeWidth=1.5
        )
        layers.append(rule.encode(y=alt.Y("level:Q", title=None, scale=scale)))
    return layered(*layers, title=_short(name))


def _band(data: pd.DataFrame) -> pd.DataFrame:
    """Return mean, t-interval and number of seeds at each step (no bounds with a single seed)."""
    found = data.groupby("step")["score"].agg(mean="mean", deviation="std", n="count").reset_index()
    half = stats.t.ppf(0.975, (found["n"] - 1).clip(lower=1)) * found["deviation"] / found["n"] ** 0.5
    return found.assign(low=found["mean"] - half, high=found["mean"] + half)


def name_axis(names: Sequence[str]) -> alt.Axis:
    """Return an axis with room for names: the browser's font may be wider than the one measured here."""
    room = min(240.0, 7.6 * max((len(name) for name in names), default=0) + 8)
    return alt.Axis(labelLimit=230, labelFontSize=12, labelPadding=8, minExtent=room)


def score_scale(values: Iterable[float], better: str, intervals: Iterable[float] = ()) -> alt.Scale:
    """Return a scale with room around the values: logarithmic for distances (lower is better) that span `LOG_RATIO`.

    The ends of `intervals` have room too, where there is any: a logarithm has none below 0.
    """
    known, ends = [float(value) for value in values], list(intervals)
    low, high = min(known), max(known)
    if better == "lower" and low > 0 and high / low > LOG_RATIO:
        return alt.Scale(type="log", domain=[low * 0.9, max(high, *ends, low) * 1.1], nice=False)
    low, high = min(low, *ends, high), max(high, *ends, low)
    margin = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return alt.Scale(domain=[low - margin, high + margin], nice=False, zero=False)


def within(data: pd.DataFrame, scale: alt.Scale) -> pd.DataFrame:
    """Cut intervals (columns low, high) to what a scale shows: a logarithm has no place for what is below 0."""
    low, high = scale.to_dict()["domain"]
    return data.assign(low=data["low"].clip(low, high), high=data["high"].clip(low, high))


def _step_axis(steps: float) -> alt.X:
    scale = alt.Scale(domain=[0, steps], nice=False)
    return alt.X("step:Q", title=None, scale=scale, axis=alt.Axis(tickCount=3, labelExpr=STEPS))


def _short(name: str) -> str:
    return name if len(name) <= 32 else name[:31] + "…"


def grid(panels: Sequence[Spec], columns: int = COLUMNS) -> Spec:
    """Set panels in rows."""
    return {"concat": list(panels), "columns": columns, "resolve": {"scale": {"color": "shared"}}}


def spec_of(chart: alt.Chart) -> Spec:
    """Return a chart as part of a larger one."""
    found = chart.to_dict(validate=False)
    return {name: part for name, part in found.items() if name not in ("$schema", "config")}


def layered(*charts: alt.Chart, title: str | None = None, width: int = PANEL_WIDTH, height: Any = PANEL_HEIGHT) -> Spec:
    """Lay charts over each other, as plain specifications: altair's own layering copies them again and again."""
    layers = {"layer": [spec_of(chart) for chart in charts], "width": width, "height": height}
    return layers if title is None else {**layers, "title": title}
