"""Contenders over all datasets: mean ranks, and how near to the best their cells come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import SIGNIFICANCE as LEVEL
from ganbench.reporting.wording import joined, p_value
from ganbench.stats import Curve, Interval, MeanRanks, iqm_interval, mean_ranks, performance_profiles


@dataclass(frozen=True)
class Overall:
    """What several datasets say together of the contenders that ran on all of them.

    `shares` are interquartile means over all cells of the share of their dataset's best score that a cell reached (1 is
    the best, a lost cell 0), `profiles` the shares of cells by the factor that they stay behind it. Both are None where
    a score may be negative or zero, which has no factor.
    """

    objective: Mapping[str, str]
    datasets: tuple[str, ...]
    ranks: MeanRanks
    profiles: Mapping[str, Curve] | None
    shares: Mapping[str, Interval] | None
    left_out: tuple[str, ...]


def overall(rankings: Sequence[Ranking]) -> Overall | None:
    """Compare the contenders that every dataset has; None with fewer than two datasets or two such contenders.

    Of a dataset that was scored under several protocols the first alone counts: no rank may mix them.
    """
    first = {ranking.dataset: ranking for ranking in reversed(rankings) if ranking.scoring and ranking.headline}
    chosen = [ranking for ranking in rankings if first.get(ranking.dataset) is ranking]
    if len(chosen) < 2:
        return None
    ran = [{s.contender: s for s in ranking.standings if s.rank is not None} for ranking in chosen]
    every = dict.fromkeys(name for mine in ran for name in mine)
    shared = [name for name in every if all(name in mine for mine in ran)]
    if len(shared) < 2:
        return None
    places = {
        name: {r.dataset: float(mine[name].rank or 0) for r, mine in zip(chosen, ran, strict=True)} for name in shared
    }
    worthless = {
        r.dataset: _all_zero([mine[name].seeds for name in shared]) for r, mine in zip(chosen, ran, strict=True)
    }
    factors = {
        name: {
            r.dataset: _factors(r, mine[name].seeds, worthless[r.dataset]) for r, mine in zip(chosen, ran, strict=True)
        }
        for name in shared
    }
    positive = all(score is None or score > 0 for mine in factors.values() for row in mine.values() for score in row)
    return Overall(
        {name: ran[0][name].objective for name in shared},
        tuple(ranking.dataset for ranking in chosen),
        mean_ranks(places, "lower"),
        performance_profiles(factors, "lower") if positive else None,
        _shares(factors) if positive else None,
        tuple(name for name in every if name not in shared),
    )


def _all_zero(contenders: Sequence[Mapping[int, float | None]]) -> bool:
    known = [score for seeds in contenders for score in seeds.values() if score is not None]
    return bool(known) and not any(known)


def _factors(ranking: Ranking, seeds: Mapping[int, float | None], worthless: bool) -> list[float | None]:
    """Return scores of which lower is better.

    A score of 0 where higher is better is within no factor of a best above 0. Where every one of the dataset is 0
    (`worthless`), each is the best.
    """
    if ranking.better == "lower":
        return list(seeds.values())
    if worthless:
        return [None if score is None else 1.0 for score in seeds.values()]
    return [None if score is None or score == 0 else 1 / score for score in seeds.values()]


def _shares(factors: Mapping[str, Mapping[str, Sequence[float | None]]]) -> dict[str, Interval]:
    names = list(next(iter(factors.values())))
    best = {
        name: min((score for mine in factors.values() for score in mine[name] if score is not None), default=math.nan)
        for name in names
    }
    return {
        contender: _share(
            iqm_interval([[0.0 if score is None else best[name] / score for score in mine[name]] for name in names])
        )
        for contender, mine in factors.items()
    }


def _share(found: Interval) -> Interval:
    """Return an interval without what no share can be."""
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high)) if found.offered else found


def overall_verdict(found: Overall) -> str:
    """Say in a sentence or two who does best over all datasets, and whether that can be told."""
    ranks = found.ranks
    best = min(ranks.ranks.values())
    first = [name for name, rank in ranks.ranks.items() if rank == best]
    verb = "has" if len(first) == 1 else "share"
    sentence = f"{joined(first)} {verb} the best mean rank over {ranks.datasets} datasets ({best:.1f})"
    if math.isnan(ranks.p):
        return f"{sentence}. Ranks are not tested: {ranks.reason}."
    p = p_value(ranks.p)
    tested = f"Friedman's test, p {p if p.startswith('<') else f'= {p}'}"
    if ranks.p >= LEVEL:
        return f"{sentence}, but no contender can be told apart from the others by ranks ({tested})."
    if math.isnan(ranks.critical_difference):
        return f"{sentence}; the contenders differ ({tested}), but so few datasets cannot tell which ({ranks.reason})."
    group = next(group for group in ranks.groups if first[0] in group)
    alike = [name for name in group if name not in first]
    rest = f"{joined(alike)} cannot be told apart from it" if alike else "all others rank worse"
    return f"{sentence} ({tested}); {rest} (Nemenyi's test)."
