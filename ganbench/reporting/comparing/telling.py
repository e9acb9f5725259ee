"""A whole comparison, and what it comes to in sentences: what changed, what is a regression, what to know first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ganbench.reporting.comparing.changes import Verdict
from ganbench.reporting.comparing.matching import Apart, Differing, Matched, Pairing, matched
from ganbench.reporting.comparing.sides import Side, only_those, read_side
from ganbench.reporting.standings import SIGNIFICANCE
from ganbench.reporting.wording import count, in_sentence, joined, p_value, rounded
from ganbench.stats import MEANS_FROM, losses_p
from ganbench.store import StoreError

NAMED = 6  # longer lists are counted instead of spelled out
CHANGED: tuple[Verdict, ...] = ("worse", "better")
VERDICTS: dict[Verdict, str] = {
    "worse": "worse",
    "better": "better",
    "indistinct": "not told apart",
    "same": "same numbers",
    "untested": "too few seeds",
    "missing": "only in A",
    "new": "only in B",
}


@dataclass(frozen=True)
class Regression:
    """What got worse beyond seed noise, or has no score any more: where, which contender, and why."""

    dataset: str
    contender: str
    why: str


@dataclass(frozen=True)
class Compared:
    """Two sides, A before and B after: what they have in common by dataset and protocol, and what is apart."""

    a: Side
    b: Side
    datasets: tuple[Matched, ...]
    apart: tuple[Apart, ...]

    @property
    def pairings(self) -> list[tuple[Matched, Pairing]]:
        """Every contender of every dataset."""
        return [(one, pairing) for one in self.datasets for pairing in one.pairings]

    @property
    def same(self) -> tuple[int, int, int]:
        """How many cells both sides have, how many of them have the same numbers, and how many of those other keys."""
        every = [pairing for _, pairing in self.pairings]
        return sum(p.shared for p in every), sum(p.same for p in every), sum(p.other_keys for p in every)

    def regressions(self, least_effect: float = 0.0) -> list[Regression]:
        """List what is worse beyond seed noise on a headline by at least `least_effect` of what it was, or is gone.

        Losing more seeds than chance would take counts whatever the scores, and so does a contender of A that B has no
        comparable score of, since all of its seeds were lost or it is not there.
        """
        found = [
            Regression(one.dataset, pairing.contender, why)
            for one, pairing in self.pairings
            if (why := _regressed(one, pairing, least_effect))
        ]
        told = {(one.dataset, one.contender) for one in found}
        compared = {(one.dataset, p.contender) for one, p in self.pairings if p.before and p.after}
        return found + [
            Regression(apart.dataset, name, apart.why)
            for apart in self.apart
            if apart.where == "A"
            for name in apart.contenders
            if (apart.dataset, name) not in told | compared
        ]


def compare(a: str, b: str, only: Sequence[str] = ()) -> Compared:
    """Compare what two places hold, A being the baseline; see `read_side` for how they are named.

    Raises StoreError where a place has no results, or where the two have nothing in common; SuiteError and UnknownName
    for a filter.
    """
    sides = only_those(read_side(a), read_side(b), only)
    together, apart = matched(*sides)
    found = Compared(*sides, tuple(together), tuple(apart))
    if not any(pairing.before and pairing.after for _, pairing in found.pairings):
        raise StoreError(f"{a} and {b} have nothing in common that can be compared: {_why_nothing(found)}")
    return found


def heading(one: Matched, every: Sequence[Matched]) -> str:
    """Name a dataset, with its protocol where there are several."""
    alone = sum(other.dataset == one.dataset for other in every) == 1
    return one.dataset if alone else f"{one.dataset}, protocol {one.protocol_id[:8]}"


def verdict(one: Matched) -> str:
    """Say in a few sentences what changed on a dataset beyond seed noise."""
    by_verdict = {name: [p for p in one.pairings if p.verdict == name] for name in VERDICTS}
    sentences = [
        f"{_listed(found, lambda p: f'{p.contender} ({evidence(one, p)})')} got {name}."
        for name in CHANGED
        if (found := by_verdict[name])
    ]
    if found := by_verdict["indistinct"]:
        sentences.append(f"{_listed(found)} cannot be told apart from before.")
    sentences += _lost_by_chance(one)
    if found := by_verdict["same"]:
        sentences.append(f"{_listed(found)} gave the same numbers.")
    if found := by_verdict["untested"]:
        sentences.append(f"Too few seeds to test {_listed(found)}.")
    if found := by_verdict["missing"]:
        sentences.append(f"Only A has {_listed(found)}.")
    if found := by_verdict["new"]:
        sentences.append(f"Only B has {_listed(found)}.")
    return " ".join(sentences)


def whole_verdict(found: Compared) -> str:
    """Say in one sentence what changed beyond seed noise."""
    parts = []
    for name in CHANGED:
        told = [
            f"{_listed(mine)} on {heading(one, found.datasets)}"
            for one in found.datasets
            if (mine := [p for p in one.pairings if p.verdict == name])
        ]
        parts += [f"{'; '.join(told)} got {name}"] if told else []
    shared, same, _ = found.same
    cells = f"{same} of {count(shared, 'shared cell')} {'has' if same == 1 else 'have'} the same numbers"
    if shared and same == shared:
        cells = "all shared cells have the same numbers" if shared > 1 else "the one shared cell has the same numbers"
    unsure = [
        f"{p.contender} on {heading(one, found.datasets)} {_lost(p)}" for one, p in found.pairings if _by_chance(p)
    ]
    cells += f", and {_named(unsure)}, which could be chance" if unsure else ""
    missing = [p for _, p in found.pairings if p.verdict == "missing"]
    gone = (
        f", and {count(len(missing), 'contender')} of A {'is' if len(missing) == 1 else 'are'} not in B"
        if missing
        else ""
    )
    if parts:
        return f"Beyond seed noise, {', and '.join(parts)}; {cells}{gone}."
    return f"Nothing changed beyond seed noise: {cells}{gone}."


def evidence(one: Matched, pairing: Pairing) -> str:
    """Say what a verdict rests on: the headline before and after and the test, or the seeds that were lost."""
    change = pairing.headline
    before, after = change.seeds.lost
    lost = f"{after} of {count(len(change.seeds.after), 'seed')} lost, {before} before"
    if change.losing < SIGNIFICANCE:
        return f"{lost}, {_p(change.losing)}"
    if change.seeds.gone:
        return lost
    scores = f"{in_sentence(one.titles[one.headline])} {rounded(change.before.value)} to {rounded(change.after.value)}"
    if change.seeds.loses_more:
        scores = f"{scores}, {lost}"
    return (
        f"{scores}, by one and the same amount in every seed" if math.isnan(change.p) else f"{scores}, {_p(change.p)}"
    )


def _p(p: float) -> str:
    written = p_value(p)
    return f"p\u00a0{'' if written.startswith('<') else '= '}{written}"


def _by_chance(pairing: Pairing) -> bool:
    """Say whether more seeds were lost than before, and nothing shows that they would be again."""
    return pairing.headline.seeds.loses_more and pairing.verdict in ("indistinct", "untested", "better")


def _lost_by_chance(one: Matched) -> Iterator[str]:
    for pairing in filter(_by_chance, one.pairings):
        seeds = pairing.headline.seeds
        tested = losses_p(seeds.lost[0], len(seeds.before), seeds.lost[1], len(seeds.after))
        yield f"{pairing.contender} {_lost(pairing)}: could be chance ({_p(tested)})."


def _lost(pairing: Pairing) -> str:
    seeds = pairing.headline.seeds
    (before, after), n, of = seeds.lost, len(seeds.before), len(seeds.after)
    return f"lost {after} of {count(of, 'seed')}, against {before}{'' if n == of else f' of {n}'}"


def caveats(found: Compared) -> list[str]:
    """List what a reader must know before leaning on the numbers."""
    return [
        *_few(found),
        *_unpaired(found),
        *_left_out(found),
        *_unfinished(found),
        *_headlines(found),
        *(told_apart(one) for one in found.apart),
    ]


def told_apart(one: Apart) -> str:
    """Say of contenders that are not compared why, and what differs."""
    differs = f": {in_words(one.differs)}" if one.differs else ""
    return f"Not compared: {_named(one.contenders)} on {one.dataset} in {one.where}, {one.why}{differs}."


def in_words(differs: Differing, most: int = NAMED) -> str:
    """Write what differs between A and B: `samples 1000 in A, 2000 in B`."""
    told = [f"{name} {before} in A, {after} in B" for name, before, after in differs[:most]]
    more = len(differs) - most
    return "; ".join(told) + (f"; and {count(more, 'more difference')}" if more > 0 else "")


def _regressed(one: Matched, pairing: Pairing, least_effect: float) -> str:
    """Say why a contender regressed; nothing where it did not, or by less than the least effect."""
    if pairing.verdict == "missing":
        return "no score in B"
    change = pairing.headline
    worse = pairing.verdict == "worse" and (change.seeds.loses_more or change.effect >= least_effect)
    return evidence(one, pairing) if worse or change.seeds.gone else ""


def _why_nothing(found: Compared) -> str:
    if found.apart:
        return " ".join(told_apart(one) for one in found.apart[:NAMED])
    names = [sorted({s.contender for r in side.rankings for s in r.standings}) for side in (found.a, found.b)]
    return " ".join(
        f"{where} has {_named(mine) if mine else 'no cell'}." for where, mine in zip("AB", names, strict=True)
    )


def _few(found: Compared) -> Iterator[str]:
    compared = [p.headline.seeds for _, p in found.pairings if p.before and p.after and p.verdict != "same"]
    fewest = min((min(len(one.before), len(one.after)) for one in compared), default=MEANS_FROM)
    if fewest < MEANS_FROM:
        yield (
            f"Few seeds ({fewest}): neither means nor medians have an interval, and only changes that are large beside "
            "their spread over seeds can be told from noise."
        )
    leaning = [
        heading(one, found.datasets) for one in found.datasets if any(p.headline.way == "t" for p in one.pairings)
    ]
    if leaning:
        yield (
            f"On {_named(leaning)} the seeds are too few for a test that assumes nothing: t-tests are used, which take "
            "scores, or their differences by seed, to be roughly normal."
        )


def _unpaired(found: Compared) -> Iterator[str]:
    for one in found.datasets:
        names = [p.contender for p in one.pairings if p.before and p.after and not p.headline.seeds.paired]
        if names:
            where, have = heading(one, found.datasets), "has" if len(names) == 1 else "have"
            yield f"{_named(names)} on {where} {have} other seeds in A than in B: they are not paired."


def _left_out(found: Compared) -> Iterator[str]:
    for one, pairing in found.pairings:
        seeds = pairing.headline.seeds
        if not (pairing.before and pairing.after and seeds.paired):
            continue
        extra = [len(side.seeds) - len(seeds.before) for side in (pairing.before, pairing.after)]
        told = [f"{count(n, 'seed')} of {where}" for n, where in zip(extra, "AB", strict=True) if n > 0]
        if told:
            name = heading(one, found.datasets)
            yield f"{pairing.contender} on {name}: left out {joined(told)}, which the other side lacks."


def _unfinished(found: Compared) -> Iterator[str]:
    for where, side in (("A", found.a), ("B", found.b)):
        standings = [s for ranking in side.rankings for s in ranking.standings]
        for outcome, told in (("missing", "not trained yet"), ("unscored", "trained and not scored yet")):
            if cells := sum(s.outcomes.get(outcome, 0) for s in standings):
                yield f"{count(cells, 'cell')} of {where} {'is' if cells == 1 else 'are'} {told}."


def _headlines(found: Compared) -> Iterator[str]:
    for one in found.datasets:
        asked = [side.frame.suite.datasets.get(one.dataset, {}).get("headline") for side in (found.a, found.b)]
        if asked[0] != asked[1]:
            yield (
                f"On {one.dataset} the headline of A is {asked[0] or 'none'} and that of B {asked[1] or 'none'}: "
                f"{one.headline or 'outcomes'} is compared."
            )


def _listed(pairings: Sequence[Pairing], told: Callable[[Pairing], str] = lambda pairing: pairing.contender) -> str:
    return _named([told(pairing) for pairing in pairings])


def _named(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return joined(names)
    return f"{', '.join(names[: NAMED - 1])} and {len(names) - NAMED + 1} others"
