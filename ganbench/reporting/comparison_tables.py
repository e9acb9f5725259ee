"""The statistics behind a ranking, as tables: middles and spreads, every pair, and all datasets together."""

from __future__ import annotations

import math

from ganbench.reporting.overall import Overall
from ganbench.reporting.parts import Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.wording import (
    NOTHING,
    bounds,
    count,
    in_sentence,
    number,
    p_value,
    percent,
    rounded,
    signed,
    without_interval,
)
from ganbench.stats import (
    CENTRES,
    Better,
    Interval,
    Test,
    all_pairs,
    beats,
    deviation,
    iqm_interval,
    mean_where_it_holds,
    median_interval,
    standardised_difference,
)

MOST = 20  # contenders of which every pair is listed
TESTS = {"t": "paired t-test", "permutation": "exact sign-flip permutation test", "sign": "exact sign test"}
UNCORRECTED = " Intervals are not corrected: one that leaves out 0 can stand beside a p above .05."
OF_MEANS = ", which is one of the mean difference (where that and the median one point opposite ways, it tells nothing)"
MIDDLE_INTERVALS: dict[Better, str] = {"higher": "t-intervals", "lower": "intervals between order statistics"}


def named_test(test: Test, better: Better) -> str:
    """Name a test of differences by seed, and what else it tests where that is not the difference shown."""
    return TESTS[test] + (OF_MEANS if test == "t" and better == "lower" else "")


def middles_table(ranking: Ranking) -> Table | None:
    """Show mean, median and interquartile mean of the final headline with their intervals, and its spread."""
    whole = [s for s in ranking.standings if s.finals]
    if not whole:
        return None
    rows, offered, reach = [], list[Interval](), ranking.limits[ranking.headline]
    for s in whole:
        scores = list(s.finals.values())
        means = (mean_where_it_holds(scores, ranking.better), median_interval(scores), iqm_interval([scores]))
        found = [one.within(*reach) for one in means]
        offered += found
        pairs = [part for one in found for part in (rounded(one.value), bounds(one))]
        rows.append((s.contender, str(s.final.n), *pairs, rounded(deviation(scores).value)))
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
    """Show every pair of contenders that lost no seed: their difference, its size and test, and who beats whom.

    Of distances the median difference: their mean one has no interval that holds, and no size in units of its spread.
    """
    whole = [s for s in ranking.standings if s.finals and not s.broken][:MOST]
    if len(whole) < 2:
        return None
    better, by_name = ranking.better, {s.contender: s for s in whole}
    compared = all_pairs({s.contender: s.finals for s in whole}, better=better)
    rows, offered, sized = [], list[Interval](), better == "higher"
    for pair in compared.pairs:
        a, b = by_name[pair.a], by_name[pair.b]
        size = (number(standardised_difference(a.finals, b.finals).value, 1),) if sized else ()
        chance = beats(list(a.seeds.values()), list(b.seeds.values()), better)
        difference = ranking.shown(pair.difference)
        offered.append(difference)
        rows.append(
            (
                pair.a,
                pair.b,
                signed(difference.value),
                bounds(difference),
                "every seed" if math.isnan(pair.p) and pair.difference.constant else p_value(pair.p),
                *size,
                percent(chance.value),
                _shares(chance),
            )
        )
    about_size, size_heading = "", tuple[str, ...]()
    if sized:
        size_heading = ("Size",)
        about_size = (
            " Size: the difference in units of its standard deviation over seeds (d_z, Hedges' correction), without an "
            "interval."
        )
    headings = ("Contender", "Against", "Difference", "95 % interval", "p", *size_heading, "Beats it", "95 % interval")
    cut = f" Only the first {MOST} contenders." if len(whole) == MOST < len(ranking.standings) else ""
    caption = (
        f"{CENTRES[better].capitalize()} differences of the final {in_sentence(ranking.title)} by seed, with "
        f"{MIDDLE_INTERVALS[better]} where they hold; p of the {named_test(compared.test, better)} after Holm's "
        f"correction over {count(len(compared.pairs), 'pair')} (the verdict corrects over those with the leader alone)."
        f"{UNCORRECTED} Every seed: all seeds show one and the same difference, which leaves no spread to test."
        f"{about_size} Beats it: share of all pairs of seeds, with an interval that covers at least 95 %. Contenders "
        f"that lost a seed are left out.{without_interval(offered)}{cut}"
    )
    numeric = (False, False, *(True,) * (len(headings) - 2))
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
