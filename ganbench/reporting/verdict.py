"""Sentences that the numbers support: one verdict per ranking, and the caveats of a suite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ganbench.reporting import contenders
from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import Ranking
from ganbench.reporting.standings import BROKEN, SIGNIFICANCE, Standing
from ganbench.reporting.wording import bounds, count, in_sentence, joined, p_value, rounded
from ganbench.stats import CENTRES, Better, seeds_needed

SWITCHED_OFF = (
    "Scores are switched off (evaluate.metrics is empty), so nothing is ranked: outcomes, traces and costs are shown."
)
FEW_SEEDS = 5
COST_RATIO = 1.5
NAMED = 6  # longer lists are counted instead of spelled out


def verdict(ranking: Ranking) -> str:
    """Say in one or two sentences who leads, who cannot be told apart from the leader, and who broke."""
    if not ranking.scoring:
        return SWITCHED_OFF
    whole = [standing for standing in ranking.standings if standing.relation not in ("broken", "unscored")]
    broken = [standing for standing in ranking.standings if standing.relation == "broken"]
    sentences = [_leaders(ranking, whole)] if whole else [_none_whole(ranking, broken)]
    sentences += _rest(ranking, whole)
    if whole and broken:
        names = [f"{standing.contender} ({losses(standing)})" for standing in broken]
        what = "did not complete or have no score" if _unscorable(broken) else "did not complete"
        sentences.append(f"Ranked last, with seeds that {what}: {_named(names)}.")
    return " ".join(sentences)


def caveats(frame: Frame, rankings: Sequence[Ranking]) -> list[str]:
    """List what a reader must know before leaning on the numbers; empty when nothing applies."""
    found = [
        *_seeds(rankings),
        *_tests(rankings),
        *_ceilings(rankings),
        *_lost(frame, rankings),
        *_unknown(frame, rankings),
        *_protocols(rankings),
        *_costs(rankings),
        *_provenance(frame),
    ]
    return [sentence for sentence in found if sentence]


def _leaders(ranking: Ranking, whole: Sequence[Standing]) -> str:
    first = [standing for standing in whole if standing.relation == "first"]
    title, lead = in_sentence(ranking.title), first[0].final
    most = "lowest" if ranking.better == "lower" else "highest"
    seeds = f"{count(lead.n, 'seed')}"
    if lead.offered:
        seeds = f"95 % interval {bounds(lead)}, {seeds}"
    if lead.n > 1 and len({*first[0].finals.values()}) == 1:
        seeds = f"the same in each of {lead.n} seeds"
    centre = "median " if ranking.better == "lower" and lead.n > 1 else ""
    score = f"{centre}{rounded(lead.mean)} ({seeds})"
    if len(ranking.standings) == 1:
        return f"{first[0].contender} is the only contender: {title} {score}."
    of = f"of {len(ranking.standings)} contenders"
    if len(first) > 1:
        return f"{_named([standing.contender for standing in first])} share the {most} {title} {of}: {score}."
    return f"{first[0].contender} has the {most} {title} {of}: {score}."


def _rest(ranking: Ranking, whole: Sequence[Standing]) -> list[str]:
    rest = [standing for standing in whole if standing.relation != "first"]
    leader = "it" if sum(standing.relation == "first" for standing in whole) == 1 else "them"
    sentences = []
    if alike := [standing.contender for standing in rest if standing.relation == "indistinct"]:
        sentences.append(f"{_named(alike)} cannot be told apart from {leader}.")
    if worse := [standing for standing in rest if standing.relation == "worse"]:
        verb = "scores" if len(worse) == 1 else "score"
        alike_too = "; among themselves they cannot be told apart" if ranking.worse_alike else ""
        sentences.append(f"{_named([s.contender for s in worse])} {verb} worse ({_evidence(worse)}){alike_too}.")
    if contrary := [standing for standing in rest if standing.relation == "contrary"]:
        names, do = _named([s.contender for s in contrary]), "does" if len(contrary) == 1 else "do"
        sentences.append(
            f"Seed by seed {names} {do} better than {leader} ({_evidence(contrary)}), though the "
            f"{CENTRES[ranking.better]} over seeds does not: neither is called the better one."
        )
    if untested := [standing.contender for standing in rest if standing.relation == "untested"]:
        sentences.append(f"Too few seeds to test the difference to {_named(untested)}.")
    return sentences


def _evidence(apart: Sequence[Standing]) -> str:
    """Give the p-value of those that were tested, and say of whom every seed agrees, which leaves nothing to test."""
    tested = [standing.p for standing in apart if not math.isnan(standing.p)]
    agreed = [standing.contender for standing in apart if math.isnan(standing.p)]
    if not tested:
        return "by one and the same amount in every seed"
    written = p_value(max(tested))
    sign = "" if written.startswith("<") else "≤ " if len(tested) > 1 else "= "
    p = f"p {sign}{written}".replace(" ", "\u00a0") + " after Holm's correction"
    return f"{p}; {_named(agreed)} by one and the same amount in every seed" if agreed else p


def _none_whole(ranking: Ranking, broken: Sequence[Standing]) -> str:
    if not broken:
        return "No contender has a final score yet."
    scored = [standing for standing in broken if standing.final.n]
    if not scored:
        did = "has a score of" if _unscorable(broken) else "completed"
        return f"No contender {did} a single seed, so there is no final score to rank by."
    first = scored[0]
    title, mean = in_sentence(ranking.title), rounded(first.final.mean)
    did, those = ("has a score of", "have one") if _unscorable(broken) else ("completed", "completed")
    return (
        f"No contender {did} all of its seeds. {first.contender} came nearest: {title} {mean} "
        f"over the {first.final.n} of {first.cells} that {those}."
    )


def _unscorable(broken: Sequence[Standing]) -> bool:
    return any(standing.outcomes.get("unscorable") for standing in broken)


def losses(standing: Standing) -> str:
    """Say how many of a contender's cells ended without a final score, and how: `2 of 5 diverged`."""
    words = [f"{standing.outcomes[name]} {name.replace('_', ' ')}" for name in standing.outcomes if name in BROKEN]
    if standing.outcomes.get("unscorable"):
        words.append(f"{standing.outcomes['unscorable']} could not be scored")
    if len(words) == 1:
        return words[0].replace(" ", f" of {standing.cells} ", 1)
    return f"{joined(words)}, of {standing.cells}"


def _named(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return joined(names)
    return f"{', '.join(names[: NAMED - 1])} and {len(names) - NAMED + 1} others"


def _seeds(rankings: Sequence[Ranking]) -> list[str]:
    fewest = min((s.cells for ranking in rankings for s in ranking.standings), default=FEW_SEEDS)
    if fewest == 1:
        return ["One seed: no interval and no test can be given, and another seed may turn the order round."]
    if fewest < FEW_SEEDS:
        return [
            f"Few seeds ({fewest}): neither means nor medians have an interval, and contenders that cannot be told "
            "apart may still differ by much: a difference is found where it is large beside its spread over seeds."
        ]
    return []


def _tests(rankings: Sequence[Ranking]) -> list[str]:
    """Say where a test that leans on nothing could not have found anything."""
    leaning: dict[tuple[int, int, Better], list[str]] = {}
    for ranking in rankings:
        compared = [s.difference.interval.n for s in ranking.standings if s.difference and s.difference.interval.n > 1]
        if compared and ranking.test == "t":
            leaning.setdefault((min(compared), len(compared), ranking.better), []).append(ranking.dataset)
    return [
        f"On {_named(list(dict.fromkeys(datasets)))}, {seeds} seeds are too few for a test that assumes nothing "
        f"({'sign flips' if better == 'higher' else 'a sign test'}: {seeds_needed(comparisons, SIGNIFICANCE)} for "
        f"{count(comparisons, 'comparison')}): paired t-tests are used, which assume that differences between seeds "
        "are roughly normal."
        for (seeds, comparisons, better), datasets in leaning.items()
    ]


def _ceilings(rankings: Sequence[Ranking]) -> list[str]:
    sentences = []
    for ranking in rankings:
        ceiling = ranking.ceiling.get(ranking.headline, math.nan)
        sign = 1 if ranking.better == "lower" else -1
        there = [s.contender for s in ranking.standings if s.final.n and sign * s.final.mean <= sign * ceiling]
        if there:
            sentences.append(
                f"On {ranking.dataset}, {_named(there)} reached the ceiling, what real samples score "
                f"({in_sentence(ranking.title)} {rounded(ceiling)}): it cannot tell them apart any further."
            )
    return sentences


def _lost(frame: Frame, rankings: Sequence[Ranking]) -> list[str]:
    outcomes = frame.cells["outcome"]
    shown = "shown and ranked last" if any(ranking.ranked for ranking in rankings) else "shown"
    ran = int((outcomes != "skipped").sum())
    sentences = []
    for outcome in BROKEN:
        lost = frame.cells[outcomes == outcome]
        if not lost.empty:
            names = _named(list(dict.fromkeys(lost["objective"])))
            what = outcome.replace("_", " ")
            sentences.append(f"{len(lost)} of {count(ran, 'cell')} {what} ({names}): {shown}, never imputed.")
    missing = int((outcomes == "missing").sum())
    if missing:
        sentences.append(f"{missing} of {count(ran, 'cell')} are not in the store yet: rankings may still change.")
    unscored = sum(
        outcomes.get(place) == "completed" and frame.suite.listed[place].scoring and place not in frame.scores
        for place in frame.statuses
    )
    if unscored:
        sentences.append(f"{count(unscored, 'trained cell')} have not been scored yet.")
    skipped = frame.cells[outcomes == "skipped"]
    if not skipped.empty:
        sentences.append(f"{count(len(skipped), 'combination')} skipped: {_reasons(skipped)}.")
    return sentences


def _unknown(frame: Frame, rankings: Sequence[Ranking]) -> list[str]:
    """Say which values some of the scored cells do not have; reasons stand by the cells."""
    sentences = []
    for ranking in rankings:
        scored = ranking.cells[(ranking.cells["outcome"] == "completed") & ranking.cells.index.isin(list(frame.scores))]
        for value in ranking.values:
            without = scored[scored[f"{value}_final"].isna()]
            if not without.empty:
                names = _named(contenders.in_order(without["contender"], [s.contender for s in ranking.standings]))
                middle = CENTRES[frame.direction(value)]
                sentences.append(
                    f"On {ranking.dataset}, {len(without)} of {count(len(scored), 'scored cell')} have no final "
                    f"{in_sentence(frame.title(ranking.dataset, value))} ({names}): {middle}s are over the others."
                )
    return sentences


def _reasons(skipped: pd.DataFrame) -> str:
    return "; ".join(str(reason).rstrip(".") for reason in dict.fromkeys(skipped["reason"]))


def _protocols(rankings: Sequence[Ranking]) -> list[str]:
    ids: dict[str, int] = {}
    for ranking in rankings:
        ids[ranking.dataset] = ids.get(ranking.dataset, 0) + 1
    return [
        f"{dataset} was scored under {n} protocols: scores of different protocols cannot be compared, "
        "so each has a table of its own."
        for dataset, n in ids.items()
        if n > 1
    ]


def _costs(rankings: Sequence[Ranking]) -> list[str]:
    ratios: dict[str, float] = {}
    for ranking in rankings:
        completed = ranking.cells[ranking.cells["outcome"] == "completed"]
        seen = completed.groupby("contender", sort=False)["images_seen"].mean()
        if len(seen) > 1 and seen.min() > 0:
            for name, ratio in (seen / seen.min()).items():
                ratios[str(name)] = max(float(ratio), ratios.get(str(name), 1.0))
    dear = [f"{name} ({ratio:.1f} x)" for name, ratio in ratios.items() if ratio >= COST_RATIO]
    if not dear:
        return []
    return [f"Costs differ: D saw more real images in {_named(dear)} than in the cheapest contender."]


def _provenance(frame: Frame) -> list[str]:
    sentences = []
    for what, plural in (
        ("ganbench", "versions of ganbench"),
        ("torch", "versions of torch"),
        ("device", "devices"),
    ):
        found = {status.provenance.get(what) or "" for status in frame.statuses.values()} - {""}
        if len(found) > 1:
            sentences.append(f"Cells were made with {len(found)} {plural} ({joined(sorted(found))}).")
    commits = {status.provenance.get("commit") or "" for status in frame.statuses.values()} - {""}
    if len(commits) > 1:
        sentences.append(
            f"Cells were made at {len(commits)} commits; the plugin versions that matter are in their keys."
        )
    return sentences
