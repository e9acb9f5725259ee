"""How one value changed from one side to the other, contender by contender, and whether that is beyond seed noise."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ganbench.reporting.limits import ANY, Limits, of_differences
from ganbench.reporting.standings import SIGNIFICANCE
from ganbench.stats import (
    Better,
    Difference,
    Interval,
    Score,
    beats,
    centre,
    choose_test,
    choose_unpaired_test,
    holm,
    losses_p,
    paired_difference,
    rank_sum_p,
    smallest_losses_p,
    smallest_unpaired_p,
    unpaired_difference,
)

Verdict = Literal["better", "worse", "indistinct", "same", "untested", "missing", "new"]
LOST = Interval(math.nan, math.nan, math.nan, 0, "a seed was lost")
NO_DIFFERENCE = Difference(LOST, math.nan, median=LOST)
Way = Literal["", "t", "permutation", "sign", "ranks"]


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
    def gone(self) -> bool:
        """Whether every seed was lost after, and not before: there is no score any more."""
        before, after = self.lost
        return 0 < after == len(self.after) and before < len(self.before)

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

    `before` and `after` are means, or of distances medians, over the seeds that completed. `difference` is
    after - before, `size` what is shown of it, where no seed was lost: those that survive a divergence are no fair
    sample. `p` is Holm's over the contenders of the dataset, by `way`: the test of that difference, or, where a seed
    was lost on either side, that of ranks, in which a lost seed is the worst; NaN where nothing was tested. Of
    distances that are not paired it is that of ranks too. `losing` is the p-value of Fisher's exact test that seeds
    are lost as often after as before, of the same family; NaN where so few can never tell. `chance` is how often a seed
    after beats one before, a lost one losing. `verdict` says what holds beyond seed noise.
    """

    seeds: Seeds
    before: Interval
    after: Interval
    difference: Difference
    size: Interval
    chance: Interval
    verdict: Verdict
    way: Way = ""
    p: float = math.nan
    losing: float = math.nan

    @property
    def effect(self) -> float:
        """The difference as a share of what was before; infinite from 0, or where there is no difference."""
        size, scale = abs(self.size.value), abs(self.before.value)
        return size / scale if math.isfinite(size) and scale > 0 else math.inf


def changes(
    contenders: Mapping[str, Seeds],
    better: Better,
    same: Collection[str] = (),
    level: float = SIGNIFICANCE,
    limits: Limits = ANY,
) -> dict[str, Change]:
    """Compare one value of all contenders of a dataset; those of the `same` numbers are no comparison.

    Means are compared by permutations (sign flips where paired), distances by their median: by signs where paired, else
    by ranks; where so few seeds do not let these decide for every contender, all by a t-test (Welch's where not
    paired). Where seeds were lost, ranks are compared in which these are the worst, and how many were lost, where
    either can decide. p-values are corrected over all these tests. `limits` are what the value can be.
    """
    found = {name: _untested(seeds, better, limits) for name, seeds in contenders.items()}
    tried = {name: one for name, one in found.items() if name not in same and len(one.seeds.before) and one.seeds.after}
    losing = {name: p for name, one in tried.items() if not math.isnan(p := _losing(one.seeds, level))}
    by_rank = {name for name, one in tried.items() if any(one.seeds.lost) and _ranks_decide(one, level)}
    by_middle = {name for name, one in tried.items() if not any(one.seeds.lost) and _least(one.seeds) > 1}
    exact = _exact([tried[name].seeds for name in by_middle], len(by_rank) + len(by_middle) + len(losing), level)
    ways = {
        name: "ranks" if name in by_rank else _way(tried[name].seeds, better, exact) for name in by_rank | by_middle
    }
    tested = {name: replace(tried[name], way=ways[name]) for name in tried if name in ways}
    corrected = holm([*(_p(one, better) for one in tested.values()), *losing.values()])
    found |= {name: replace(one, p=p) for (name, one), p in zip(tested.items(), corrected, strict=False)}
    found |= {name: replace(found[name], losing=p) for name, p in zip(losing, corrected[len(tested) :], strict=True)}
    return {
        name: replace(one, verdict="same" if name in same else _verdict(one, better, level))
        for name, one in found.items()
    }


def _untested(seeds: Seeds, better: Better, limits: Limits) -> Change:
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
        centre(list(before.values()), better).within(*limits),
        centre(list(after.values()), better).within(*limits),
        difference,
        difference.middle(better).within(*of_differences(limits)),
        beats(list(seeds.after.values()), list(seeds.before.values()), better),
        "untested",
    )


def _losing(seeds: Seeds, level: float) -> float:
    """Return the p-value of the seeds lost; NaN where so many seeds, of which so many were lost, can never tell."""
    (before, after), sizes = seeds.lost, (len(seeds.before), len(seeds.after))
    able = before + after > 0 and smallest_losses_p(before + after, *sizes) <= level
    return losses_p(before, sizes[0], after, sizes[1]) if able else math.nan


def _least(seeds: Seeds) -> int:
    return min(map(len, seeds.known))


def _ranks_decide(change: Change, level: float) -> bool:
    """Say whether ranks can tell more than the number of lost seeds does: not where all others have one score."""
    scores = {score for side in change.seeds.known for score in side.values()}
    sizes = len(change.seeds.before), len(change.seeds.after)
    return len(scores) > 1 and smallest_unpaired_p(*sizes) <= level


def _exact(family: list[Seeds], comparisons: int, level: float) -> bool:
    """Say whether tests that lean on nothing can decide for all of a family."""
    return all(
        (
            choose_test(len(one.before), comparisons, level)
            if one.paired
            else choose_unpaired_test(len(one.before), len(one.after), comparisons, level)
        )
        == "permutation"
        for one in family
    )


def _way(seeds: Seeds, better: Better, exact: bool) -> Way:
    if not exact:
        return "t"
    if better == "higher":
        return "permutation"
    return "sign" if seeds.paired else "ranks"


def _p(change: Change, better: Better) -> float:
    if change.way == "ranks":
        return rank_sum_p(list(change.seeds.after.values()), list(change.seeds.before.values()), better)
    return change.difference.by(change.way or "t")


def _verdict(change: Change, better: Better, level: float) -> Verdict:
    if not change.seeds.after:
        return "missing" if change.seeds.before else "untested"
    if not change.seeds.before:
        return "new"
    told = _by_scores(change, better, level)
    if change.losing < level:
        return "worse" if change.seeds.loses_more or told == "worse" else "better"
    return told


def _by_scores(change: Change, better: Better, level: float) -> Verdict:
    if math.isnan(change.p) and not change.difference.agreed:
        return "untested" if math.isnan(change.losing) else "indistinct"
    side = _side(change, better) if change.way == "ranks" else change.difference.side(better, change.way or "t")
    if change.p >= level or side == 0:
        return "indistinct"
    return "better" if (side < 0) == (better == "lower") else "worse"


def _side(change: Change, better: Better) -> int:
    """Return where ranks say that scores went: 1 is up, 0 that the difference of medians does not say so too."""
    up = (change.chance.value > 0.5) == (better == "higher")
    agrees = math.isnan(change.size.value) or (change.size.value > 0) == up
    return (1 if up else -1) if agrees else 0
