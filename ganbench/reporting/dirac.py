"""What a report shows of the Dirac GAN: where the players went, and the eigenvalues where they should end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ganbench.reporting.drawing import (
    FAINT,
    INK,
    Ink,
    Sheet,
    Spec,
    grid,
    inks,
    layered,
    linear_scale,
    number,
    short,
)
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import legend, ordered
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import Standing
from ganbench.reporting.wording import MINUS, NOTHING, n_of

PLAYERS = ("theta", "psi")
SIDE = 190
CONVERGED = 0.05  # of the radius at which it started


@dataclass(frozen=True)
class Portrait:
    """The figures and the table of a Dirac GAN's section."""

    paths: Figure
    eigenvalues: Figure | None
    table: Table


@dataclass(frozen=True)
class Ending:
    """Where a contender ended, on the mean over its seeds, and the eigenvalues at the equilibrium, if any."""

    contender: str
    objective: str
    radius: float
    converged: bool
    eigenvalues: tuple[complex, ...]
    theory: tuple[complex, ...]


def portrait(frame: Frame, ranking: Ranking) -> Portrait | None:
    """Draw the Dirac cells of a ranking; None where it has none."""
    traces = _traces(frame, ranking)
    if traces is None:
        return None
    return Portrait(
        _paths(frame, ranking, traces), _eigenvalues(frame, ranking), convergence_table(endings(frame, ranking))
    )


def endings(frame: Frame, ranking: Ranking) -> list[Ending]:
    """Say where each contender of a ranking ended; empty where it has no Dirac cells."""
    traces = _traces(frame, ranking)
    found: list[Ending] = []
    if traces is None:
        return found
    for standing in ranking.standings:
        mine = traces[traces["contender"] == standing.contender].sort_values(["cell", "step"]).groupby("cell")["radius"]
        first, last = float(mine.first().mean()), float(mine.last().mean())
        if math.isnan(last):
            continue
        pairs = [tuple(_pair(frame, ranking, standing, kind)) for kind in ("eigenvalue", "theory")]
        found.append(Ending(standing.contender, standing.objective, last, last < CONVERGED * first, *pairs))
    return found


def _traces(frame: Frame, ranking: Ranking) -> pd.DataFrame | None:
    if not set(PLAYERS) <= set(frame.traces.columns):
        return None
    traces = frame.traces[frame.traces["cell"].isin(list(ranking.cells.index))].dropna(subset=list(PLAYERS))
    if traces.empty:
        return None
    traces = traces.merge(ranking.cells[["contender", "seed"]], left_on="cell", right_index=True)
    return traces.assign(radius=(traces["theta"] ** 2 + traces["psi"] ** 2) ** 0.5)


def _paths(frame: Frame, ranking: Ranking, traces: pd.DataFrame) -> Figure:
    ink, sheet, panels = inks(frame.objectives), Sheet(), []
    for standing in ordered(frame, ranking):
        mine = traces[traces["contender"] == standing.contender].sort_values(["cell", "step"])
        if not mine.empty:
            panels.append(_path(sheet, mine, standing.contender, ink[standing.objective]))
    seeds = traces.groupby("contender")["seed"].nunique()
    caption = (
        "Where the two players go: \u03b8, the fake point, to the right and \u03c8, D's slope, upwards. A ring marks "
        "the first record, a dot the last; the cross is the equilibrium, where fake and real are one. Each panel has "
        f"its own scale, equal in both directions ({n_of(seeds, 'seed')}, a path each, no interval)."
    )
    shown = traces[["contender", "seed", "step", *PLAYERS]]
    return sheet.figure(grid(panels), f"{ranking.slug}-paths", caption, "Paths of both players by contender", shown)


def _path(sheet: Sheet, mine: pd.DataFrame, name: str, ink: Ink) -> Spec:
    reach = 1.1 * float(mine["radius"].max()) or 1.0
    scale = {"domain": [-reach, reach], "nice": False}
    place = {"x": number("theta", scale, "\u03b8"), "y": number("psi", scale, "\u03c8")}
    colour = ink.colour
    mine = mine.assign(tip=[ink.tip(f"{name}, seed {seed}", seed) for seed in mine["seed"]])
    mine = mine[["cell", "step", *PLAYERS, "tip"]]
    apart = {"detail": {"field": "cell", "type": "nominal"}, "order": {"field": "step", "type": "quantitative"}}
    ends, middle = mine.groupby("cell"), pd.DataFrame({"theta": [0.0], "psi": [0.0]})
    path = {"type": "line", "strokeWidth": 1.1, "opacity": 0.8, "color": colour, "clip": True}
    cross = {"type": "point", "shape": "cross", "size": 70, "color": INK, "opacity": 0.9}
    layers = [
        sheet.layer(mine, path, {**place, **apart}),
        sheet.layer(ends.head(1), {"type": "point", "size": 60, "color": colour, "opacity": 1}, place),
        sheet.layer(ends.tail(1), {"type": "circle", "size": 60, "color": colour, "opacity": 1}, place),
        sheet.layer(middle, cross, place),
    ]
    return layered(*layers, title=short(name), width=SIDE, height=SIDE)


def _eigenvalues(frame: Frame, ranking: Ranking) -> Figure | None:
    ink = inks(frame.objectives)
    rows = [
        {"contender": s.contender, "real": value.real, "imaginary": value.imag, "by": kind}
        | {"tip": ink[s.objective].tip(f"{s.contender}, {kind}: {value:.3g}")}
        for s in ranking.standings
        for kind, found in (
            ("computed", _pair(frame, ranking, s, "eigenvalue")),
            ("theory", _pair(frame, ranking, s, "theory")),
        )
        for value in found
    ]
    if not rows:
        return None
    data, sheet = pd.DataFrame(rows), Sheet()
    told = legend(frame, data["contender"])
    place = {
        "x": number("real", _around(data["real"]), "real part: below 0 it is drawn in"),
        "y": number("imaginary", _around(data["imaginary"]), "imaginary part: how fast it turns"),
    }
    channels = {**place, "color": told.colour}
    cross = {"type": "point", "shape": "cross", "size": 130, "opacity": 1, "strokeWidth": 1.3}
    layers = [
        sheet.layer(
            pd.DataFrame({"real": [0.0]}), {"type": "rule", "color": FAINT, "strokeWidth": 2}, {"x": place["x"]}
        ),
        sheet.layer(data[data["by"] == "computed"], {"type": "circle", "size": 90, "opacity": 0.55}, channels),
        sheet.layer(data[data["by"] == "theory"], cross, channels),
    ]
    caption = (
        "Eigenvalues of the gradient field at the equilibrium: dots are computed from the loop's own gradients, "
        "crosses are theory (Mescheder et al. 2018). Left of the line, steps that are short enough converge; on the "
        "line they circle. A contender without a dot has a kink at the equilibrium, and so no derivative there. They "
        "are exact, the same for every seed (n = 1 each), and so have no interval."
    )
    chart = layered(*layers, width=440, height=260)
    chart["padding"] = {"left": 5, "top": 5, "right": 70, "bottom": 5}  # room for a font wider than the measured one
    return sheet.figure(
        chart, f"{ranking.slug}-eigenvalues", caption, "Eigenvalues by contender", data.drop(columns="tip")
    )


def _around(values: pd.Series[float]) -> Spec:
    """Return a scale that holds 0 and all values, with room for the marks."""
    return linear_scale(min(0.0, float(values.min())), max(0.0, float(values.max())))


def convergence_table(found: Sequence[Ending]) -> Table:
    """Show where the contenders ended, and their eigenvalues."""
    rows = [
        (
            one.contender,
            f"{one.radius:.3g}".replace("-", MINUS),
            "yes" if one.converged else "no",
            _written(one.eigenvalues),
            _written(one.theory),
        )
        for one in found
    ]
    headings = ("Contender", "Radius at the end", "Converged", "Eigenvalues", "By theory")
    caption = (
        "Radius: the distance from the equilibrium, mean over seeds. Converged: it ended below 5 % of where it started."
    )
    return Table(
        caption, headings, tuple(rows), (False, True, False, True, True), tuple(one.objective for one in found)
    )


def _pair(frame: Frame, ranking: Ranking, standing: Standing, kind: str) -> list[complex]:
    """Return the two eigenvalues of a contender's first cell that has them."""
    mine = ranking.of[standing.contender].index
    for facts in (frame.statuses[place].facts for place in mine if place in frame.statuses):
        if f"{kind}_real_1" in facts:
            return list(_complex(facts, kind))
    return []


def _complex(facts: Mapping[str, float], kind: str) -> Iterable[complex]:
    for place in (1, 2):
        yield complex(facts[f"{kind}_real_{place}"], facts[f"{kind}_imaginary_{place}"])


def _written(pair: tuple[complex, ...]) -> str:
    """Write a pair as `-0.15 ± 0.48i`, or as two numbers where both are real."""
    if not pair:
        return NOTHING
    first, second = pair
    real, turn = (f"{first.real + 0:.3f}", f"{abs(first.imag):.3f}")
    if math.isclose(first.imag, 0, abs_tol=5e-4):
        told = real if math.isclose(first.real, second.real, abs_tol=5e-4) else f"{real}, {second.real:.3f}"
        return told.replace("-", MINUS)
    return f"{'' if float(real) == 0 else real + ' '}\u00b1 {turn}i".replace("-", MINUS)
