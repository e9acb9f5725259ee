"""What a report shows of each class, for contenders whose generator is told which one to make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import pandas as pd

from ganbench.reporting.drawing import FAINT, LOG_RATIO, Sheet, Spec, category, layered, name_axis, number
from ganbench.reporting.frame import Frame
from ganbench.reporting.legends import ordered
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import Standing
from ganbench.reporting.wording import count, n_of, percent, places
from ganbench.reporting.wording import number as written
from ganbench.stats import CENTRES, Better, Interval, centre

SHOWN = 30  # classes; of more, those that are worst
BEST = " \u2605"
VALUES: dict[str, tuple[str, Better]] = {"fid": ("FID", "lower"), "accuracy": ("Accuracy", "higher")}


@dataclass(frozen=True)
class ClassScores:
    """Per-class tables, one per value that is known, each under its title; and their figure."""

    tables: tuple[tuple[str, Table], ...]
    figure: Figure


def class_scores(frame: Frame, ranking: Ranking) -> ClassScores | None:
    """Show the per-class scores of a ranking's completed cells; None where there are none."""
    data = _rows(frame, ranking)
    known = [value for value in VALUES if not data.empty and data[value].notna().any()]
    if not known:
        return None
    standings = [s for s in ranking.standings if s.contender in set(data["contender"])]
    means = {value: _means(data, standings, value) for value in known}
    shown = _shown(means[known[0]], known[0])
    tables = tuple((VALUES[value][0], _table(data, standings, means[value], value, shown)) for value in known)
    seeds = data.groupby("contender")["seed"].nunique()
    rows = [s.contender for s in ordered(frame, ranking) if s in standings]
    return ClassScores(tables, _figure(ranking, {value: means[value].loc[rows, shown] for value in known}, seeds))


def by_class(frame: Frame, ranking: Ranking) -> dict[str, list[dict[str, int | Interval]]]:
    """Return each contender's per-class scores as numbers: by class the interval over seeds of each value."""
    found: dict[str, list[dict[str, int | Interval]]] = {}
    for contender, cells in _rows(frame, ranking).groupby("contender", sort=False):
        found[str(contender)] = [
            {"class": name, **{value: centre(list(mine[value].dropna()), VALUES[value][1]) for value in VALUES}}
            for name, mine in ((int(mine["class"].iloc[0]), mine) for _, mine in cells.groupby("class"))
        ]
    return found


def _rows(frame: Frame, ranking: Ranking) -> pd.DataFrame:
    completed = ranking.cells[ranking.cells["outcome"] == "completed"]
    rows = [
        {"contender": contender, "seed": seed, **row}
        for place, contender, seed in zip(completed.index, completed["contender"], completed["seed"], strict=True)
        if place in frame.scores
        for row in frame.scores[place].per_class
    ]
    found = pd.DataFrame(rows, columns=["contender", "seed", "class", *VALUES])
    return found.astype({"class": int, **dict.fromkeys(VALUES, float)})


def _means(data: pd.DataFrame, standings: Sequence[Standing], value: str) -> pd.DataFrame:
    """Return what stands for the seeds: a row per contender in the order of the ranking, a column per class."""
    aggregate: Literal["mean", "median"] = "mean" if VALUES[value][1] == "higher" else "median"
    table = data.pivot_table(index="contender", columns="class", values=value, aggfunc=aggregate, dropna=False)
    return table.reindex(index=[s.contender for s in standings], columns=sorted(set(data["class"])))


def _shown(means: pd.DataFrame, value: str) -> list[int]:
    worst_first = means.mean().sort_values(ascending=VALUES[value][1] == "higher")
    return sorted(int(name) for name in worst_first.index[:SHOWN])


def _table(
    data: pd.DataFrame, standings: Sequence[Standing], means: pd.DataFrame, value: str, shown: Sequence[int]
) -> Table:
    title, better = VALUES[value]
    shared = means.dropna(axis=1)  # a mean that leaves out a hard class would look better for it
    columns: list[tuple[str, pd.Series[float]]] = [
        ("Mean", shared.mean(axis=1)),
        ("Worst", shared.max(axis=1) if better == "lower" else shared.min(axis=1)),
        *((str(name), means[name]) for name in shown),
    ]
    digits = places(means.to_numpy().ravel())
    write = percent if value == "accuracy" else partial(written, decimals=digits)
    marked = [_marked(column, better, write) for _, column in columns]
    seeds = data.groupby("contender")["seed"].nunique()
    rows = tuple(
        (s.contender, written(int(seeds[s.contender]), 0), *(column[s.contender] for column in marked))
        for s in standings
    )
    headings = ("Contender", "Seeds", *(heading for heading, _ in columns))
    what = {
        "fid": "FID of the samples asked to be of a class against the real rows of that class; its mean over the "
        "classes is also known as intra-FID. It is biased by the number of samples, which is smaller for a class "
        "than for all: compare down a column, not with the FID of the whole",
        "accuracy": "Share of the samples asked to be of a class that are seen as that class",
    }[value]
    cut = (
        f" The {SHOWN} worst of {count(len(means.columns), 'class', 'classes')}."
        if len(shown) < len(means.columns)
        else ""
    )
    caption = (
        f"{title} by class ({better} is better). {what}. {CENTRES[better].capitalize()}s over completed seeds at the "
        "last evaluation, where all classes are asked for equally often; mean and worst are over the classes that "
        f"every contender has.{BEST} marks the best contender.{cut}"
    )
    numeric = (False, *(True for _ in headings[1:]))
    return Table(caption, headings, rows, numeric, tuple(s.objective for s in standings))


def _marked(column: pd.Series[float], better: str, write: Callable[[float], str]) -> dict[str, str]:
    """Write a column, with a mark at its best where there is more than one to choose from."""
    best = column.min() if better == "lower" else column.max()
    several = column.notna().sum() > 1
    return {str(name): write(value) + (BEST if several and value == best else "") for name, value in column.items()}


def _figure(ranking: Ranking, means: dict[str, pd.DataFrame], seeds: Iterable[int]) -> Figure:
    sheet = Sheet()
    panels = [_panel(sheet, table, value) for value, table in means.items()]
    chart: Spec = {"vconcat": panels, "resolve": {"scale": {"color": "independent"}}}
    drawn = " and ".join(VALUES[value][0] for value in means)
    caption = (
        f"{drawn} by class, means over seeds ({n_of(seeds)}, no interval): the same numbers as in the tables, to see "
        "which classes are hard."
    )
    data = pd.concat([_long(table).assign(value=value) for value, table in means.items()])
    return sheet.figure(chart, f"{ranking.slug}-classes", caption, f"{drawn} by contender and class", data)


def _long(means: pd.DataFrame) -> pd.DataFrame:
    return means.reset_index(names="contender").melt("contender", var_name="class", value_name="score").dropna()


def _panel(sheet: Sheet, means: pd.DataFrame, value: str) -> Spec:
    title, better = VALUES[value]
    data = _long(means)
    names, classes = list(means.index), [str(name) for name in means.columns]
    low, high = float(data["score"].min()), float(data["score"].max())
    kind = "log" if better == "lower" and low > 0 and high / low > LOG_RATIO else "linear"
    colour = number("score", {"type": kind, "scheme": "oranges" if better == "lower" else "blues"}, title)
    squares = sheet.layer(
        data.assign(**{"class": data["class"].astype(str)}),
        {"type": "rect", "stroke": FAINT, "strokeWidth": 0.5},
        {
            "x": category("class", classes, {"labelAngle": 0, "grid": False}, "class") | {"type": "ordinal"},
            "y": category("contender", names, name_axis(names)),
            "color": colour | {"legend": {"gradientLength": 90, "tickCount": 3}},
        },
    )
    return layered(squares, width=min(26 * len(classes), 560), height={"step": 26})
