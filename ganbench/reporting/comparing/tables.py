"""The tables of a comparison, as text that a page, a Markdown file or a terminal can set."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ganbench.reporting.comparing.changes import Change
from ganbench.reporting.comparing.matching import Matched, Pairing
from ganbench.reporting.comparing.sides import Side
from ganbench.reporting.comparing.telling import VERDICTS, Compared, heading
from ganbench.reporting.comparison_tables import UNCORRECTED
from ganbench.reporting.parts import Table
from ganbench.reporting.standings import Standing
from ganbench.reporting.tables import outcomes_in_words
from ganbench.reporting.wording import NOTHING, bounds, number, p_value, percent, rounded, signed
from ganbench.stats import CENTRES, Interval

WAYS = {
    "t": ("paired t-tests", "Welch's t-tests"),
    "permutation": ("exact sign flips", "studentised permutations"),
    "sign": ("exact sign tests", ""),
}
SHOWN = 3  # values of one fact that are spelled out


def changes_table(one: Matched, value: str) -> Table:
    """Show how a value changed for every contender of a dataset."""
    better = one.better[value]
    changed = [pairing.changes[value] for pairing in one.pairings]
    rows = [
        (
            pairing.contender,
            VERDICTS[change.verdict],
            _mean(change.before, change, 0),
            _mean(change.after, change, 1),
            signed(change.size.value),
            bounds(change.size),
            _p(change),
            *(
                (NOTHING, NOTHING)
                if change.verdict == "same"
                else (percent(change.chance.value), _shares(change.chance))
            ),
        )
        for pairing, change in zip(one.pairings, changed, strict=True)
    ]
    arrow = "↓" if better == "lower" else "↑"
    headings = (
        *("Contender", "Verdict", f"A {arrow}", f"B {arrow}"),
        *("Difference", "95 % interval", "p", "B beats A", "95 % interval"),
    )
    caption = (
        f"{one.titles[value]} ({better} is better): {CENTRES[better]}s over the seeds that are compared, the "
        f"{CENTRES[better]} difference B \u2212 A by seed (where they are not paired, that of the {CENTRES[better]}s) "
        "with its interval where no seed was lost and it holds, and p after Holm's correction over the contenders."
        f"{UNCORRECTED} {_tests(one, value)} B beats A: how often a seed of B scores "
        "better than one of A, over all pairs, ties counted half; a lost seed loses. k/n: k of n seeds have a score. "
        "Same numbers: every score and count of every shared seed is the same, so nothing is tested."
    )
    return _table(caption, headings, rows, one.pairings, left=2)


def others_table(one: Matched) -> Table | None:
    """Show what changed of values other than the headline; None where nothing did beyond seed noise."""
    rows, objectives = [], []
    for value, title in one.titles.items():
        for pairing in one.pairings:
            change = pairing.changes[value]
            if value == one.headline or change.verdict not in ("better", "worse") or change.seeds.loses_more:
                continue  # seeds that were lost are told once, at the headline
            ends = (rounded(middle.value) for middle in (change.before, change.after))
            rows.append(
                (title, pairing.contender, VERDICTS[change.verdict], *ends, signed(change.size.value), _p(change))
            )
            objectives.append(pairing.objective)
    headings = ("Value", "Contender", "Verdict", "A", "B", "Difference", "p")
    caption = (
        "Other values that changed beyond seed noise: means, of distances medians; p after Holm's correction over the "
        "contenders, value by value."
    )
    numeric = (False, False, False, *(True,) * 4)
    return Table(caption, headings, tuple(rows), numeric, tuple(objectives), named=1) if rows else None


def outcome_table(found: Compared) -> Table:
    """Show the outcomes of every contender before and after."""
    rows = [
        (
            heading(one, found.datasets),
            pairing.contender,
            _outcomes(pairing.before),
            _outcomes(pairing.after),
            _same(pairing),
        )
        for one, pairing in found.pairings
    ]
    caption = (
        "Seeds by outcome. Same numbers: of the cells that both sides have, those with the same scores and counts; "
        "other key: what made them changed, and their numbers did not."
    )
    headings = ("Dataset", "Contender", "A", "B", "Same numbers")
    objectives = tuple(pairing.objective for _, pairing in found.pairings)
    return Table(caption, headings, tuple(rows), (False, False, False, False, True), objectives, named=1)


def cost_table(one: Matched) -> Table:
    """Show what a cell costs after, as a multiple of before, and which of its settings differ."""
    rows = [
        (
            pairing.contender,
            *(_times(pairing.costs.get(cost, math.nan)) for cost in ("train_seconds", "images_seen")),
            "; ".join(f"{name}: {before} \u2192 {after}" for name, before, after in pairing.settings) or NOTHING,
        )
        for pairing in one.pairings
        if pairing.before and pairing.after
    ]
    caption = (
        "B as a multiple of A: means over the cells that completed, without a test; training time depends on the "
        "machine and on what trained beside it. Settings: in what the first cells of both sides differ."
    )
    shown = [pairing for pairing in one.pairings if pairing.before and pairing.after]
    headings = ("Contender", "Training time", "Real images seen", "Settings, A \u2192 B")
    return Table(caption, headings, tuple(rows), (False, True, True, False), tuple(p.objective for p in shown))


def overview_table(found: Compared) -> Table:
    """Show the verdict of every contender on every dataset."""
    objectives = {pairing.contender: pairing.objective for _, pairing in found.pairings}
    columns = [{pairing.contender: pairing for pairing in one.pairings} for one in found.datasets]
    rows = [
        (name, *(VERDICTS[column[name].verdict] if name in column else NOTHING for column in columns))
        for name in objectives
    ]
    headings = ("Contender", *(f"{heading(one, found.datasets)}: {one.titles[one.headline]}" for one in found.datasets))
    return Table(
        "What became of every contender from A to B beyond seed noise, by the headline of each dataset.",
        headings,
        tuple(rows),
        (False,) * len(headings),
        tuple(objectives.values()),
    )


def makers_table(found: Compared) -> Table:
    """Show what made the cells of both sides."""
    facts = [_facts(side) for side in (found.a, found.b)]
    names = dict.fromkeys(name for side in facts for name in side)
    rows = [
        (name.replace("_", " "), *(mine := [side.get(name, NOTHING) for side in facts]), _differ(*mine))
        for name in names
    ]
    caption = (
        f"What made the cells. Most of this is not known of the folder of a report. At most {SHOWN} values of each are "
        "spelled out."
    )
    return Table(caption, ("What", "A", "B", "Differs"), tuple(rows), (False,) * 4)


def _facts(side: Side) -> dict[str, str]:
    """List what is known of a side: where it is, and what its cells were made by."""
    found: dict[str, dict[str, None]] = {}
    for status in side.frame.statuses.values():
        for name, value in status.provenance.items():
            if name != "finished" and value:
                found.setdefault(name, {})[str(value)] = None
    told = {name: _spelled(list(values)) for name, values in found.items()}
    return {"place": side.place, "suite": side.suite, "started": side.frame.suite.started or NOTHING, **told}


def _spelled(values: Sequence[str]) -> str:
    more = len(values) - SHOWN
    return ", ".join(values[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _differ(before: str, after: str) -> str:
    return "yes" if before != after and NOTHING not in (before, after) else ""


def _tests(one: Matched, value: str) -> str:
    """Say which tests were made."""
    changed = [pairing.changes[value] for pairing in one.pairings]
    made = [WAYS[change.way][not change.seeds.paired] for change in changed if change.way in WAYS]
    told = [" and ".join(dict.fromkeys(made))] if made else []
    if any(change.way == "ranks" and not any(change.seeds.lost) for change in changed):
        told.append("rank sums of those that are not paired")
    if any(change.way == "ranks" and any(change.seeds.lost) for change in changed):
        told.append("rank sums, in which a lost seed is the worst, where one was lost")
    if any(not math.isnan(change.losing) for change in changed):
        told.append(
            "Fisher's exact test of how many were lost, which alone makes a contender worse whatever its scores"
        )
    return f"Tests: {'; '.join(told)}." if told else "Nothing was tested."


def _mean(found: Interval, change: Change, side: int) -> str:
    seeds = (change.seeds.before, change.seeds.after)[side]
    counted = f" ({found.n}/{len(seeds)})" if found.n < len(seeds) else ""
    return rounded(found.value) + counted


def _p(change: Change) -> str:
    if math.isnan(change.p) and change.difference.constant and change.verdict in ("better", "worse"):
        return "every seed"
    return p_value(change.p)


def _shares(chance: Interval) -> str:
    return f"{percent(chance.low)} to {percent(chance.high)}" if chance.offered else NOTHING


def _times(ratio: float) -> str:
    return NOTHING if math.isnan(ratio) else f"{number(ratio, 2)} \u00d7"


def _outcomes(standing: Standing | None) -> str:
    return NOTHING if standing is None else outcomes_in_words(standing)


def _same(pairing: Pairing) -> str:
    if not pairing.shared:
        return NOTHING
    other = f" ({pairing.other_keys} under another key)" if pairing.other_keys else ""
    return f"{pairing.same} of {pairing.shared}{other}"


def _table(
    caption: str,
    headings: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    pairings: Sequence[Pairing],
    left: int,
) -> Table:
    numeric = tuple(place >= left for place in range(len(headings)))
    return Table(caption, headings, tuple(rows), numeric, tuple(pairing.objective for pairing in pairings))
