"""Who is better than whom on one dataset under one protocol, and how sure that is."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ganbench.reporting import contenders
from ganbench.reporting.frame import Frame
from ganbench.reporting.limits import Limits, limits, of_differences
from ganbench.reporting.standings import BROKEN, Standing, with_ranks
from ganbench.stats import Better, Difference, Interval, Test, all_pairs, centre

OF_THE_PAGE = ("findings", "all-datasets", "tuning", "outcomes", "troubles", "method", "provenance", "told")
"""Names that stand for other parts of a report, whatever a dataset is called."""
CROWD = 150
"""Cells of a ranking beyond which single ones are told apart for the headline alone: the page would grow past 5 MB."""


@dataclass(frozen=True)
class Ranking:
    """All contenders on one dataset whose scores share one protocol, best first, ordered by `headline`.

    `limits` are what each value can be.

    `slug` is a plain file name that no other ranking of the report has.

    `test` is the one by which contenders were held against the leader. `ceiling` is what as many held-out real samples
    score, by value, where there were enough of them.
    `scoring` is false where the suite asks for no scores: then nothing is ranked. Which way is `better` is known of
    the `values` alone: nothing tells that of a headline that no cell was scored by.
    """

    dataset: str
    protocol_id: str
    headline: str
    title: str
    better: Better
    values: tuple[str, ...]
    standings: tuple[Standing, ...]
    cells: pd.DataFrame
    slug: str = ""
    test: Test = "t"
    scoring: bool = True
    ceiling: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)

    @property
    def ranked(self) -> bool:
        """Whether there is a final score to rank by."""
        return any(standing.final.n for standing in self.standings)

    def shown(self, difference: Difference) -> Interval:
        """Return a difference of the headline as it is shown: the mean or median one, within what it can be."""
        return difference.middle(self.better).within(*of_differences(self.limits[self.headline]))

    def crowded(self, value: str = "") -> bool:
        """Whether single cells are too many to be told apart in figures of this value (or of none)."""
        return len(self.cells) > CROWD and value != self.headline

    @functools.cached_property
    def of(self) -> dict[str, pd.DataFrame]:
        """The cells of each contender, in the order of the standings."""
        return self.split(self.cells.assign(cell=self.cells.index))

    @functools.cached_property
    def worse_alike(self) -> bool:
        """Whether those that lag behind the leader, two or more, cannot be told apart from each other."""
        worse = {s.contender: s.finals for s in self.standings if s.relation == "worse"}
        return len(worse) > 1 and all_pairs(worse, better=self.better).alike

    def split(self, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the rows of a table about cells (by its column `cell`), contender by contender, best first.

        Contenders without a row are left out, as are cells of other rankings.
        """
        order = {standing.contender: place for place, standing in enumerate(self.standings)}
        cells = table["cell"].to_numpy(np.int64)
        owner = np.full(max(cells.max(initial=-1), self.cells.index.max()) + 1, -1)
        owner[self.cells.index] = [order[name] for name in self.cells["contender"]]
        owners = owner[cells]
        rows = {name: np.flatnonzero(owners == place) for name, place in order.items()}
        return {name: table.take(mine) for name, mine in rows.items() if mine.size}


def rankings(frame: Frame) -> list[Ranking]:
    """Rank every dataset of a suite, protocol by protocol, the protocol with most cells first."""
    found = []
    for dataset in frame.datasets:
        cells = frame.cells[(frame.cells["dataset"] == dataset) & (frame.cells["outcome"] != "skipped")]
        if cells.empty:
            continue
        protocols = _protocols(frame, cells)
        ids = [str(protocol_id) for protocol_id in protocols.value_counts(sort=True).index]
        found += [_ranking(frame, dataset, name, cells[protocols == name]) for name in ids]
    return _with_slugs(found)


def _with_slugs(found: Sequence[Ranking]) -> list[Ranking]:
    taken = list(OF_THE_PAGE)
    for ranking in found:
        several = sum(other.dataset == ranking.dataset for other in found) > 1
        name = f"{ranking.dataset}-{ranking.protocol_id[:8]}" if several else ranking.dataset
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:48].strip("-.") or "dataset"
        same = sum(re.fullmatch(rf"{re.escape(plain)}(-\d+)?", other) is not None for other in taken)
        taken.append(f"{plain}-{same + 1}" if same else plain)
    return [replace(ranking, slug=slug) for ranking, slug in zip(found, taken[len(OF_THE_PAGE) :], strict=True)]


def _protocols(frame: Frame, cells: pd.DataFrame) -> pd.Series[str]:
    """Give a cell without scores the protocol under which it would have been scored."""
    keys = pd.Series([frame.suite.listed[int(place)].evaluation_key for place in cells.index], cells.index)
    scored = cells["protocol_id"] != ""
    if not scored.any():
        return cells["protocol_id"]
    by_key = dict(zip(keys[scored], cells.loc[scored, "protocol_id"], strict=True))
    usual = cells.loc[scored, "protocol_id"].mode().iloc[0]
    return cells["protocol_id"].where(scored, keys.map(lambda key: by_key.get(key, usual)))


def _ranking(frame: Frame, dataset: str, protocol_id: str, cells: pd.DataFrame) -> Ranking:
    values = [value for value in frame.values if cells[f"{value}_best"].notna().any()]
    asked = str(frame.suite.datasets.get(dataset, {}).get("headline") or "")
    scoring = any(frame.suite.listed[int(place)].scoring for place in cells.index)
    headline = (asked if asked in values or not values else values[0]) if scoring else ""
    better = frame.direction(headline)
    names = contenders.in_order(cells["contender"], suite_order(frame))
    reach = {value: limits(frame, dataset, value) for value in (*values, headline)}
    standings = [_standing(frame, cells[cells["contender"] == name], headline, reach, values) for name in names]
    found, test = with_ranks(standings, better) if scoring else (standings, "t")
    return Ranking(
        dataset,
        protocol_id,
        headline,
        frame.title(dataset, headline),
        better,
        tuple(values),
        tuple(found),
        cells,
        test=test,
        scoring=scoring,
        ceiling=frame.ceilings.get(protocol_id, {}),
        limits=reach,
    )


def suite_order(frame: Frame) -> list[str]:
    """List the contenders in the order of the suite's objectives, in which every figure shows them."""
    place = {name: place for place, name in enumerate(frame.objectives)}
    found = frame.cells[["contender", "objective"]].drop_duplicates("contender")
    return list(found["contender"].iloc[found["objective"].map(place).argsort(kind="stable")])


def _standing(
    frame: Frame, cells: pd.DataFrame, headline: str, reach: Mapping[str, Limits], values: Iterable[str]
) -> Standing:
    known = cells[f"{headline}_final"].notna() if headline in frame.better else pd.Series(False, cells.index)
    ended = {place: _outcome(frame, place, scored) for place, scored in zip(known.index.tolist(), known, strict=True)}
    outcomes = Counter(ended.values())
    lost = [frame.suite.listed[place].seed for place, outcome in ended.items() if outcome in (*BROKEN, "unscorable")]
    finals, bests = _by_seed(cells, f"{headline}_final"), _by_seed(cells, f"{headline}_best")

    def middle(scores: Mapping[int, float], value: str) -> Interval:
        return centre(list(scores.values()), frame.direction(value)).within(*reach[value])

    return Standing(
        contender=str(cells["contender"].iloc[0]),
        objective=str(cells["objective"].iloc[0]),
        outcomes=dict(outcomes),
        finals=finals,
        bests=bests,
        seeds={**dict.fromkeys(lost), **finals},
        final=middle(finals, headline),
        best=middle(bests, headline),
        others={value: middle(_by_seed(cells, f"{value}_final"), value) for value in values},
    )


def _outcome(frame: Frame, place: int, scored: bool) -> str:
    """Tell completed cells that await their scores, or whose headline cannot be computed, from the others."""
    outcome = str(frame.cells.at[place, "outcome"])
    if outcome != "completed" or scored or not frame.suite.listed[place].scoring:
        return outcome
    return "unscorable" if place in frame.scores else "unscored"


def _by_seed(cells: pd.DataFrame, column: str) -> dict[int, float]:
    if column not in cells:
        return {}
    known = cells[cells[column].notna()]
    return {int(seed): float(value) for seed, value in zip(known["seed"], known[column], strict=True)}
