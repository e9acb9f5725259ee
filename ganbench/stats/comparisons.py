"""All contenders against all others, and in words: which of them cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_letters

from ganbench.stats.corrections import holm
from ganbench.stats.pairs import Difference, Test, choose_test, paired_difference
from ganbench.stats.wins import Better

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Pair:
    """Two contenders: the difference `a - b` and its p-value, corrected by Holm for all pairs; NaN if not tested.

    `apart` says whether they are told apart: by the test, or because enough seeds all show the same difference.
    """

    a: str
    b: str
    difference: Difference
    p: float
    apart: bool = False


@dataclass(frozen=True)
class Comparison:
    """Every pair of contenders by one test, and the largest groups within which no pair is told apart."""

    pairs: tuple[Pair, ...]
    test: Test
    level: float
    groups: Groups

    @property
    def alike(self) -> bool:
        """Whether every pair was tested and none told apart: where one was not tested, nothing is known of it."""
        return all(not math.isnan(pair.p) and not pair.apart for pair in self.pairs)

    @property
    def letters(self) -> dict[str, str]:
        """A letter per group, so that two contenders share one exactly if they are not told apart."""
        names = dict.fromkeys(name for group in self.groups for name in group)
        marks = [
            ascii_letters[place] if place < len(ascii_letters) else f"[{place}]" for place in range(len(self.groups))
        ]
        return {
            name: "".join(mark for mark, group in zip(marks, self.groups, strict=True) if name in group)
            for name in names
        }


def all_pairs(
    contenders: Mapping[str, Mapping[int, float]], level: float = 0.05, better: Better = "higher"
) -> Comparison:
    """Compare all contenders, given as scores by seed and best first, over the seeds that each two share.

    One test serves all pairs: `choose_test` for the fewest seeds that a tested pair shares. A pair that shares fewer
    than two seeds is not told apart, nor is one of which the test and the difference shown disagree
    (`Difference.side`); one whose seeds all show the same difference is from `SEEDS_THAT_AGREE` of them. Seeds that
    survive a divergence are no fair sample: contenders that lost some are better left out, and told apart by `beats`.
    """
    names = [(a, b) for a, b in combinations(contenders, 2)]
    differences = [paired_difference(contenders[a], contenders[b]) for a, b in names]
    tested = [difference for difference in differences if difference.interval.n > 1]
    test = choose_test(min((one.interval.n for one in tested), default=0), len(tested), level, better)
    corrected = holm([difference.by(test) for difference in differences])
    pairs = tuple(
        Pair(*pair, one, p, one.agreed if math.isnan(p) else p < level and one.side(better, test) != 0)
        for pair, one, p in zip(names, differences, corrected, strict=True)
    )
    apart = {(pair.a, pair.b) for pair in pairs if pair.apart}
    return Comparison(pairs, test, level, indistinct_groups(list(contenders), apart))


def indistinct_groups(names: Sequence[str], apart: Collection[tuple[str, str]]) -> Groups:
    """Return the largest groups of which no two members are `apart`, in the order of the names.

    Every name, and every pair that is not apart, is in one of them; groups that add no such pair are left out (Piepho
    2004 sweeps letters in the same way).
    """
    far = {frozenset(pair) for pair in apart}
    near = {name: {other for other in names if other != name and frozenset((name, other)) not in far} for name in names}
    found: list[set[str]] = []
    _grow(set(), set(names), set(), near, found)
    place = {name: at for at, name in enumerate(names)}
    groups = sorted(
        (sorted(group, key=place.__getitem__) for group in found), key=lambda group: [place[n] for n in group]
    )
    for group in sorted(groups, key=len):
        rest = [other for other in groups if other is not group]
        shown = {pair for other in rest for pair in _pairs(other)}
        if _pairs(group) <= shown:
            groups = rest
    return tuple(tuple(group) for group in groups)


def _grow(
    group: set[str], inside: set[str], seen: set[str], near: Mapping[str, set[str]], found: list[set[str]]
) -> None:
    """Collect the maximal cliques that hold `group`, others of `inside` and none of `seen` (Bron and Kerbosch 1973)."""
    if not inside and not seen:
        if group:
            found.append(group)
        return
    pivot = max(inside | seen, key=lambda name: len(near[name] & inside))
    for name in sorted(inside - near[pivot]):
        _grow(group | {name}, inside & near[name], seen & near[name], near, found)
        inside, seen = inside - {name}, seen | {name}


def _pairs(group: Sequence[str]) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in combinations(group, 2)} | {frozenset((name,)) for name in group}
