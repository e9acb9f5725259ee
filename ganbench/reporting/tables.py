"""The report's tables, as text that a page, a Markdown file or a terminal can set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pandas as pd

from ganbench.reporting.comparison_tables import UNCORRECTED, named_test
from ganbench.reporting.frame import Frame
from ganbench.reporting.parts import Table
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.stability import VANISHED_GRADIENT_NORM
from ganbench.reporting.standings import Standing
from ganbench.reporting.wording import (
    INTERVALS,
    MINUS,
    NOTHING,
    arrow,
    bounds,
    duration,
    number,
    p_value,
    percent,
    rounded,
    signed,
    without_interval,
)
from ganbench.stats import CENTRES, Interval, beats

COLLAPSE = ("modes", "high_quality", "mode_kl", "recall", "coverage", "duplicates")
COST_SECONDS = ("train_seconds", "evaluate_seconds", "wait_seconds")
CEILING = "real samples, held out"
OUTCOMES = ("completed", "diverged", "failed", "timed_out", "skipped", "missing")


def overview(rankings: Sequence[Ranking]) -> Table:
    """Show ranks and mean final headlines of every contender on every dataset side by side.

    Of a dataset that was scored under several protocols it shows the first alone: no rank may mix them.
    """
    every, rankings = rankings, [*{ranking.dataset: ranking for ranking in reversed(rankings)}.values()][::-1]
    objectives = {s.contender: s.objective for ranking in rankings for s in ranking.standings}
    found = [{s.contender: s for s in ranking.standings} for ranking in rankings]
    ranks = {name: _mean([column[name].rank for column in found if name in column]) for name in objectives}
    order = sorted(objectives, key=lambda name: ranks[name])
    rows = []
    for name in order:
        row = [name]
        for ranking, column in zip(rankings, found, strict=True):
            row += [_rank(ranking, column[name]), _mean_of(column[name])] if name in column else ["", NOTHING]
        rows.append(tuple(row))
    headings = ["Contender"]
    for ranking in rankings:
        headings += ["Rank", f"{_place(ranking, every)}: {_titled(ranking)}"]
    caption = (
        "Rank and final score over seeds (mean; of distances, where lower is better, median), ordered by mean rank. "
        "↓ lower is better, ↑ higher is better. k/n: only k of n seeds have a final score."
    )
    if len(rankings) < len(every):
        caption += " Scores under other protocols cannot be compared with these: each protocol has its own table below."
    numeric = (False, *(True,) * (len(headings) - 1))
    return Table(caption, tuple(headings), tuple(rows), numeric, tuple(objectives[name] for name in order))


def ranking_table(frame: Frame, ranking: Ranking) -> Table:
    """Rank the contenders of one dataset and protocol, with intervals and tests against the leader."""
    standings = ranking.standings
    others = [v for v in ranking.values if v != ranking.headline and v not in COLLAPSE]
    rows = [
        (
            _rank(ranking, s),
            s.contender,
            outcomes_in_words(s),
            _mean_of(s),
            bounds(s.final),
            rounded(s.best.mean),
            *_difference(s, ranking),
            _chance(s, ranking),
            *(_with_count(s.others[value], s) for value in others),
        )
        for s in standings
    ]
    if ranking.ceiling:
        own = (NOTHING, CEILING, NOTHING, _ceiling(ranking, ranking.headline))
        rows.append((*own, *(NOTHING,) * 6, *(_ceiling(ranking, value) for value in others)))
    centre = CENTRES[ranking.better]
    marked, way = (f" {arrow(ranking.better)}", f" ({ranking.better} is better)") if ranking.values else ("", "")
    titles = [f"{frame.title(ranking.dataset, value)} {arrow(frame.better[value])}" for value in others]
    headings = ("Rank", "Contender", "Seeds", f"Final{marked}", "95 % interval", f"Best{marked}", "To the leader")
    caption = (
        f"{ranking.title}{way}: {centre} over seeds with its {INTERVALS[ranking.better]}, where that holds what it "
        f"claims (see Method). To the leader: {centre} of the paired differences over shared seeds with its interval, "
        f"and the p-value of the {named_test(ranking.test, ranking.better)} after Holm's correction; contenders that "
        f"lost a seed are not tested.{UNCORRECTED} Beats the leader: how often a seed of the contender scores better "
        f"than one of the leader, over all pairs, ties counted half; a lost seed loses. Best: {centre} of each seed's "
        "best evaluation, which includes seeds that diverged later. k/n: only k of n seeds have a final score. Every "
        "seed: all seeds show one and the same difference, which leaves no spread to test."
        f"{without_interval(s.final for s in standings)}{_about_ceiling(ranking)}"
    )
    found = _table(
        caption, (*headings, "95 % interval", "p", "Beats the leader", *titles), rows, standings, left=(1, 2)
    )
    return replace(found, named=1)


def collapse_table(frame: Frame, ranking: Ranking) -> Table | None:
    """Show the values that tell mode collapse; None where the protocol has none of them."""
    values = [value for value in COLLAPSE if value in ranking.values]
    if not values:
        return None
    rows = [
        (s.contender, *(part for value in values for part in _estimate(s.others[value], s))) for s in ranking.standings
    ]
    if ranking.ceiling:
        own = [(_ceiling(ranking, value), NOTHING) for value in values]
        rows.append((CEILING, *(part for pair in own for part in pair)))
    titles = [f"{frame.title(ranking.dataset, value)} {arrow(frame.better[value])}" for value in values]
    headings = ("Contender", *(part for title in titles for part in (title, "95 % interval")))
    caption = (
        "Final values over seeds: means with Student's t-interval, of distances (lower is better) medians with the "
        "interval between order statistics. k/n: only k of n seeds have the value."
    )
    caption += without_interval(s.others[value] for s in ranking.standings for value in values)
    caption += _about_ceiling(ranking)
    return _table(caption, headings, rows, ranking.standings)


def stability_table(ranking: Ranking) -> Table:
    """Show how steadily each contender got to its score."""
    columns: list[tuple[str, Callable[[float], str]]] = [
        ("best_over_final", percent),
        ("best_step", lambda step: number(step, 0)),
        ("oscillation", percent),
        ("vanished_gradient_share", percent),
        ("equilibrium_distance", lambda distance: number(distance, 3)),
    ]
    rows = [
        (s.contender, outcomes_in_words(s), *(write(_mean(_of(ranking, s)[name])) for name, write in columns))
        for s in ranking.standings
    ]
    distance = f"|L_D {MINUS} L*|"
    headings = ("Contender", "Seeds", "Kept of best", "Step of best", "Oscillation", "Vanished gradient", distance)
    caption = (
        "Means over seeds. Kept of best: how much of the best score was left at the end (100 %: it ended at its "
        "best). Oscillation: coefficient of variation of the score over the second half of the evaluations. "
        "Vanished gradient: share of trace records in which G's gradient norm is below "
        f"{VANISHED_GRADIENT_NORM:g}. {distance}: distance of D's loss, averaged over the last quarter of "
        f"training, from its value where real and fake are alike; {NOTHING} where the objective has no such value."
    )
    return _table(caption, headings, rows, ranking.standings, left=(0, 1))


def cost_table(ranking: Ranking) -> Table:
    """Show what one cell of each contender cost."""
    rows = []
    for s in ranking.standings:
        cells = _of(ranking, s)
        counts = [number(_mean(cells[name]), 0) for name in ("d_updates", "g_updates", "images_seen", "parameters")]
        training, scoring, waiting = (_mean(cells[name]) for name in COST_SECONDS)
        whole = training + scoring + waiting
        share = scoring / whole if math.isfinite(whole) and whole > 0 else math.nan
        rows.append((s.contender, *counts, *map(duration, (training, scoring, waiting)), percent(share)))
    headings = (
        "Contender",
        "D updates",
        "G updates",
        "Real images seen",
        "Parameters",
        "Training",
        "Scoring",
        "Waiting",
        "Share of scoring",
    )
    caption = (
        "Means per cell, over the cells that ran. Training is a cell's share of the time of its cohort, waiting its "
        "share of the worker's time before that (start of the process, imports, data), scoring the time of all its "
        "scores; the last column is scoring as a share of the three."
    )
    return _table(caption, headings, rows, ranking.standings)


def outcomes_in_words(standing: Standing) -> str:
    """Write a contender's outcome counts: `5 completed`, `3 completed, 2 diverged`."""
    order = (*OUTCOMES, "unscored", "unscorable")
    known = [name for name in order if standing.outcomes.get(name)]
    return ", ".join(f"{standing.outcomes[name]} {name.replace('_', ' ')}" for name in known)


def _table(
    caption: str,
    headings: Iterable[str],
    rows: Iterable[tuple[str, ...]],
    standings: Sequence[Standing],
    left: tuple[int, ...] = (0,),
) -> Table:
    titles = tuple(headings)
    numeric, found = tuple(place not in left for place in range(len(titles))), tuple(rows)
    objectives = (s.objective for s in standings)
    return Table(caption, titles, found, numeric, (*objectives, *("",) * (len(found) - len(standings))))


def _ceiling(ranking: Ranking, value: str) -> str:
    return rounded(ranking.ceiling.get(value, math.nan))


def _about_ceiling(ranking: Ranking) -> str:
    if not ranking.ceiling:
        return ""
    return (
        " Last row: the ceiling, what as many real samples score that neither the reference nor a network has seen "
        "(a single draw: scores a little beyond it are noise)."
    )


def _place(ranking: Ranking, rankings: Sequence[Ranking]) -> str:
    alone = sum(other.dataset == ranking.dataset for other in rankings) == 1
    return ranking.dataset if alone else f"{ranking.dataset} ({ranking.protocol_id[:8]})"


def _titled(ranking: Ranking) -> str:
    return f"{ranking.title} {arrow(ranking.better)}" if ranking.values else ranking.title


def _rank(ranking: Ranking, standing: Standing) -> str:
    return NOTHING if standing.rank is None or not ranking.ranked else str(standing.rank)


def _mean_of(standing: Standing) -> str:
    return _with_count(standing.final, standing)


def _with_count(found: Interval, standing: Standing) -> str:
    if 0 < found.n < standing.cells:
        return f"{rounded(found.mean)} ({found.n}/{standing.cells})"
    return rounded(found.mean)


def _estimate(found: Interval, standing: Standing) -> tuple[str, str]:
    return _with_count(found, standing), bounds(found)


def _chance(standing: Standing, ranking: Ranking) -> str:
    leader = next((s for s in ranking.standings if s.relation == "first"), None)
    if leader is None or standing is leader or not standing.seeds:
        return NOTHING
    return percent(beats(list(standing.seeds.values()), list(leader.seeds.values()), ranking.better).value)


def _difference(standing: Standing, ranking: Ranking) -> tuple[str, str, str]:
    if standing.difference is None:
        return NOTHING, NOTHING, "not tested" if standing.broken else NOTHING
    found = standing.difference
    size = ranking.shown(found)
    p = "every seed" if found.constant and math.isnan(standing.p) else p_value(standing.p)
    return signed(size.value), bounds(size), p


def _of(ranking: Ranking, standing: Standing) -> pd.DataFrame:
    return ranking.of[standing.contender]


def _mean(values: Iterable[float | None]) -> float:
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    return sum(known) / len(known) if known else math.inf  # printed as a dash, sorted last
