"""What two sides have in common: the same contender on the same dataset under the same protocol, and what has none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pandas as pd

from ganbench.reporting.comparing.changes import Change, Seeds, Verdict, changes
from ganbench.reporting.comparing.sides import Side
from ganbench.reporting.contenders import in_order, plain
from ganbench.reporting.limits import ANY
from ganbench.reporting.protocol import differing
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import Standing
from ganbench.stats import Better, Score

COSTS = ("train_seconds", "images_seen")
ALIKE = ("same", "other_key")
COUNTED = ("d_updates", "g_updates", "images_seen", "best_step", "oscillation")  # beside scores: never about time

NO_SCORES = "Seeds completed"  # is all that can be compared where scores are switched off

Differing = tuple[tuple[str, str, str], ...]  # what, before, after


@dataclass(frozen=True)
class Pairing:
    """One contender of a dataset on both sides; a side on which it is not listed is None.

    Of the cells that both sides have of it (`shared`), `same` have the same numbers throughout, `other_keys` of those
    under another key: what made them changed, and they did not. `changes` are by value, the headline's first. `costs`
    are mean costs of a completed cell after, as a multiple of before. `settings` is what differs in a cell's own
    settings.
    """

    contender: str
    objective: str
    before: Standing | None
    after: Standing | None
    changes: Mapping[str, Change]
    shared: int = 0
    same: int = 0
    other_keys: int = 0
    costs: Mapping[str, float] = field(default_factory=dict)
    settings: Differing = ()

    @property
    def headline(self) -> Change:
        """How the headline changed."""
        return next(iter(self.changes.values()))

    @property
    def verdict(self) -> Verdict:
        """What holds of the headline beyond seed noise."""
        return self.headline.verdict


@dataclass(frozen=True)
class Matched:
    """One dataset under a protocol that both sides have, with every contender of either."""

    dataset: str
    protocol_id: str
    slug: str
    headline: str
    titles: Mapping[str, str]
    better: Mapping[str, Better]
    pairings: tuple[Pairing, ...]


@dataclass(frozen=True)
class Apart:
    """Contenders of a dataset whose scores on one side (`where`: A or B) cannot be compared, why, and what differs."""

    dataset: str
    where: str
    contenders: tuple[str, ...]
    why: str
    differs: Differing = ()


def matched(a: Side, b: Side) -> tuple[list[Matched], list[Apart]]:
    """Match two sides, dataset by dataset: only scores of one protocol are compared."""
    together: list[Matched] = []
    apart: list[Apart] = []
    for dataset in in_order([r.dataset for r in (*a.rankings, *b.rankings)], a.frame.datasets):
        here, there = ([r for r in side.rankings if r.dataset == dataset] for side in (a, b))
        pairs = _pairs(here, there)
        together += [_matched(a, b, *pair) for pair in pairs]
        mine = list(_apart("A", here, there, [pair[0] for pair in pairs], a, b))
        others = _apart("B", there, here, [pair[1] for pair in pairs], b, a)
        told = {frozenset(one.differs) for one in mine}
        apart += [*mine, *(replace(one, differs=()) if frozenset(one.differs) in told else one for one in others)]
    return together, apart


def _pairs(here: Sequence[Ranking], there: Sequence[Ranking]) -> list[tuple[Ranking, Ranking]]:
    by_id = {ranking.protocol_id: ranking for ranking in there}
    found = [(ranking, by_id[ranking.protocol_id]) for ranking in here if ranking.protocol_id in by_id]
    # Where a side has no score at all it has no protocol either: all its cells failed, say, which is to be told.
    unscored = any(side and not any(ranking.protocol_id for ranking in side) for side in (here, there))
    return found or ([(here[0], there[0])] if unscored and here and there else [])


def _apart(
    where: str, mine: Sequence[Ranking], others: Sequence[Ranking], paired: Sequence[Ranking], side: Side, other: Side
) -> Iterator[Apart]:
    for ranking in mine:
        if any(ranking is one for one in paired):
            continue
        names = tuple(s.contender for s in ranking.standings)
        if not others:
            yield Apart(ranking.dataset, where, names, f"this dataset is in {where} alone")
            continue
        protocol = side.frame.protocols.get(ranking.protocol_id, {})
        every = [differing(other.frame.protocols.get(r.protocol_id, {}), protocol) for r in others]
        nearest = min(every, key=len)  # what differs is then what a reader has to know
        differs = nearest if where == "B" else [(name, own, its) for name, its, own in nearest]
        yield Apart(ranking.dataset, where, names, "scored under another protocol", tuple(differs))


def _matched(a: Side, b: Side, here: Ranking, there: Ranking) -> Matched:
    headline, values = _values(here, there)
    frames = (a.frame, b.frame)
    better = {
        value: cast(Better, next((f.better[value] for f in frames if value in f.better), "lower")) for value in values
    }
    titles = {
        value: NO_SCORES if not value else (a if value in here.values else b).frame.title(here.dataset, value)
        for value in values
    }
    standings = [{s.contender: s for s in ranking.standings} for ranking in (here, there)]
    names = list(dict.fromkeys(name for side in standings for name in side))
    both = [name for name in names if all(name in side for side in standings)]
    alike = {name: _alike(a, b, here, there, name, values) for name in both}
    same = {name for name in both if len(alike[name]) and alike[name]["same"].all()}
    found = {
        value: changes(
            {
                name: _seeds(here, there, standings[0].get(name), standings[1].get(name), value, headline)
                for name in names
            },
            better[value],
            same,
            limits=(here if value in here.limits else there).limits.get(value, ANY),
        )
        for value in values
    }
    pairings = []
    for name in names:
        before, after = (side.get(name) for side in standings)
        mine, cells = alike.get(name, pd.DataFrame(columns=ALIKE)), (_cells(here, name), _cells(there, name))
        pairings.append(
            Pairing(
                contender=name,
                objective=next(s.objective for s in (before, after) if s is not None),
                before=before,
                after=after,
                changes={value: found[value][name] for value in values},
                shared=len(mine),
                same=int(mine["same"].sum()),
                other_keys=int(mine["other_key"].sum()),
                costs={cost: _ratio(*cells, cost) for cost in COSTS},
                settings=_settings(a, b, *cells),
            )
        )
    protocol_id = here.protocol_id or there.protocol_id
    return Matched(here.dataset, protocol_id, here.slug, headline, titles, better, tuple(pairings))


def _values(here: Ranking, there: Ranking) -> tuple[str, list[str]]:
    """Return the headline and all values that both sides have, the headline first."""
    shared = [value for value in here.values if value in there.values]
    if not here.values or not there.values:
        headline = here.headline if here.values else there.headline or here.headline
    else:
        headline = here.headline if here.headline in shared or not shared else shared[0]
    return headline, [headline, *(value for value in shared if value != headline)]


def _seeds(
    here: Ranking, there: Ranking, before: Standing | None, after: Standing | None, value: str, headline: str
) -> Seeds:
    """Pair by seed where the two share half of the seeds or more of the one with fewer, else take all seeds of both."""
    first, second = _by_seed(here, before, value), _by_seed(there, after, value)
    ran = [_by_seed(*one, headline) for one in ((here, before), (there, after))]
    shared = ran[0].keys() & ran[1].keys()
    if not shared or 2 * len(shared) < min(map(len, ran)):
        return Seeds(first, second, paired=False)
    both = sorted(first.keys() & second.keys())
    return Seeds({seed: first[seed] for seed in both}, {seed: second[seed] for seed in both}, paired=True)


def _by_seed(ranking: Ranking, standing: Standing | None, value: str) -> dict[int, Score]:
    if standing is None:
        return {}
    lost = dict.fromkeys(seed for seed, score in standing.seeds.items() if score is None)
    cells, column = _cells(ranking, standing.contender), f"{value}_final"
    if not value:
        return {**lost, **dict.fromkeys(map(int, cells.loc[cells["outcome"] == "completed", "seed"]), 1.0)}
    if column not in cells:
        return dict(lost)
    known = cells[cells[column].notna()]
    return {**lost, **{int(seed): float(x) for seed, x in zip(known["seed"], known[column], strict=True)}}


def _cells(ranking: Ranking, name: str) -> pd.DataFrame:
    return ranking.cells[ranking.cells["contender"] == name]


def _alike(a: Side, b: Side, here: Ranking, there: Ranking, name: str, values: Sequence[str]) -> pd.DataFrame:
    """Say of each seed that ran on both sides whether every number of its cell is the same, though its key is not."""
    ran = [cells[cells["outcome"] != "missing"] for cells in (_cells(here, name), _cells(there, name))]
    places = [dict(zip(map(int, cells["seed"]), map(int, cells.index), strict=True)) for cells in ran]
    rows = []
    for seed in sorted(places[0].keys() & places[1].keys()):
        first, second = places[0][seed], places[1][seed]
        mine, other = _row(a, first), _row(b, second)
        same = _numbers(mine, values) == _numbers(other, values) and (
            "report" in (a.kind, b.kind) or _steps(a, first, values) == _steps(b, second, values)
        )
        rows.append((same, same and mine["key"] != other["key"]))
    return pd.DataFrame(rows, columns=ALIKE)


def _row(side: Side, place: int) -> dict[str, Any]:
    return {str(name): value for name, value in side.frame.cells.loc[place].items()}


def _numbers(row: Mapping[str, Any], values: Sequence[str]) -> list[object]:
    """List what must be equal: numbers that are missing on both sides are (NaN is not equal to itself)."""
    names = [*(f"{value}_{which}" for value in values for which in ("final", "best")), *COUNTED]
    known = (row.get(name) for name in names)
    return [row["outcome"], *(None if x is None or math.isnan(x) else float(x) for x in known)]


def _steps(side: Side, place: int, values: Sequence[str]) -> list[object]:
    """List the scores at every step, which the store of a side has and a report has not."""
    scores = side.frame.scores.get(place)
    return [] if scores is None else [(row.get("step"), *(row.get(value) for value in values)) for row in scores.rows]


def _ratio(before: pd.DataFrame, after: pd.DataFrame, cost: str) -> float:
    """Return the mean cost of a completed cell as a multiple of what it was."""
    if cost not in before or cost not in after:
        return math.nan
    first, second = (cells.loc[cells["outcome"] == "completed", cost].mean() for cells in (before, after))
    return float(second / first) if first > 0 else math.nan


def _settings(a: Side, b: Side, before: pd.DataFrame, after: pd.DataFrame) -> Differing:
    """List in what the first cells of a contender differ, other than the seed."""
    if before.empty or after.empty:
        return ()
    places = int(before.index[0]), int(after.index[0])
    cells = [_cell(side, place) for side, place in zip((a, b), places, strict=True)]
    if not all(cells):
        cells = [_told(side, place) for side, place in zip((a, b), places, strict=True)]
    return tuple(one for one in differing(cells[0] or {}, cells[1] or {}) if one[0] != "seed")


def _cell(side: Side, place: int) -> dict[str, Any] | None:
    """Return everything that a cell's key hashes, where the side is a store that has the cell."""
    listed = side.frame.suite.listed[place]
    return side.frame.store.cell(listed.key) if side.kind == "store" and place in side.frame.statuses else None


def _told(side: Side, place: int) -> dict[str, Any]:
    listed = side.frame.suite.listed[place]
    return {"architecture": listed.architecture, **{name: plain(x) for name, x in listed.settings.items()}}
