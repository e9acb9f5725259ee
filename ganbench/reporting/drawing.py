"""Vega-Lite in plain dictionaries: layers, channels and scales, and the step from a chart to SVG that a page can hold.

No chart library stands between: altair's objects take ten times as long as the drawing itself.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ganbench.reporting.colours import Look, look
from ganbench.reporting.parts import Figure
from ganbench.reporting.studio import draw
from ganbench.reporting.svg import tip

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT = 222, 120
LOG_RATIO = 10
FAINT = "#88888844"
GREY = "#888888"
INK = "currentColor"
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "aria": False,
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": FAINT,
        "domainColor": GREY,
        "tickColor": GREY,
        "tickCount": 4,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12},
    "title": {"color": INK, "limit": 240, "fontSize": 12, "fontWeight": 600, "anchor": "start", "offset": 6},
    "axisY": {"domain": False, "ticks": False},
    "concat": {"spacing": 24},
}
STEPS = {"tickCount": 3, "labelExpr": "datum.value ? format(datum.value, '~s') : '0'"}

NAME = 32  # letters of a name that there is room for
_SHORT = (  # as `short` does, in Vega's language
    f"length(datum.label) <= {NAME} ? datum.label : "
    f"slice(datum.label, 0, {NAME // 2 - 1}) + '…' + slice(datum.label, {-(NAME // 2)})"
)
CONTROL = re.compile(r"(?<!\\)((?:\\\\)*)\\u00(?:[01][0-9a-fA-F]|7[fF]|[89][0-9a-fA-F])")
"""Control characters in JSON: one in a name would end the process that draws."""

Spec = dict[str, Any]


@dataclass(frozen=True)
class Ink:
    """How an objective is drawn: its look, and its place in the suite, by which a page finds its marks."""

    look: Look
    place: int

    @property
    def colour(self) -> str:
        """Its colour."""
        return self.look.colour

    def tip(self, text: str, seed: int | None = None) -> str:
        """Return what a mark of the objective is called (the column `tip` of a layer's data)."""
        return tip(text, self.place, seed)


def inks(objectives: Sequence[str]) -> dict[str, Ink]:
    """Give every objective of a suite its ink."""
    return {name: Ink(look(place), place) for place, name in enumerate(objectives)}


class Sheet:
    """One figure in the making, with the tables behind it: a table that many layers show is written once."""

    def __init__(self) -> None:
        """Start with no table."""
        self._tables: list[pd.DataFrame] = []

    def layer(self, data: pd.DataFrame, mark: Spec, channels: Spec) -> Spec:
        """Return a layer that draws `data`; its column `tip`, where there is one, names the marks."""
        place = next((place for place, table in enumerate(self._tables) if table is data), len(self._tables))
        if place == len(self._tables):
            self._tables.append(data)
        told = {"description": {"field": "tip", "type": "nominal"}} if "tip" in data else {}
        return {"data": {"name": f"table-{place}"}, "mark": mark, "encoding": {**channels, **told}}

    def figure(self, spec: Spec, name: str, caption: str, alternative: str, data: pd.DataFrame) -> Figure:
        """Draw a chart; `data` are the numbers that it shows, as a reader may want them."""
        tables = ",".join(f'"table-{place}":{t.to_json(orient="records")}' for place, t in enumerate(self._tables))
        whole = json.dumps({"$schema": SCHEMA, **spec, "config": CONFIG})
        chart = CONTROL.sub(r"\1", f'{whole[:-1]},"datasets":{{{tables}}}}}')
        return Figure(name, draw(chart), caption, alternative, data)


def number(field: str, scale: Spec | None = None, title: str | None = None, axis: Spec | None = None) -> Spec:
    """Return a channel that shows numbers."""
    found: Spec = {"field": field, "type": "quantitative", "title": title}
    domain = scale.get("domain", ()) if scale else ()
    if scale and scale.get("type") == "log" and domain:
        axis = {"values": _log_ticks(*domain), **(axis or {})}
    if domain and not 1e-4 <= max(map(abs, domain)) < 1e6:
        axis = {"format": ".4~g", **(axis or {})}  # by itself Vega writes 6.000000000000001e+27
    return found | ({"scale": scale} if scale else {}) | ({"axis": axis} if axis else {})


def _log_ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers of a logarithmic axis: Vega would draw a line for each of nine in a decade."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wide = len(decades) > 4
    apart = math.ceil(len(decades) / 6)
    rounds = [10.0**decade * lead for decade in decades[::apart] for lead in ((1,) if wide else (1, 2, 5))]
    return [tick for tick in rounds if low <= tick <= high]


def category(field: str, order: Sequence[str], axis: Spec | None = None, title: str | None = None) -> Spec:
    """Return a channel that shows names, in the order given."""
    found: Spec = {"field": field, "type": "nominal", "sort": list(order), "title": title}
    return found | ({"axis": axis} if axis else {})


def coloured(field: str, by_name: Mapping[str, str], legend: Spec | None = None) -> Spec:
    """Return a colour channel in which each name has the colour given."""
    scale = {"domain": list(by_name), "range": list(by_name.values())}
    if legend is not None and any(len(name) > NAME for name in by_name):
        legend = legend | {"labelExpr": _SHORT}
    return {"field": field, "type": "nominal", "scale": scale, "title": None, "legend": legend}


def steps_axis(steps: float) -> Spec:
    """Return the channel x of what goes by G step, from 0 to the last."""
    return number("step", {"domain": [0, steps or 1], "nice": False}, axis=STEPS)


def name_axis(names: Sequence[str]) -> Spec:
    """Return an axis with room for names: the browser's font may be wider than the one measured here."""
    longest = max((len(name) for name in names), default=0)
    room = min(240.0, 7.6 * longest + 8)
    axis: Spec = {"labelLimit": 230, "labelFontSize": 12, "labelPadding": 8, "minExtent": room}
    return axis | ({"labelExpr": _SHORT} if longest > NAME else {})


def top_axis(names: Sequence[str]) -> Spec:
    """Return an axis above a matrix, its names slanting to the right."""
    axis: Spec = {"orient": "top", "labelAngle": -40, "labelLimit": 260, "labelFontSize": 12, "grid": False}
    return axis | ({"labelExpr": _SHORT} if any(len(name) > NAME for name in names) else {})


def score_scale(values: Iterable[float], better: str, intervals: Iterable[float] = ()) -> Spec:
    """Return a scale with room around the values: logarithmic for distances (lower is better) that span `LOG_RATIO`.

    The ends of `intervals` have room too, where there is any: a logarithm has none below 0.
    """
    known, ends = [float(value) for value in values], list(intervals)
    low, high = min(known), max(known)
    if better == "lower" and low > 0 and high / low > LOG_RATIO:
        return {"type": "log", "domain": [low * 0.9, max(high, *ends, low) * 1.1], "nice": False}
    low, high = min(low, *ends, high), max(high, *ends, low)
    return linear_scale(low, high, 0.04)


def linear_scale(low: float, high: float, room: float = 0.08) -> Spec:
    """Return a scale from `low` to `high` with room around them, as a share of their distance."""
    if low == high == 0:
        return {"domain": [-room, 1.0], "nice": False, "zero": False}  # most scores are never below 0
    margin = room * (high - low) or 0.1 * abs(high)
    return {"domain": [low - margin, high + margin], "nice": False, "zero": False}


def share(value: float, scale: Spec) -> float:
    """Return which share of a scale lies below a value, from 0 to 1."""
    low, high = scale["domain"]
    if scale.get("type") == "log":
        low, high, value = math.log(low), math.log(high), math.log(value)
    return min(1.0, max(0.0, float((value - low) / (high - low))))


def within(data: pd.DataFrame, scale: Spec) -> pd.DataFrame:
    """Cut intervals (columns low, high) to what a scale shows: a logarithm has no place for what is below 0."""
    ends = {name: np.clip(data[name].to_numpy(float), *scale["domain"]) for name in ("low", "high")}
    return data.assign(**ends)


def short(name: str) -> str:
    """Cut a name to what a panel's title has room for: in its middle, since settings at its end tell it from others."""
    return name if len(name) <= NAME else f"{name[: NAME // 2 - 1]}…{name[-NAME // 2 :]}"


def grid(panels: Sequence[Spec], columns: int = COLUMNS) -> Spec:
    """Set panels in rows."""
    padding = {"left": 5, "top": 5, "right": 30, "bottom": 5}  # for titles in a font wider than the measured one
    shared: Spec = {"resolve": {"scale": {"color": "shared"}}, "padding": padding}
    return {"concat": list(panels), "columns": columns, **shared}


def layered(*layers: Spec, title: str | None = None, width: Any = PANEL_WIDTH, height: Any = PANEL_HEIGHT) -> Spec:
    """Lay layers over each other in one panel."""
    found: Spec = {"layer": list(layers), "width": width, "height": height}
    return found if title is None else {**found, "title": title}
