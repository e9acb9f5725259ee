"""How the contenders of one ranking stand to each other: their ranks, and what tells them from the leader."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ganbench.stats import Better, Difference, Interval, Test, choose_test, holm, paired_difference

SIGNIFICANCE = 0.05
BROKEN = ("diverged", "failed", "timed_out")

Relation = Literal["first", "indistinct", "worse", "contrary", "untested", "broken", "unscored"]


@dataclass(frozen=True)
class Standing:
    """One contender in one ranking.

    `final` is over the cells that completed, `best` over all that were scored: means, or of distances medians (see
    `ganbench.stats.centre`), as are `others`, the final values by name. `outcomes` counts all listed cells; nothing
    is imputed. `difference` is to the leader, over shared seeds, `p` by the ranking's test, corrected by Holm; both
    are offered only for contenders that lost no seed. `worse` is said where that test, and the difference that is
    shown, say so; `contrary` where they say that the leader is, seed by seed. `finals` and `bests` hold the headline of
    each seed, `seeds` that of every seed that ran, with None for those that were lost. `rank` is None for a contender
    of which no cell has run.
    """

    contender: str
    objective: str
    outcomes: Mapping[str, int]
    finals: Mapping[int, float]
    bests: Mapping[int, float]
    seeds: Mapping[int, float | None]
    final: Interval
    best: Interval
    others: Mapping[str, Interval]
    rank: int | None = None
    relation: Relation = "unscored"
    difference: Difference | None = None
    p: float = math.nan

    @property
    def cells(self) -> int:
        """How many cells the suite lists for this contender."""
        return sum(self.outcomes.values())

    @property
    def broken(self) -> int:
        """How many cells ended without a final score: diverged, failed, timed out or unscorable."""
        return sum(self.outcomes.get(outcome, 0) for outcome in (*BROKEN, "unscorable"))


def with_ranks(standings: list[Standing], better: Better) -> tuple[list[Standing], Test]:
    """Give contenders their ranks, best first, and hold them against the leader; return the test that did."""

    def order(standing: Standing) -> tuple[int, int, float]:
        mean = standing.final.mean if better == "lower" else -standing.final.mean
        if math.isnan(mean):
            return 1, standing.cells, 0.0
        return (1 if standing.broken else 0), standing.broken, mean

    ran = sorted((s for s in standings if s.final.n or s.broken), key=order)
    places: dict[tuple[int, int, float], int] = {}
    for place, standing in enumerate(ran, start=1):
        places.setdefault(order(standing), place)
    placed = [replace(standing, rank=places[order(standing)]) for standing in ran]
    compared, test = _compared([s for s in placed if not s.broken], better)
    lost = [replace(s, relation="broken") for s in placed if s.broken]
    return [*compared, *lost, *(s for s in standings if not s.final.n and not s.broken)], test


def _compared(whole: list[Standing], better: Better) -> tuple[list[Standing], Test]:
    """Compare those that lost no seed with the leader: seeds that survive a divergence are no fair sample.

    By what leans on nothing where so many seeds let it decide (sign flips, or of distances signs), else by the paired
    t-test.
    """
    if not whole:
        return [], "t"
    leader = whole[0]
    differences = [paired_difference(s.finals, leader.finals) for s in whole[1:]]
    tested = [difference.interval.n for difference in differences if difference.interval.n > 1]
    test = choose_test(min(tested, default=0), len(tested), SIGNIFICANCE, better)
    corrected = holm([difference.by(test) for difference in differences])
    rest = [
        replace(s, difference=difference, p=p, relation=_relation(s, leader, p, difference, better, test))
        for s, difference, p in zip(whole[1:], differences, corrected, strict=True)
    ]
    return [replace(leader, relation="first"), *rest], test


def _relation(
    standing: Standing, leader: Standing, p: float, difference: Difference, better: Better, test: Test
) -> Relation:
    if standing.rank == leader.rank:
        return "first"
    if math.isnan(p) and not difference.agreed:
        return "untested"
    side = difference.side(better, test) * (1 if better == "lower" else -1)
    if p >= SIGNIFICANCE or side == 0:
        return "indistinct"
    return "worse" if side > 0 else "contrary"
