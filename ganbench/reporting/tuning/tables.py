"""What tuning is worth, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.reporting.parts import Table
from ganbench.reporting.tuning.record import TUNED, VARIANTS, TunedSubject, gain
from ganbench.reporting.wording import NOTHING, bounds, joined, n_of, places, without_interval
from ganbench.reporting.wording import number as written
from ganbench.stats import Interval


def worth_table(tuned: Sequence[TunedSubject]) -> Table:
    """Table default, recommended and tuned settings side by side; how many seeds there are where that differs."""
    means = [found for each in tuned for found in each.measured.values()]
    seeds = {found.n for found in means}
    variants = [name for name in VARIANTS if any(name in each.measured for each in tuned)]
    values = list(dict.fromkeys(each.value for each in tuned))
    rows = []
    for each in tuned:
        digits = places(found.value for found in each.measured.values())
        told = [_mean(each.measured.get(name), digits, len(seeds) > 1) for name in variants]
        gained = written(gain(each), digits) if TUNED in each.measured else NOTHING
        value = [each.value] if len(values) > 1 else []
        settings = each.settings or "no feasible trial"
        rows.append((each.objective, each.dataset, *value, *told, gained, settings))
    of = ["Tuned for"] if len(values) > 1 else []
    return Table(
        f"Means of {joined(values)} over fresh seeds, by which nothing was chosen ({n_of(seeds)}), with 95 % "
        "t-intervals where they hold. Gain: how much better the tuned settings score than the suite's "
        f"own.{without_interval(means)}",
        ("Objective", "Dataset", *of, *(name.capitalize() for name in variants), "Gain", "Settings found"),
        tuple(rows),
        (False, False, *(False for _ in of), *(True for _ in variants), True, False),
        tuple(each.shown for each in tuned),
    )


def _mean(found: Interval | None, digits: int, counted: bool) -> str:
    if found is None or not found.n:
        return NOTHING
    reach = f" ({bounds(found, digits)})" if found.offered else ""
    return f"{written(found.value, digits)}{reach}" + (f", n = {found.n}" if counted else "")
