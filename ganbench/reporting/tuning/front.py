"""What the report of `ganbench tune` shows of several values that are at odds: quality against diversity, or cost."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ganbench.reporting.contents import plain
from ganbench.reporting.drawing import (
    GREY,
    INK,
    Ink,
    Sheet,
    Spec,
    grid,
    inks,
    layered,
    number,
    score_scale,
    share,
    short,
    within,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Block, Figure, Part, Table, block, choice
from ganbench.reporting.tuning.ticks import ticks
from ganbench.reporting.wording import NOTHING, bounds, in_sentence, joined, rounded
from ganbench.stats import Better, Interval
from ganbench.stats.fronts import pareto_front

WIDTH, HEIGHT = 280, 220
APART = 0.06  # of a panel: two points that are nearer share one place for their names
COST = "cost"
STEP: dict[Better, str] = {"lower": "step-after", "higher": "step-before"}
"""How the front's line goes between two points, by which is better on the x-axis: where a point would be dominated."""


@dataclass(frozen=True)
class FrontOf:
    """What a search for several values came to, of one objective on one dataset.

    `trials` are the means of the feasible trials, `front` those of the trials on the Pareto front, the best of the
    first value first. `measured` has the means on fresh seeds of each variant (default, recommended, front 1, ...),
    `labels` what it is called in the reported suite, `settings` its settings in words.
    """

    objective: str
    dataset: str
    values: Sequence[str]
    better: Sequence[Better]
    trials: Sequence[Sequence[float]]
    front: Sequence[Sequence[float]]
    measured: Mapping[str, Sequence[Interval]]
    labels: Mapping[str, str]
    settings: Mapping[str, str]

    @property
    def own(self) -> str:
        """The label whose colour the front has."""
        return self.labels.get("front 1", self.labels["default"])


def front_blocks(frame: Frame, fronts: Sequence[FrontOf]) -> list[Block]:
    """Return the block on several values; none where there was one."""
    if not fronts:
        return []
    drawn = [(dataset, front_figure(frame, dataset, fronts)) for dataset in dict.fromkeys(f.dataset for f in fronts)]
    title = " against ".join(_title(frame, fronts[0].dataset, name) for name in fronts[0].values)
    return block(title, choice("Dataset", drawn), _table(frame, fronts))


def front_figure(frame: Frame, dataset: str, fronts: Sequence[FrontOf]) -> Figure | None:
    """Draw trials, fronts and what was measured on fresh seeds, one panel per objective and pair of values."""
    mine = [each for each in fronts if each.dataset == dataset and each.trials]
    if not mine:
        return None
    values, better = mine[0].values, mine[0].better
    titles = [_title(frame, dataset, name) for name in values]
    sheet, ink, rows = Sheet(), inks(frame.objectives), list[pd.DataFrame]()
    scales = [_scale(mine, place) for place in range(len(values))]
    pairs = list(itertools.combinations(range(len(values)), 2))
    panels = []
    for each, (first, second) in itertools.product(mine, pairs):
        channels = {
            "x": _channel("x", values[second], scales[second], titles[second]),
            "y": _channel("y", values[first], scales[first], titles[first]),
        }
        panels.append(_panel(sheet, each, (first, second), channels, (scales[second], scales[first]), ink))
    for each in mine:
        rows.append(_numbers(each))
    ways = joined([f"{in_sentence(title)} ({way} is better)" for title, way in zip(titles, better, strict=True)])
    caption = (
        f"{ways}. Grey: the means of the feasible trials, on the search's own seeds. The line has the trials that no "
        "other one beats in both values of its panel, as lucky as their seeds. Named points: on fresh seeds, with 95 % "
        "t-intervals where those of a mean hold; they may lie on either side of the line."
    )
    alternative = f"{' against '.join(titles)} on {dataset}: trials, their Pareto front, and settings on fresh seeds"
    columns = 2 if len(pairs) == 1 else len(pairs)
    return sheet.figure(grid(panels, columns), plain("front", dataset), caption, alternative, pd.concat(rows))


def _panel(
    sheet: Sheet,
    each: FrontOf,
    pair: tuple[int, int],
    channels: Spec,
    scales: tuple[Spec, Spec],
    ink: Mapping[str, Ink],
) -> Spec:
    first, second = pair
    own = ink[each.own]
    trials = pd.DataFrame([{"x": point[second], "y": point[first]} for point in each.trials])
    ways = each.better[first], each.better[second]
    best = [each.trials[place] for place in pareto_front([(one[first], one[second]) for one in each.trials], ways)]
    line = pd.DataFrame(
        [
            {"x": one[second], "y": one[first], "tip": own.tip(f"{each.objective}: on the front of the search")}
            for one in best
        ]
    )
    mark = {"type": "line", "interpolate": STEP[each.better[second]], "strokeWidth": 1.6, "color": own.colour}
    return layered(
        sheet.layer(trials, {"type": "circle", "size": 22, "color": GREY, "opacity": 0.4}, channels),
        sheet.layer(line.drop(columns="tip"), mark, channels),
        sheet.layer(line, {"type": "circle", "size": 26, "color": own.colour, "opacity": 1}, channels),
        *_measured(sheet, each, pair, channels, scales, ink),
        title=short(each.objective),
        width=WIDTH,
        height=HEIGHT,
    )


def _measured(
    sheet: Sheet,
    each: FrontOf,
    pair: tuple[int, int],
    channels: Spec,
    scales: tuple[Spec, Spec],
    ink: Mapping[str, Ink],
) -> Iterable[Spec]:
    """Mark every variant with its name, and with intervals where there are any."""
    first, second = pair
    names = _names(each, pair, scales)
    for variant, means in each.measured.items():
        y, x = means[first], means[second]
        if not (x.n and y.n):
            continue
        mine = ink[each.labels[variant]]
        told = f"{each.labels[variant]}: {x.value:.4g} and {y.value:.4g} on {x.n} fresh seeds"
        point = pd.DataFrame([{"x": x.value, "y": y.value, "name": names.get(variant, ""), "tip": mine.tip(told)}])
        if x.offered:
            yield _rule(sheet, x, y.value, "x", "y", channels, scales[0], mine)
        if y.offered:
            yield _rule(sheet, y, x.value, "y", "x", channels, scales[1], mine)
        diamond = {"type": "point", "shape": "diamond", "size": 90, "filled": True, "opacity": 1, "color": mine.colour}
        yield sheet.layer(point.drop(columns="name"), diamond, channels)
        # Names stay inside the panel.
        side = {"align": "right", "dx": -7} if share(x.value, scales[0]) > 0.6 else {"align": "left", "dx": 7}
        text = {"type": "text", **side, "dy": -7, "fontSize": 11, "color": INK}
        yield sheet.layer(point.drop(columns="tip"), text, {**channels, "text": {"field": "name", "type": "nominal"}})


def _names(each: FrontOf, pair: tuple[int, int], scales: tuple[Spec, Spec]) -> dict[str, str]:
    """Return what is written beside the point of a variant: its name, and those of others that would overprint it."""
    first, second = pair
    found: dict[str, str] = {}
    placed: dict[str, tuple[float, float]] = {}
    for variant, means in each.measured.items():
        if not (means[first].n and means[second].n):
            continue
        at = share(means[second].value, scales[0]), share(means[first].value, scales[1])
        near = next((one for one, (x, y) in placed.items() if abs(x - at[0]) < APART and abs(y - at[1]) < APART), None)
        name = variant.removeprefix("front ")
        if near is None:
            placed[variant], found[variant] = at, name
        else:
            found[near] += f", {name}"
    return found


def _rule(
    sheet: Sheet, mean: Interval, other: float, along: str, across: str, channels: Spec, scale: Spec, ink: Ink
) -> Spec:
    data = within(pd.DataFrame([{"low": mean.low, "high": mean.high, across: other}]), scale)
    ends = {along: {**channels[along], "field": "low"}, f"{along}2": {"field": "high"}, across: channels[across]}
    return sheet.layer(data, {"type": "rule", "strokeWidth": 1.4, "color": ink.colour}, ends)


def _scale(fronts: Sequence[FrontOf], place: int) -> Spec:
    means = [found[place] for each in fronts for found in each.measured.values() if found[place].n]
    ends = [end for mean in means if mean.offered for end in (mean.low, mean.high)]
    values = [point[place] for each in fronts for point in each.trials] + [mean.value for mean in means]
    return score_scale(values, fronts[0].better[place], ends)


def _channel(field: str, value: str, scale: Spec, title: str) -> Spec:
    return number(field, scale, title, {"format": "~s"} if value == COST else ticks(scale))


def _numbers(each: FrontOf) -> pd.DataFrame:
    """Return the figure's numbers: a row per trial, per trial on the front, and per measured setting."""
    rows = [("trial", point) for point in each.trials] + [("on the front", point) for point in each.front]
    told = [
        {"objective": each.objective, "what": what, **dict(zip(each.values, point, strict=True))}
        for what, point in rows
    ]
    for variant, means in each.measured.items():
        told.append(
            {
                "objective": each.objective,
                "what": f"{variant}, fresh seeds",
                **{name: mean.value for name, mean in zip(each.values, means, strict=True)},
                **{f"{name}_low": mean.low for name, mean in zip(each.values, means, strict=True) if mean.offered},
                **{f"{name}_high": mean.high for name, mean in zip(each.values, means, strict=True) if mean.offered},
            }
        )
    return pd.DataFrame(told)


def _table(frame: Frame, fronts: Sequence[FrontOf]) -> Part:
    titles = [_title(frame, fronts[0].dataset, name) for name in fronts[0].values]
    rows, labels = [], []
    for each in fronts:
        for variant, means in each.measured.items():
            told = [_mean(mean) for mean in means]
            n = str(means[0].n)
            rows.append((each.objective, each.dataset, variant, *told, n, each.settings.get(variant) or NOTHING))
            labels.append(each.labels[variant])
    return Table(
        "Means over fresh seeds, by which nothing was chosen, with 95 % t-intervals where those of a mean hold. The "
        "settings are those along the front of the search: both its ends and evenly between, from the best in "
        f"{in_sentence(titles[0])} on.",
        ("Objective", "Dataset", "Settings", *titles, "Seeds", "Values"),
        tuple(rows),
        (False, False, False, *(True for _ in titles), True, False),
        tuple(labels),
    )


def _mean(found: Interval) -> str:
    if not found.n:
        return NOTHING
    return rounded(found.value) + (f" ({bounds(found)})" if found.offered else "")


def _title(frame: Frame, dataset: str, name: str) -> str:
    """Return what a value is called: the title of its score, and `best` where that of the last step is not meant."""
    if name == COST:
        return "Samples seen"
    value, _, which = name.rpartition("_")
    return frame.title(dataset, value) + (" (best of a run)" if which == "best" else "")
