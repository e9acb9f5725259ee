"""How many cells train fastest together: rates measured once per device and shape of cells, kept in the cache."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from ganbench import __version__
from ganbench.paths import write_whole
from ganbench.suite.cells import digest
from ganbench.suite.errors import Findings

Setting = int | Literal["auto"]

NEAR_BEST = 0.95  # of the best rate: the smallest size that reaches it is taken
SLOWER = 0.9  # of the best rate: two sizes in a row below it, and larger ones are not tried
NO_GAIN = 1.05  # times the best rate before: three sizes in a row below it, and larger ones are not tried
WORTH = 10.0  # seconds of training that are left, below which nothing but one cell alone is measured
SHARE, CEILING = 0.03, 20.0  # of a group's expected seconds, and seconds, that measuring it may take
LARGEST = 1024  # cells that are tried together
WINDOW, STEPS, WARM = 0.2, 3, 2  # seconds and steps at least that are timed, after so many steps


@dataclass(frozen=True)
class Rates:
    """Cell-steps per second by the number of cells that train together.

    `settled` says that larger cohorts need not be tried: they were slower, or did not fit. `bytes_per_cell` is what
    the largest of the measured cohorts took of the memory, per cell.
    """

    by_size: Mapping[int, float] = field(default_factory=dict)
    settled: bool = False
    bytes_per_cell: float = 0.0

    @property
    def best(self) -> float:
        """The best rate of all."""
        return max(self.by_size.values())

    @property
    def largest(self) -> int:
        """The largest size that was measured."""
        return max(self.by_size, default=0)

    def size(self, default: int) -> int:
        """Choose the smallest size within 5 % of the best.

        Where there was no time for larger ones, the default, if larger: unless the last one was clearly slower than
        the best, or of three at least no faster than those before.
        """
        if not self.by_size:
            return default
        smallest = min(size for size, rate in self.by_size.items() if rate >= NEAR_BEST * self.best)
        last, before = self.by_size[self.largest], [self.by_size[size] for size in self.by_size if size < self.largest]
        level = len(before) >= 2 and last < NO_GAIN * max(before)
        return smallest if self.settled or level or last < SLOWER * self.best else max(smallest, default)

    def at(self, size: int) -> float:
        """Return the rate of a cohort of any size: the time of a step lies on a line between two sizes.

        Beyond those that were measured the rate stays.
        """
        known = sorted(self.by_size)
        after = next((other for other in known if other >= size), known[-1])
        before = next((other for other in reversed(known) if other <= size), known[0])
        if before >= after:
            return self.by_size[after]
        share = (size - before) / (after - before)
        return size / ((1 - share) * before / self.by_size[before] + share * after / self.by_size[after])

    def enough(self) -> bool:
        """Whether larger cohorts are not worth a try: two in a row clearly slower than the best, or three no faster."""
        sizes = sorted(self.by_size)
        best = [max(self.by_size[smaller] for smaller in sizes[:place]) for place in range(1, len(sizes))]
        compared = [self.by_size[size] / before for size, before in zip(sizes[1:], best, strict=True)]
        slower = len(compared) >= 2 and all(ratio < SLOWER for ratio in compared[-2:])
        return slower or (len(compared) >= 3 and all(ratio < NO_GAIN for ratio in compared[-3:]))

    def told(self) -> str:
        """Say the rates, for people."""
        return ", ".join(f"{size}: {rate:.3g}" for size, rate in sorted(self.by_size.items())) + " cell-steps/s"


def mean(measured: Sequence[Rates]) -> Rates:
    """Return rates that were measured side by side as one: of the sizes that all have, the others had no company."""
    if not measured:
        return Rates()
    sizes = set.intersection(*(set(rates.by_size) for rates in measured))
    by_size = {size: statistics.mean(rates.by_size[size] for rates in measured) for size in sorted(sizes)}
    settled = any(rates.settled for rates in measured)
    return Rates(by_size, settled, max(rates.bytes_per_cell for rates in measured))


def ahead(rates: Rates, cells: int) -> int | None:
    """Return the size that is to be measured next for so many cells, twice the one before; None: no other."""
    size = rates.largest * 2 or 1
    return None if rates.settled or size > min(cells, LARGEST) else size


def affordable(rates: Rates, size: int, cell_steps: int, at_once: int, spent: float) -> bool:
    """Whether a size can be measured within a small part of the time that it may save.

    `cell_steps` are left to train; what is measured `at_once` on several slots counts as often. `spent` are the
    seconds that measuring has taken so far. The next size may be twice as fast, and then the whole takes half the time.
    A second size is worth nothing without a third: two rates hardly ever outweigh the default.
    """
    if not rates.by_size:
        return True
    if cell_steps / rates.by_size[min(rates.by_size)] < WORTH:
        return False
    more = 2 if rates.largest == 1 else 1
    allowed = min(SHARE * cell_steps / (2.0**more * rates.best) / at_once, CEILING)
    return spent + sum(_cost(rates, size * 2**k) for k in range(more)) <= allowed


def worth_measuring(known: Rates, cells: int, cell_steps: int, at_once: int) -> bool:
    """Whether there is a size beyond those known that can be afforded, all of them being measured anew beside it."""
    size = ahead(known, cells)
    spent = sum(_cost(known, smaller) for smaller in known.by_size)
    return size is not None and affordable(known, size, cell_steps, at_once, spent)


def _cost(rates: Rates, size: int) -> float:
    step = size / rates.at(size)
    return max(WINDOW, STEPS * step) + WARM * step


def read_setting(given: object) -> Setting:
    """Read `cohort`: `auto`, or the largest number of cells; ValueError says what is allowed."""
    if given == "auto":
        return "auto"
    number = int(given) if isinstance(given, str) and given.isdecimal() else given
    if isinstance(number, int) and not isinstance(number, bool) and number > 0:
        return number
    raise ValueError(f"expected auto or the most cells that train together, such as 8 (1: each alone), got {given!r}")


def check_setting(given: object, findings: Findings, *place: str | int) -> Setting:
    """Read `cohort` of a suite; what is wrong with it goes to `findings`."""
    try:
        return read_setting(given)
    except ValueError as error:
        findings.add(f"{place[-1]}: {error}", *place)
        return "auto"


@dataclass(frozen=True)
class Cache:
    """The rates that are known of a device which so many slots share, a file per shape of cells."""

    folder: Path
    device: str
    slots: int

    def read(self, shape: str) -> Rates | None:
        """Return the rates of cells of a shape; None where there are none, or what there is cannot be read."""
        try:
            found = json.loads(self._path(shape).read_text())["rates"]
            by_size = {int(size): float(rate) for size, rate in found["by_size"].items()}
            rates = Rates(by_size, bool(found["settled"]), float(found["bytes_per_cell"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None
        usable = all(size > 0 and 0 < rate < math.inf for size, rate in by_size.items())
        return rates if by_size and usable else None

    def write(self, shape: str, rates: Rates, says: str) -> None:
        """Keep the rates of cells of a shape; `says` is what they are, for people who look."""
        content = {"cells": says, **self._about(shape), "rates": asdict(rates)}
        write_whole(self._path(shape), json.dumps(content, indent=2).encode() + b"\n")

    def _path(self, shape: str) -> Path:
        return self.folder / f"{digest(self._about(shape))}.json"

    def _about(self, shape: str) -> dict[str, str | int]:
        versions = {"ganbench": __version__, "torch": version("torch")}
        return {"shape": shape, "device": self.device, "slots": self.slots, **versions}
