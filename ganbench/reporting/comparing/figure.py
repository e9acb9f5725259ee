"""The figure of a comparison: both sides of every contender, seed by seed, and the way from one middle to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ganbench.reporting.comparing.matching import Matched, Pairing
from ganbench.reporting.comparing.telling import VERDICTS
from ganbench.reporting.drawing import (
    INK,
    Ink,
    Sheet,
    category,
    coloured,
    inks,
    layered,
    name_axis,
    number,
    score_scale,
    within,
)
from ganbench.reporting.parts import Figure
from ganbench.reporting.wording import INTERVALS, bounds, interval_and_n, rounded
from ganbench.stats import CENTRES, Interval

WIDTH = 600
PLACE = {"A": -0.4, "B": 0.4}  # of either side in the row of its contender
PADDING = {"left": 5, "top": 5, "right": 110, "bottom": 5}  # room for the verdicts
Row = dict[str, Any]


def dumbbell_figure(one: Matched, value: str, objectives: Sequence[str]) -> Figure | None:
    """Draw every seed of both sides, what stands for them with intervals, and the way from A to B; None if unscored."""
    ink, title, better = inks(objectives), one.titles[value], one.better[value]
    dots = pd.DataFrame(list(_dots(one, value, ink)))
    if dots.empty:
        return None
    means = pd.DataFrame(list(_means(one, value, ink)))
    room = 0.25 * float(dots["score"].max() - dots["score"].min())
    ends = pd.concat([means["low"], means["high"]]).dropna()
    scale = score_scale(dots["score"], better, ends.clip(dots["score"].min() - room, dots["score"].max() + room))
    place = {objective: place for place, objective in enumerate(objectives)}
    shown = [pairing for pairing in one.pairings if pairing.contender in set(dots["contender"])]
    shown.sort(key=lambda pairing: place[pairing.objective])
    names = [pairing.contender for pairing in shown]
    y = category("contender", names, name_axis(names))
    colour = coloured("objective", {objective: mine.colour for objective, mine in ink.items()})
    offset = {"field": "offset", "type": "quantitative", "scale": {"domain": [-1, 1]}}
    at = {"y": y, "yOffset": offset, "color": colour}
    ways = pd.DataFrame(list(_ways(shown, value, ink)), columns=["contender", "objective", "from", "to", "tip"])
    told = pd.DataFrame([{"contender": p.contender, "remark": VERDICTS[p.changes[value].verdict]} for p in shown])
    sheet, bars = Sheet(), within(means, scale)
    before, after = dots[dots["side"] == "A"], dots[dots["side"] == "B"]
    chart = layered(
        sheet.layer(
            ways,
            {"type": "rule", "strokeWidth": 1.5, "opacity": 0.5, "strokeDash": [2, 2]},
            {"x": number("from", scale, title), "x2": {"field": "to"}, "y": y, "color": colour},
        ),
        sheet.layer(
            bars,
            {"type": "rule", "strokeWidth": 2.5, "opacity": 0.9, "clip": True},
            {"x": number("low", scale, title), "x2": {"field": "high"}, **at},
        ),
        sheet.layer(after, {"type": "circle", "size": 36, "opacity": 0.7}, {"x": number("score", scale, title), **at}),
        sheet.layer(
            before,
            {"type": "point", "size": 30, "opacity": 0.8, "strokeWidth": 1.2},
            {"x": number("score", scale, title), **at},
        ),
        sheet.layer(bars, {"type": "tick", "thickness": 3, "size": 14}, {"x": number("mean", scale, title), **at}),
        sheet.layer(
            told,
            {"type": "text", "align": "left", "dx": 10, "color": INK, "fontSize": 11},
            {"x": {"value": WIDTH}, "y": y, "text": {"field": "remark"}},
        ),
        width=WIDTH,
        height={"step": 46},
    )
    middles = [middle for p in shown for middle in (p.changes[value].before, p.changes[value].after)]
    caption = (
        f"{title} ({better} is better) of every seed that is compared. Upper row, hollow: A; lower row, filled: B. "
        f"Ticks and bars: {CENTRES[better]} of either, {interval_and_n(middles, INTERVALS[better])}; dashed: from that "
        "of A to that of B."
    )
    name = f"{one.slug}-{value}-change" if value else f"{one.slug}-change"
    columns = ["contender", "side", "seed", "score"]
    alternative = f"{title} on {one.dataset} by contender, before and after"
    return sheet.figure({**chart, "padding": PADDING}, name, caption, alternative, dots[columns])


def _dots(one: Matched, value: str, ink: Mapping[str, Ink]) -> Iterator[Row]:
    """Set equal scores of several seeds a little apart."""
    for pairing in one.pairings:
        change, mine = pairing.changes[value], ink[pairing.objective]
        for side, scores in zip("AB", change.seeds.known, strict=True):
            for place, (seed, score) in enumerate(sorted(scores.items())):
                spread = 0.0 if len(scores) == 1 else 0.3 * (place / (len(scores) - 1) - 0.5)
                told = f"{pairing.contender}, {side}, seed {seed}: {rounded(score)}"
                yield _row(pairing, side) | {
                    "seed": seed,
                    "score": score,
                    "offset": PLACE[side] + spread,
                    "tip": mine.tip(told, seed),
                }


def _means(one: Matched, value: str, ink: Mapping[str, Ink]) -> Iterator[Row]:
    for pairing in one.pairings:
        change = pairing.changes[value]
        for side, mean in (("A", change.before), ("B", change.after)):
            if mean.n:
                tip = ink[pairing.objective].tip(
                    f"{pairing.contender}, {side}: {_told(mean, CENTRES[one.better[value]])}"
                )
                yield _row(pairing, side) | {"mean": mean.value, "low": mean.low, "high": mean.high, "tip": tip}


def _ways(pairings: Sequence[Pairing], value: str, ink: Mapping[str, Ink]) -> Iterator[Row]:
    for pairing in pairings:
        change = pairing.changes[value]
        if change.before.n and change.after.n:
            tip = ink[pairing.objective].tip(f"{pairing.contender}: {VERDICTS[change.verdict]}")
            ends = {"from": change.before.value, "to": change.after.value}
            yield {"contender": pairing.contender, "objective": pairing.objective, **ends, "tip": tip}


def _row(pairing: Pairing, side: str) -> Row:
    return {"contender": pairing.contender, "objective": pairing.objective, "side": side, "offset": PLACE[side]}


def _told(found: Interval, centre: str) -> str:
    between = f", 95 % interval {bounds(found)}" if found.offered else ""
    return f"{centre} {rounded(found.value)}{between}, n = {found.n}"
