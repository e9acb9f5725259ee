"""Numbers, intervals and lists as a reader sees them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ganbench.stats import Better, Interval

INTERVALS: dict[Better, str] = {
    "higher": "95 % t-interval over seeds",
    "lower": "95 % interval between order statistics over seeds",
}
"""Of the centres of scores (`ganbench.stats.centre`), by which of them is better."""
NOTHING = "\u2013"
SMALL, LARGE = 1e-4, 1e6  # numbers beyond are written with a power of ten
MINUS = "\u2212"


def places(values: Iterable[float]) -> int:
    """Return how many decimals a column needs for its largest value to show about three digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=1.0)
    if largest == 0:
        return 2
    return min(6, max(0, 2 - math.floor(math.log10(largest)))) if largest < 1000 else 0


def number(value: float, decimals: int = 2) -> str:
    """Write a number with thin thousands separators; a dash where there is none."""
    if not math.isfinite(value):
        return NOTHING
    written = f"{value:,.{decimals}f}".replace(",", "\u2009")
    if float(f"{value:.{decimals}f}") == 0:
        written = written.lstrip("-")
    return written.replace("-", MINUS)


def rounded(value: float) -> str:
    """Write a number with three significant digits, whatever others stand beside it: `24.2`, `0.00126`, `6.00e27`."""
    size = abs(value)
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    if SMALL <= size < LARGE:
        return number(value, places([value]))
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", MINUS)


def signed(value: float) -> str:
    """Write a difference with three significant digits and its sign."""
    return ("+" if value > 0 else "") + rounded(value)


def bounds(interval: Interval, decimals: int | None = None) -> str:
    """Write the bounds of an interval, with three significant digits each unless `decimals` says otherwise.

    A dash where a single seed allows none.
    """
    if not math.isfinite(interval.low):
        return NOTHING
    ends = (interval.low, interval.high)
    return " to ".join(rounded(end) if decimals is None else number(end, decimals) for end in ends)


def p_value(p: float) -> str:
    """Write a p-value to two significant digits."""
    if not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "< .001"
    return f"{p:.3f}"[1:] if p < 0.0995 else f"{p:.2f}"[p < 0.995 :]


def percent(share: float) -> str:
    """Write a share as a percentage."""
    return NOTHING if not math.isfinite(share) else f"{100 * share:.{0 if share >= 0.1 or share == 0 else 1}f} %"


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun: `1 seed`, `5 seeds`."""
    return f"{number(n, 0)} {noun if n == 1 else plural or noun + 's'}"


def arrow(better: str) -> str:
    """Return the way in which scores get better."""
    return "\u2193" if better == "lower" else "\u2191"


def joined(names: Sequence[str]) -> str:
    """Write a list as in a sentence: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def in_sentence(title: str) -> str:
    """Return a title as it stands inside a sentence: `Modes covered` loses its capital, `FID` does not."""
    return title if title[1:2].isupper() or title[1:2] == "" else title[:1].lower() + title[1:]


def duration(seconds: float) -> str:
    """Write a time span in the unit in which a person would say it."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 100:
        return f"{seconds:.{1 if seconds < 10 else 0}f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def without_interval(found: Iterable[Interval]) -> str:
    """Say why some numbers have no interval, each reason once; empty where all have one."""
    reasons = dict.fromkeys(one.reason for one in found if one.n and one.reason)
    return f" Where there is no interval: {'; '.join(reasons)}." if reasons else ""


def interval_and_n(found: Iterable[Interval], what: str = INTERVALS["higher"]) -> str:
    """Say which intervals a figure shows and of how many seeds, or why there is none: `no interval (n = 3: ...)`."""
    every = list(found)
    known = [one for one in every if one.n]
    n = n_of(one.n for one in every)
    reasons = "; ".join(dict.fromkeys(one.reason for one in known if not one.offered and one.reason))
    if known and all(one.offered for one in known):
        return f"{what} ({n})"
    if not any(one.offered for one in known):
        return f"no interval ({n}{reasons and f': {reasons}'})"
    return f"{what} where it holds ({n}; elsewhere {reasons})"


def n_of(counts: Iterable[int], noun: str = "") -> str:
    """Write how many there are of each: `n = 5`, or `n = 3 to 5`; with a noun `n = 1 seed`."""
    found = sorted(set(counts)) or [0]
    told = f"n = {found[0]}" if len(found) == 1 else f"n = {found[0]} to {found[-1]}"
    return f"{told} {noun}{'' if found == [1] else 's'}" if noun else told
