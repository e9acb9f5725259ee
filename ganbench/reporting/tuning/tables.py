"""What tuning is worth, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.reporting.parts import Table
from ganbench.reporting.tuning.record import TUNED, VARIANTS, TunedSubject, gain
from ganbench.reporting.wording import NOTHING, bounds, places, without_interval
from ganbench.reporting.wording import number as written
from ganbench.stats import Interval


def worth_table(tuned: Sequence[TunedSubject]) -> Table:
    """Table default, recommended and tuned settings side by side."""
    rows = []
    for each in tuned:
        digits = places(found.value for found in each.measured.values())
        told = [_mean(each.measured.get(name), digits) for name in VARIANTS]
        gained = written(gain(each), digits) if TUNED in each.measured else NOTHING
        rows.append((each.objective, each.dataset, each.value, *told, gained, each.settings or "no feasible trial"))
    means = [found for each in tuned for found in each.measured.values()]
    return Table(
        "Means over fresh seeds, by which nothing was chosen, with 95 % t-intervals where they hold. Gain: how much "
        f"better the tuned settings score than the suite's own.{without_interval(means)}",
        ("Objective", "Dataset", "Tuned for", "Default", "Recommended", "Tuned", "Gain", "Settings found"),
        tuple(rows),
        (False, False, False, True, True, True, True, False),
        tuple(each.shown for each in tuned),
    )


def _mean(found: Interval | None, digits: int) -> str:
    if found is None or not found.n:
        return NOTHING
    reach = f" ({bounds(found, digits)})" if found.offered else ""
    return f"{written(found.value, digits)}{reach}, n = {found.n}"
