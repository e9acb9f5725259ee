"""What tuning is worth, and how wide the good region is, as tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ganbench.reporting.parts import Table
from ganbench.reporting.tuning.record import TunedSubject, gain
from ganbench.reporting.wording import NOTHING, bounds, percent, places
from ganbench.reporting.wording import number as written
from ganbench.stats import Interval
from ganbench.stats.budgets import share_near_best


def worth_table(tuned: Sequence[TunedSubject]) -> Table:
    """Table default, recommended and tuned settings side by side."""
    names = ("default", "recommended", "tuned")
    rows = []
    for each in tuned:
        digits = places(found.value for found in each.measured.values())
        told = [_mean(each.measured.get(name), digits) for name in names]
        gained = written(gain(each), digits) if "tuned" in each.measured else NOTHING
        rows.append((each.objective, each.dataset, each.value, *told, gained, each.settings or "no feasible trial"))
    return Table(
        "Means over fresh seeds, by which nothing was chosen, with 95 % t-intervals where seeds are enough. Gain: "
        "how much better the tuned settings score than the suite's own.",
        ("Objective", "Dataset", "Tuned for", "Default", "Recommended", "Tuned", "Gain", "Settings found"),
        tuple(rows),
        (False, False, False, True, True, True, True, False),
        tuple(each.objectives.get("tuned", each.objectives["default"]) for each in tuned),
    )


def region_table(tuned: Sequence[TunedSubject]) -> Table:
    """Table the shares of good and of infeasible trials."""
    rows = []
    for each in tuned:
        infeasible = sum(score is None for score in each.trials) / len(each.trials)
        scores = [score for score in each.trials if score is not None]
        signed = not scores or min(scores) >= 0 or max(scores) <= 0
        near = percent(share_near_best(each.trials, each.better)) if signed else NOTHING
        pick = min if each.better == "lower" else max
        shown = [_own_digits(found(scores)) if scores else NOTHING for found in (pick, statistics.median)]
        rows.append((each.objective, each.dataset, str(len(each.trials)), percent(infeasible), near, *shown))
    return Table(
        "Shares of the trials: those that lost a seed (it diverged, failed or timed out), and those within 10 % of the "
        "best. The shares of the space itself where the sampler is random; one that learns seeks the good region, and "
        "makes it look wider than it is.",
        ("Objective", "Dataset", "Trials", "Infeasible", "Within 10 % of the best", "Best trial", "Median trial"),
        tuple(rows),
        (False, False, True, True, True, True, True),
        tuple(each.objectives.get("tuned", each.objectives["default"]) for each in tuned),
    )


def _mean(found: Interval | None, digits: int) -> str:
    if found is None or not found.n:
        return NOTHING
    reach = f" ({bounds(found, digits)})" if found.offered else ""
    return f"{written(found.value, digits)}{reach}, n = {found.n}"


def _own_digits(value: float) -> str:
    return written(value, places([value]))  # the best of a search may be a thousandth of its median
