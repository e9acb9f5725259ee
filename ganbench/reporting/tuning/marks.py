"""How trials are drawn: their marks by state, the scales of parameters, the colours of scores, and their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ganbench.reporting.drawing import GREY, INK, Ink, Spec, category, linear_scale, number, score_scale, share
from ganbench.reporting.frame import Frame
from ganbench.reporting.tuning.record import (
    DEFAULT,
    RECOMMENDED,
    TUNED,
    Parameter,
    Settings,
    TunedSubject,
    Value,
    panel_name,
    settings_told,
    spread,
    told,
)
from ganbench.reporting.tuning.ticks import ticks
from ganbench.reporting.wording import in_sentence

GOOD, MIDDLE, BAD = "#0072b2", "#b9b9b9", "#d55e00"
CROSS = "M-.8,-.8L.8,.8M-.8,.8L.8,-.8"
STAR = "M0,-1L.28,-.36L.95,-.31L.43,.13L.59,.81L0,.44L-.59,.81L-.43,.13L-.95,-.31L-.28,-.36Z"
STATES = {"complete": "trial", "infeasible": "infeasible trial", "pruned": "pruned trial"}
BEST, FRONT = "best trial", "front 1"
SHAPES = {
    STATES["complete"]: "circle",
    STATES["infeasible"]: CROSS,
    STATES["pruned"]: "triangle-down",
    BEST: STAR,
    DEFAULT: "diamond",
    RECOMMENDED: "square",
    TUNED: "triangle-up",
    FRONT: "triangle-up",
}
SIZES = {STATES["complete"]: 34, STATES["infeasible"]: 44, STATES["pruned"]: 40, BEST: 130, TUNED: 260, FRONT: 260}
LARGE = 80
ROOM: Spec = {"titlePadding": 8}


@dataclass(frozen=True)
class ScoreScale:
    """The scale of a study's scores, with room at its worse end for trials that have none."""

    scale: Spec
    better: str

    @property
    def edge(self) -> float:
        """Where a trial without a score is drawn: the worse end."""
        low, high = self.scale["domain"]
        return float(high if self.better == "lower" else low)

    def coloured(self, legend: Spec | None) -> Spec:
        """Return the channel that gives a score its colour, from the best to the worst."""
        found = (GOOD, MIDDLE, BAD) if self.better == "lower" else (BAD, MIDDLE, GOOD)
        low, high = self.scale["domain"]
        middle = math.sqrt(low * high) if self.scale.get("type") == "log" else (low + high) / 2
        scale = {**self.scale, "domain": [low, middle, high], "range": list(found), "clamp": True}
        return {"field": "score", "type": "quantitative", "scale": scale, "legend": legend}

    def place(self, score: float) -> float:
        """Return where a score lies between the worst (0) and the best (1)."""
        found = share(score, self.scale)
        return 1 - found if self.better == "lower" else found


def scores_of(each: TunedSubject) -> ScoreScale | None:
    """Return the scale of a study's scores; None where no trial has one."""
    known = spread(each.scores)
    if not known:
        return None
    scale = score_scale([*known, *(found.value for found in each.measured.values() if found.n)], each.better)
    low, high = scale["domain"]
    if scale.get("type") == "log":
        high *= (high / low) ** 0.06
    elif each.better == "lower":
        high += 0.06 * (high - low)
    else:
        low -= 0.06 * (high - low)
    return ScoreScale({**scale, "domain": [low, high]}, each.better)


@dataclass(frozen=True)
class Axis:
    """A parameter's values: those of its range, and what the variants have beyond it."""

    parameter: Parameter
    values: tuple[Value, ...]

    @property
    def log(self) -> bool:
        """Whether its values lie on a logarithmic scale."""
        return self.parameter.kind == "log"

    @property
    def domain(self) -> tuple[float, float]:
        """The ends of its scale."""
        known = [float(value) for value in self.values if isinstance(value, int | float)]
        low, high = min(known), max(known)
        if self.log:
            room = (high / low) ** 0.04
            return low / room, high * room
        ends = linear_scale(low, high, 0.04)["domain"]
        return ends[0], ends[1]

    @property
    def scale(self) -> Spec:
        """Its scale, where it has numbers."""
        return {"domain": list(self.domain), "nice": False, "zero": False, **({"type": "log"} if self.log else {})}

    def column(self, value: Value) -> float | str:
        """Return a value as a table holds it."""
        return float(value) if self.parameter.numeric and isinstance(value, int | float) else told(value)

    def place(self, value: Value) -> float:
        """Return where a value lies along the axis, from 0 to 1."""
        if not self.parameter.numeric:
            names = [told(each) for each in self.values]
            return 0.5 if len(names) < 2 else names.index(told(value)) / (len(names) - 1)
        assert isinstance(value, int | float)
        return share(float(value), self.scale)

    def channel(self, field: str) -> Spec:
        """Return the channel that shows it."""
        name = self.parameter.name
        if not self.parameter.numeric:
            values = [told(each) for each in self.values]
            axis: Spec = {"labelAngle": 0, "labelLimit": 80, **ROOM}
            return category(field, values, axis, name) | {"type": "ordinal", "scale": {"domain": values}}
        if self.log:
            written = ticks(self.scale) or {"format": "~g"}
            return number(field, self.scale, name, ROOM | {**written, "labelOverlap": True})
        return number(field, self.scale, name, ROOM | ({"tickMinStep": 1} if self.parameter.kind == "int" else {}))


def axis_of(each: TunedSubject, parameter: Parameter) -> Axis:
    """Return the axis of one of a study's parameters."""
    given = [settings.get(parameter.name) for settings in each.variants.values()]
    given = [value for value in given if value is not None]
    if parameter.numeric:
        usable = [value for value in given if isinstance(value, int | float) and (parameter.kind != "log" or value > 0)]
        return Axis(parameter, (*parameter.ends, *usable))
    tried = [trial.settings[parameter.name] for trial in each.trials]
    return Axis(parameter, tuple({told(value): value for value in (*parameter.ends, *tried, *given)}.values()))


def points(each: TunedSubject, axes: Sequence[Axis], scores: ScoreScale, ink: Ink, tips: bool = True) -> pd.DataFrame:
    """Return what is marked of a study: its trials, the best again as a star, and the variants on fresh seeds.

    A column per axis by its place (`x0`, `x1`, ...), `score` (the edge where there is none), `mark`, and how it looks.
    """
    rows = []
    for trial in sorted(each.trials, key=lambda one: one.state == "complete"):
        score = scores.edge if trial.score is None else trial.score
        why = f"{trial.score:.4g}" if trial.score is not None else trial.state
        lost = f" ({', '.join(dict.fromkeys(trial.lost))})" if trial.lost else ""
        text = f"trial {trial.number}: {why}{lost}, {settings_told(trial.settings)}" if tips else ""
        rows.append(_row(axes, trial.settings, score, STATES[trial.state], ink.tip(text), ink.colour))
    if (best := each.best) is not None and best.score is not None:
        text = f"best trial {best.number}: {best.score:.4g}, {settings_told(best.settings)}"
        rows.append(_row(axes, best.settings, best.score, BEST, ink.tip(text), ink.colour))
    for name, found in each.measured.items():
        settings = each.variants.get(name, {})
        if found.n and all(axis.parameter.name in settings for axis in axes):
            mark = FRONT if name == TUNED and each.front is not None else name
            text = f"{mark}, fresh seeds: {found.value:.4g}, n = {found.n}, {settings_told(settings)}"
            rows.append(_row(axes, settings, found.value, mark, ink.tip(text), ink.colour))
    return pd.DataFrame(rows)


def marked(data: pd.DataFrame) -> Spec:
    """Return the channels that give each of the `points` its look, and the legend of the marks that there are."""
    present = [name for name in SHAPES if name in set(data["mark"])]
    raw: Spec = {"type": "nominal", "scale": None, "legend": None}
    legend: Spec = {"orient": "top", "title": None, "symbolSize": 64, "columnPadding": 26, "columns": 7}
    legend |= {"symbolFillColor": INK, "symbolStrokeColor": INK, "symbolStrokeWidth": 1.4}
    shape = {"domain": present, "range": [SHAPES[name] for name in present]}
    return {
        "shape": {"field": "mark", "type": "nominal", "scale": shape, "legend": legend, "sort": present},
        "fill": {**raw, "field": "fill"},
        "stroke": {**raw, "field": "stroke"},
        "size": {**raw, "type": "quantitative", "field": "size"},
    }


def _row(
    axes: Sequence[Axis], settings: Settings, score: float, mark: str, tip: str, colour: str
) -> dict[str, float | str]:
    hollow, special = mark in (STATES["infeasible"], STATES["pruned"], TUNED, FRONT), mark not in STATES.values()
    stroke = INK if special else GREY if hollow else colour
    return {
        **{f"x{place}": axis.column(settings[axis.parameter.name]) for place, axis in enumerate(axes)},
        "score": score,
        "mark": mark,
        "fill": "none" if hollow else colour,
        "stroke": stroke,
        "size": SIZES.get(mark, LARGE),
        "tip": tip,
    }


def titled(frame: Frame, each: TunedSubject) -> str:
    """Return what a study was tuned for, as it stands in a sentence."""
    value, _, which = each.value.rpartition("_")
    title = in_sentence(frame.title(each.dataset, value))
    return f"{title} of any evaluation" if which == "best" else title


def study_name(each: TunedSubject, tuned: Sequence[TunedSubject]) -> str:
    """Name a study by what tells it from the others."""
    name = each.objective
    if len({one.dataset for one in tuned}) > 1:
        name += f" on {each.dataset}"
    if panel_name(each, tuned) != each.objective:
        name += f" by {each.architecture}"
    return name
