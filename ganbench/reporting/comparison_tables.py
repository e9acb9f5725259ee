"""The statistics behind a ranking, as tables: middles and spreads, every pair, and all datasets together."""

from __future__ import annotations

import math

from ganbench.reporting.overall import Overall
from ganbench.reporting.parts import Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import NOTHING, bounds, count, number, p_value, percent, places, without_interval
from ganbench.stats import (
    Interval,
    all_pairs,
    beats,
    deviation,
    iqm_interval,
    mean_where_it_holds,
    median_interval,
    standardised_difference,
)

MOST = 20  # contenders of which every pair is listed
TESTS = {"t": "paired t-test", "permutation": "exact sign-flip permutation test"}


def middles_table(ranking: Ranking) -> Table | None:
    """Show mean, median and interquartile mean of the final headline with their intervals, and its spread."""
    whole = [s for s in ranking.standings if s.finals]
    if not whole:
        return None
    digits = places(s.final.value for s in whole)
    rows, offered = [], list[Interval]()
    for s in whole:
        scores = list(s.finals.values())
        found = (mean_where_it_holds(scores, ranking.better), median_interval(scores), iqm_interval([scores]))
        offered += found
        pairs = [part for one in found for part in (number(one.value, digits), bounds(one, digits))]
        rows.append((s.contender, str(s.final.n), *pairs, number(deviation(scores).value, digits)))
    headings = (
        "Contender",
        "Seeds",
        "Mean",
        "95 % interval",
        "Median",
        "95 % interval",
        "IQM",
        "95 % interval",
        "Spread",
    )
    caption = (
        f"{ranking.title} over the seeds that completed. IQM: mean of the middle half. Spread: standard deviation, "
        "without an interval, since none holds beyond normal scores. Intervals: Student's t for the mean, order "
        "statistics for the median, studentised bootstrap for the IQM, each only where it holds what it "
        f"claims.{without_interval(offered)}"
    )
    numeric = (False, *(True,) * 8)
    return Table(caption, headings, tuple(rows), numeric, tuple(s.objective for s in whole))


def pairs_table(ranking: Ranking) -> Table | None:
    """Show every pair of contenders that lost no seed: their difference, its size and test, and who beats whom."""
    whole = [s for s in ranking.standings if s.finals and not s.broken][:MOST]
    if len(whole) < 2:
        return None
    compared, by_name = all_pairs({s.contender: s.finals for s in whole}), {s.contender: s for s in whole}
    digits = places(s.final.value for s in whole)
    rows = []
    for pair in compared.pairs:
        a, b = by_name[pair.a], by_name[pair.b]
        size = standardised_difference(a.finals, b.finals)
        chance = beats(list(a.seeds.values()), list(b.seeds.values()), ranking.better)
        difference = pair.difference.interval
        rows.append(
            (
                pair.a,
                pair.b,
                ("+" if difference.value > 0 else "") + number(difference.value, digits),
                bounds(difference, digits),
                "every seed" if math.isnan(pair.p) and pair.difference.constant else p_value(pair.p),
                number(size.value, 1),
                percent(chance.value),
                _shares(chance),
            )
        )
    headings = ("Contender", "Against", "Difference", "95 % interval", "p", "Size", "Beats it", "95 % interval")
    cut = f" Only the first {MOST} contenders." if len(whole) == MOST < len(ranking.standings) else ""
    caption = (
        f"Differences of the final {ranking.title} by seed, with t-intervals; p of the {TESTS[compared.test]} after "
        f"Holm's correction over {count(len(compared.pairs), 'pair')} (the verdict corrects over those with the leader "
        "alone). Size: the difference in units of its standard deviation over seeds (d_z, Hedges' correction), "
        "without an interval. Beats it: share of all pairs of seeds, with an interval that covers at least 95 %. "
        f"Contenders that lost a seed are left out.{cut}"
    )
    numeric = (False, False, *(True,) * 6)
    return Table(caption, headings, tuple(rows), numeric, tuple(by_name[pair.a].objective for pair in compared.pairs))


def overall_table(found: Overall) -> Table:
    """Show mean ranks over datasets, and how near to the best the middle half of all cells came."""
    rows = []
    for name, rank in found.ranks.ranks.items():
        share = found.shares[name] if found.shares else Interval(math.nan, math.nan, math.nan, 0)
        rows.append((name, number(rank, 2), number(share.value, 2), bounds(share, 2)))
    about = " Not known here: a score of 0 or less has no such part."
    if found.shares:
        about = without_interval(found.shares.values())
    left = f" Without a rank on every dataset, and so left out: {', '.join(found.left_out)}." if found.left_out else ""
    caption = (
        f"Over {len(found.datasets)} datasets. Mean rank: by the final headline, its mean or of distances its median. "
        "Share of the best: which part of the best score of its dataset a cell reached (best / score where lower is "
        "better), the interquartile mean over all cells with its stratified bootstrap interval; a lost cell counts "
        f"0.{about}{left}"
    )
    headings = ("Contender", "Mean rank", "Share of the best", "95 % interval")
    objectives = tuple(found.objective[name] for name in found.ranks.ranks)
    return Table(caption, headings, tuple(rows), (False, True, True, True), objectives)


def _shares(chance: Interval) -> str:
    return f"{percent(chance.low)} to {percent(chance.high)}" if chance.offered else NOTHING
