"""What a search is for: one value, or several that may be at odds, such as quality, diversity and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ganbench.suite.errors import Findings

COST = "cost"
ONE_VALUE = ("cmaes",)  # samplers that Optuna refuses several objectives
OF_SEVERAL = "of several objectives there is no one best"


def check_aims(
    asked: Sequence[str], sampler: str, directed: bool, pruned: bool, findings: Findings, *place: str | int
) -> None:
    """Note what cannot be searched for; `directed` and `pruned` say whether the section has these keys.

    Whether the suite's metrics give a value is seen once they are known.
    """
    several = len(asked) > 1
    counts = Counter(map(_whole, asked))
    for position, name in enumerate(asked):
        at = (*place, "objective", position) if several else (*place, "objective")
        if name.rpartition("_")[2] == "seconds":
            findings.add(
                f"objective: {name}: whatever else runs on a machine enters its seconds, so they would choose by luck; "
                f"`{COST}` counts the samples that both players see",
                *at,
            )
        elif name == COST and position == 0:
            findings.add(f"objective: {COST} comes after a score: the cheapest settings need no search", *at)
        elif counts[_whole(name)] > 1 and position > [_whole(each) for each in asked].index(_whole(name)):
            findings.add(f"objective: {name} is listed twice", *at)
    if not several:
        return
    if sampler in ONE_VALUE:
        findings.add(f"sampler: {cannot(sampler)}", *place, "sampler")
    if directed:
        findings.add(f"direction: {OF_SEVERAL}: each has its own, which its metric says", *place, "direction")
    if pruned:
        findings.add(f"prune: {OF_SEVERAL}, so a trial cannot be told from its first scores", *place, "prune")


def _whole(name: str) -> str:
    """Return a value's name with what is meant where it says nothing: the score of the last step."""
    return name if name == COST or name.endswith(("_final", "_best")) else f"{name}_final"


def cannot(sampler: str) -> str:
    """Say that a sampler cannot do it."""
    return f"{sampler} searches for one value, and several objectives are given; tpe, random, qmc and gp can do it"
