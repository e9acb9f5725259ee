"""What tuning came to, as plain data: what the section on tuning is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganbench.stats import Better, Interval


@dataclass(frozen=True)
class TunedSubject:
    """What tuning one objective on one dataset came to.

    `trials` are the means of the trials, None for an infeasible one; `measured` has the mean on fresh seeds of each
    variant (default, recommended, tuned), `settings` is the setting found in words. `value` is what was tuned for.
    `objectives` are the labels in the reported suite by variant.
    """

    objective: str
    dataset: str
    value: str
    better: Better
    trials: Sequence[float | None]
    measured: Mapping[str, Interval]
    objectives: Mapping[str, str]
    settings: str = ""


def gain(each: TunedSubject) -> float:
    """Return by how much the tuned settings score better than the suite's own."""
    sign = 1.0 if each.better == "higher" else -1.0
    return sign * (each.measured["tuned"].value - each.measured["default"].value)


def as_json(each: TunedSubject) -> dict[str, object]:
    """Return it for summary.json."""
    means = {
        name: {"mean": found.value, "n": found.n, "interval": [found.low, found.high] if found.offered else None}
        for name, found in each.measured.items()
        if found.n
    }
    found = {"objective": each.objective, "dataset": each.dataset, "value": each.value, "better": each.better}
    return {**found, "trials": list(each.trials), "measured": means, "settings": each.settings}
