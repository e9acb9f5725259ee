"""What a report shows of the Dirac GAN: where the players went, and the eigenvalues where they should end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from ganbench.reporting.colours import colours
from ganbench.reporting.drawing import FAINT, Sheet, Spec, grid, layered
from ganbench.reporting.figures import Figure
from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import Ranking, Standing
from ganbench.reporting.tables import Table
from ganbench.reporting.wording import MINUS, NOTHING

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
    traces = traces.merge(ranking.cells[["contender"]], left_on="cell", right_index=True)
    return traces.assign(radius=(traces["theta"] ** 2 + traces["psi"] ** 2) ** 0.5)


def _paths(frame: Frame, ranking: Ranking, traces: pd.DataFrame) -> Figure:
    palette, sheet, panels = colours(frame.objectives), Sheet(), []
    for standing in ranking.standings:
        mine = traces[traces["contender"] == standing.contender].sort_values(["cell", "step"])
        if not mine.empty:
            panels.append(_path(sheet, mine, standing.contender, palette[standing.objective]))
    caption = (
        "Where the two players go: \u03b8, the fake point, to the right and \u03c8, D's slope, upwards. A ring marks "
        "the first record, a dot the last; the cross is the equilibrium, where fake and real are one. Each panel has "
        "its own scale, equal in both directions."
    )
    return Figure(sheet.svg(grid(panels), f"dirac-{ranking.anchor}"), caption, "Paths of both players by contender")


def _path(sheet: Sheet, mine: pd.DataFrame, name: str, colour: str) -> Spec:
    reach = 1.1 * float(mine["radius"].max()) or 1.0
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x, y = alt.X("theta:Q", title="\u03b8", scale=scale), alt.Y("psi:Q", title="\u03c8", scale=scale)
    base = sheet.chart(mine)
    line = base.mark_line(strokeWidth=1.1, opacity=0.8, color=colour, clip=True)
    ends = mine.groupby("cell")
    first = sheet.chart(ends.head(1)).mark_point(size=60, color=colour, opacity=1)
    last = sheet.chart(ends.tail(1)).mark_circle(size=60, color=colour, opacity=1)
    middle = sheet.chart(pd.DataFrame({"theta": [0.0], "psi": [0.0]})).mark_point(
        shape="cross", size=70, color="currentColor", opacity=0.9
    )
    layers = [
        line.encode(x=x, y=y, detail="cell:N", order="step:Q"),
        *(c.encode(x=x, y=y) for c in (first, last, middle)),
    ]
    return layered(*layers, title=name if len(name) <= 30 else name[:29] + "\u2026", width=SIDE, height=SIDE)


def _eigenvalues(frame: Frame, ranking: Ranking) -> Figure | None:
    rows = [
        {"contender": s.contender, "real": value.real, "imaginary": value.imag, "by": kind}
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
    names = [s.contender for s in ranking.standings if s.contender in set(data["contender"])]
    palette = colours(frame.objectives)
    ink = [palette[s.objective] for s in ranking.standings if s.contender in names]
    x = alt.X("real:Q", title="real part: below 0 it is drawn in", scale=_around(data["real"]))
    y = alt.Y("imaginary:Q", title="imaginary part: how fast it turns", scale=_around(data["imaginary"]))
    colour = alt.Color(
        "contender:N",
        scale=alt.Scale(domain=names, range=ink),
        sort=names,
        title=None,
        legend=alt.Legend(labelLimit=300),
    )
    base = sheet.chart(data).encode(x=x, y=y, color=colour)
    axis = sheet.chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=FAINT, strokeWidth=2).encode(x="zero:Q")
    computed = base.transform_filter("datum.by == 'computed'").mark_circle(size=90, opacity=0.55)
    theory = base.transform_filter("datum.by == 'theory'").mark_point(
        shape="cross", size=130, opacity=1, strokeWidth=1.3
    )
    caption = (
        "Eigenvalues of the gradient field at the equilibrium: dots are computed from the loop's own gradients, "
        "crosses are theory (Mescheder et al. 2018). Left of the line, steps that are short enough converge; on the "
        "line they circle. A contender without a dot has a kink at the equilibrium, and so no derivative there."
    )
    chart = layered(axis, computed, theory, width=440, height=260)
    chart["padding"] = {"left": 5, "top": 5, "right": 70, "bottom": 5}  # room for a font wider than the measured one
    return Figure(sheet.svg(chart, f"eigenvalues-{ranking.anchor}"), caption, "Eigenvalues by contender")


def _around(values: pd.Series[float]) -> alt.Scale:
    """Return a scale that holds 0 and all values, with room for the marks."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    margin = 0.08 * (high - low) or 0.1
    return alt.Scale(domain=[low - margin, high + margin], nice=False)


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
    mine = ranking.cells[ranking.cells["contender"] == standing.contender].index
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
