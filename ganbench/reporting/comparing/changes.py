"""How one value changed from one side to the other, contender by contender, and whether that is beyond seed noise."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ganbench.reporting.ranking import SEEDS_THAT_AGREE, SIGNIFICANCE
from ganbench.stats import (
    NO_MEAN_BOUNDS,
    Better,
    Difference,
    Interval,
    Score,
    Test,
    beats,
    choose_test,
    choose_unpaired_test,
    holm,
    mean_where_it_holds,
    paired_difference,
    rank_sum_p,
    smallest_unpaired_p,
    unpaired_difference,
)

Verdict = Literal["better", "worse", "indistinct", "same", "untested", "missing", "new"]
NO_DIFFERENCE = Difference(Interval(math.nan, math.nan, math.nan, 0, "a seed was lost"), math.nan)
Way = Literal["", "t", "permutation", "ranks"]


@dataclass(frozen=True)
class Seeds:
    """A contender's final scores of one value on both sides, by seed: those that are compared.

    None stands for a seed that was lost. `paired` says that both sides are compared seed by seed: then they have the
    same ones.
    """

    before: Mapping[int, Score]
    after: Mapping[int, Score]
    paired: bool

    @property
    def lost(self) -> tuple[int, int]:
        """How many of them were lost on each side."""
        before, after = (sum(score is None for score in side.values()) for side in (self.before, self.after))
        return before, after

    @property
    def loses_more(self) -> bool:
        """Whether a larger share of the seeds was lost after than before."""
        before, after = self.lost
        return after * len(self.before) > before * len(self.after)

    @property
    def known(self) -> tuple[dict[int, float], dict[int, float]]:
        """The scores of each side that there are."""
        before, after = (
            {seed: score for seed, score in side.items() if score is not None} for side in (self.before, self.after)
        )
        return before, after


@dataclass(frozen=True)
class Change:
    """How one value of one contender changed.

    `before` and `after` are means over the seeds that completed, `difference` is after - before, where no seed was
    lost: those that survive a divergence are no fair sample. `p` is Holm's over the
    contenders of the dataset, by `way`: the test of the means, or, where a seed was lost on either side, that of ranks,
    in which a lost seed is the worst; NaN where nothing was tested. `chance` is how often a seed after beats one
    before, a lost one losing. `verdict` says what holds beyond seed noise; losing more seeds is worse whatever the
    scores.
    """

    seeds: Seeds
    before: Interval
    after: Interval
    difference: Difference
    chance: Interval
    verdict: Verdict
    way: Way = ""
    p: float = math.nan

    @property
    def effect(self) -> float:
        """The difference as a share of the mean before; infinite from 0, or where there is no difference."""
        size, scale = abs(self.difference.interval.value), abs(self.before.value)
        return size / scale if math.isfinite(size) and scale > 0 else math.inf


def changes(
    contenders: Mapping[str, Seeds], better: Better, same: Collection[str] = (), level: float = SIGNIFICANCE
) -> dict[str, Change]:
    """Compare one value of all contenders of a dataset; those of the `same` numbers are no comparison.

    The test of the means is by permutations (sign flips where paired) where so many seeds let them decide for every
    contender, else a t-test (Welch's where not paired), one kind for all. p-values are corrected over all contenders
    that were tested.
    """
    found = {name: _untested(seeds, better) for name, seeds in contenders.items()}
    tried = {name: one for name, one in found.items() if name not in same and len(one.seeds.before) and one.seeds.after}
    by_rank = {name for name, one in tried.items() if any(one.seeds.lost) and _ranks_decide(one.seeds, level)}
    by_mean = {name for name, one in tried.items() if not any(one.seeds.lost) and _least(one.seeds) > 1}
    kind = _kind([tried[name].seeds for name in by_mean], len(by_rank) + len(by_mean), level)
    tested = {name: replace(one, way="ranks" if name in by_rank else kind) for name, one in tried.items()}
    tested = {name: one for name, one in tested.items() if name in by_rank | by_mean}
    corrected = holm([_p(one, better) for one in tested.values()])
    found |= {name: replace(one, p=p) for (name, one), p in zip(tested.items(), corrected, strict=True)}
    return {
        name: replace(one, verdict="same" if name in same else _verdict(one, better, level))
        for name, one in found.items()
    }


def _untested(seeds: Seeds, better: Better) -> Change:
    before, after = seeds.known
    difference = (
        NO_DIFFERENCE
        if any(seeds.lost)
        else paired_difference(after, before)
        if seeds.paired
        else unpaired_difference(list(after.values()), list(before.values()))
    )
    return Change(
        seeds,
        mean_where_it_holds(list(before.values()), better),
        mean_where_it_holds(list(after.values()), better),
        difference if better == "higher" else _without_bounds(difference),
        beats(list(seeds.after.values()), list(seeds.before.values()), better),
        "untested",
    )


def _without_bounds(difference: Difference) -> Difference:
    bare = difference.interval.without_bounds(NO_MEAN_BOUNDS) if difference.interval.offered else difference.interval
    return replace(difference, interval=bare)


def _least(seeds: Seeds) -> int:
    return min(map(len, seeds.known))


def _ranks_decide(seeds: Seeds, level: float) -> bool:
    return smallest_unpaired_p(len(seeds.before), len(seeds.after)) <= level


def _kind(family: list[Seeds], comparisons: int, level: float) -> Test:
    chosen = {
        choose_test(len(one.before), comparisons, level)
        if one.paired
        else choose_unpaired_test(len(one.before), len(one.after), comparisons, level)
        for one in family
    }
    return "permutation" if chosen == {"permutation"} else "t"


def _p(change: Change, better: Better) -> float:
    if change.way == "ranks":
        return rank_sum_p(list(change.seeds.after.values()), list(change.seeds.before.values()), better)
    return change.difference.by("permutation" if change.way == "permutation" else "t")


def _verdict(change: Change, better: Better, level: float) -> Verdict:
    if not change.seeds.after:
        return "missing" if change.seeds.before else "untested"
    if not change.seeds.before:
        return "new"
    if change.seeds.loses_more:
        return "worse"
    if change.way == "ranks":
        return "indistinct" if change.p >= level else "better" if change.chance.value > 0.5 else "worse"
    falls = change.difference.interval.value < 0
    way: Verdict = "better" if falls == (better == "lower") else "worse"
    if math.isnan(change.p):
        return way if change.difference.constant and _least(change.seeds) >= SEEDS_THAT_AGREE else "untested"
    return way if change.p < level else "indistinct"
