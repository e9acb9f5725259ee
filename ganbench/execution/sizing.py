"""What a worker does to find out how many cells train fastest together: a few steps of cohorts of growing size."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ganbench.execution.messages import Message, Tell
from ganbench.execution.presence import present
from ganbench.execution.signs_of_life import signs_of_life
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.training_data import training_data
from ganbench.suite.cells import Cell
from ganbench.suite.sizing import STEPS, WARM, WINDOW, Rates, affordable, ahead

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganbench.training.streamed import Streamed

WARM_CAPTURED = 8  # steps on a GPU: some are rehearsed before one is captured
EVERY = 0.5  # seconds between two signs of life
PATIENCE = 2.0  # seconds after which slow steps are warm enough, and as many after which they are timed well enough
MARGIN = 0.9  # of a slot's share of the memory that may be used


@dataclass(frozen=True)
class Effort:
    """How much measuring is worth: `cell_steps` are left to train, of whose time only a small part is spent.

    The same is measured `at_once` so many times, and `slots` share the device and its memory.
    """

    cell_steps: int
    at_once: int
    slots: int


@dataclass(frozen=True)
class SizingRun:
    """Time cohorts of growing size for a few steps each, and store nothing; say the rates whenever there is a new one.

    `key` and `group` name what the cells have in common, for the cache and for people.
    """

    key: str
    group: str
    cells: tuple[Cell, ...]
    effort: Effort
    surroundings: Surroundings

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        return f"measuring how many cells of {self.group} train fastest together"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - nothing waits
        """Do it; whatever a plugin raises reaches the parent as an error."""
        import torch

        def hear(rates: Rates) -> None:
            tell(Message("progress", rates.largest, len(self.cells), text=as_text(rates)))

        ours, cells = self.surroundings, self.cells
        with present(ours.store, self.name):
            ours.load_plugins()
            with signs_of_life(tell):
                data, labels = training_data(cells[0].dataset, ours.data_root, torch.device(device))
            rates = measured(cells, data, labels, self.effort, hear, lambda: tell(Message("alive")))
        tell(Message("done", text=as_text(rates)))

    def rest(
        self,
        trained: Collection[str],  # noqa: ARG002 - it stores none
        scored: Collection[str],  # noqa: ARG002
        hung: bool,  # noqa: ARG002 - what it has told holds
        innocent: bool = False,
    ) -> list[SizingRun]:
        """Return it once more where it is not to blame."""
        return [self] if innocent else []


def measured(
    cells: Sequence[Cell],
    data: Tensor | Streamed,
    labels: Tensor | None,
    effort: Effort,
    hear: Callable[[Rates], None] = lambda _: None,
    alive: Callable[[], None] = lambda: None,
) -> Rates:
    """Time cohorts of 1, 2, 4, ... of the cells, then the same again downwards, as long as the effort is worth it.

    `hear` is told the rates whenever there is a new size, `alive` is called now and then between steps. Raises whatever
    a plugin raises.
    """
    began = time.monotonic()
    memory, rates = _Memory(data.device, effort.slots), Rates()

    def affords(size: int) -> bool:
        return affordable(rates, size, effort.cell_steps, effort.at_once, time.monotonic() - began)

    def in_vain(rate: float) -> bool:
        """Say at the first size whether it will be the only one: then a glimpse of it will do."""
        spent = time.monotonic() - began + WINDOW
        return not rates.by_size and not affordable(Rates({1: rate}), 2, effort.cell_steps, effort.at_once, spent)

    while (size := ahead(rates, len(cells))) and affords(size):
        fits = memory.allows(2 * memory.used)
        found = _unless_memory_is_short(cells[:size], data, labels, alive, in_vain) if fits else None
        if found is None:
            rates = replace(rates, settled=True)
            break
        memory.look()
        rates = Rates({**rates.by_size, size: found}, bytes_per_cell=memory.used / size)
        rates = replace(rates, settled=rates.enough())
        hear(rates)
    # What else the machine did may have slowed some of them: of two measurements the faster one holds.
    for size in sorted(rates.by_size, reverse=True) if rates.largest > 1 else ():
        if affords(size):
            again = cell_steps_per_second(cells[:size], data, labels, WINDOW, alive)
            rates = replace(rates, by_size={**rates.by_size, size: max(again, rates.by_size[size])})
    return rates


def as_text(rates: Rates) -> str:
    """Write rates for a message."""
    return json.dumps([list(rates.by_size.items()), rates.settled, rates.bytes_per_cell])


def from_text(text: str) -> Rates:
    """Read rates from a message."""
    by_size, settled, weight = json.loads(text)
    return Rates(dict(by_size), settled, weight)


def cell_steps_per_second(
    cells: Sequence[Cell],
    data: Tensor | Streamed,
    labels: Tensor | None = None,
    seconds: float = WINDOW,
    alive: Callable[[], None] = lambda: None,
    in_vain: Callable[[float], bool] = lambda _: False,
) -> float:
    """Train a cohort by the loop that every cell is trained by, for some seconds, and return its steady rate.

    `alive` is called now and then between steps; where a first rate is `in_vain`, the seconds are not waited for.
    Raises whatever a plugin raises.
    """
    from ganbench.training.loop import train_cohort

    watch = _Watch(data.device, seconds, alive, lambda step: in_vain(len(cells) / step))
    # Warm-up of one player alone takes other steps than those that are timed.
    short = [replace(cell, train=cell.train.model_copy(update={"d_warmup": 0, "g_warmup": 0})) for cell in cells]
    with suppress(_Enough):
        train_cohort(short, data, (), labels=labels, each=watch)
    return len(cells) / watch.seconds_per_step()


class _Enough(Exception):  # noqa: N818 - it says that enough was timed, not that anything went wrong
    """Ends a training that has been timed."""


class _Watch:
    """Is told of every step; looks at the clock now and then once steps are steady, until that is enough.

    A CPU's worker has one thread, so that its clock is the time it spent on the CPU: what other programs take at the
    moment would otherwise decide between two sizes. Caches and memory shared with the other workers still count.
    """

    def __init__(
        self, device: torch.device, seconds: float, alive: Callable[[], None], in_vain: Callable[[float], bool]
    ) -> None:
        self._device, self._seconds, self._alive, self._in_vain = device, seconds, alive, in_vain
        self._began = self._told = time.perf_counter()
        self._warm = WARM_CAPTURED if device.type == "cuda" else WARM
        self._steady_at = self._looked = 0.0
        self._first, self._last = (0, self._clock()), 0
        self._marks: list[tuple[int, float]] = []

    def __call__(self, step: int) -> None:
        now, self._last = time.perf_counter(), step
        if now - self._told > EVERY:
            self._told = now
            self._alive()
        if not self._marks:
            if step >= self._warm or now - self._began > PATIENCE:
                self._marks = [(step, self._clock())]
                self._steady_at = self._looked = time.perf_counter()
        elif now - self._looked >= self._seconds / 8:
            self._marks.append((step, self._clock()))
            self._looked = time.perf_counter()
            passed, timed = self._looked - self._steady_at, step - self._marks[0][0] >= STEPS
            if passed >= max(PATIENCE, self._seconds) or (timed and passed >= self._seconds):
                raise _Enough
            if timed and self._in_vain(self.seconds_per_step()):
                raise _Enough

    def seconds_per_step(self) -> float:
        """Return the median: what the machine does for a moment does not count."""
        # A training that ended before has all its steps counted, the slow first ones included.
        marks = self._marks if len(self._marks) > 1 else [self._first, (self._last, self._clock())]
        pairs = itertools.pairwise(marks)
        return statistics.median((then - now) / (after - before) for (before, now), (after, then) in pairs)

    def _clock(self) -> float:
        if self._device.type == "cpu":
            return time.process_time()
        if self._device.type == "cuda":
            import torch

            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def _unless_memory_is_short(
    cells: Sequence[Cell],
    data: Tensor | Streamed,
    labels: Tensor | None,
    alive: Callable[[], None],
    in_vain: Callable[[float], bool],
) -> float | None:
    import torch

    try:
        return cell_steps_per_second(cells, data, labels, WINDOW, alive, in_vain)
    except (MemoryError, torch.OutOfMemoryError):
        return None
    except RuntimeError as error:
        if "can't allocate memory" in str(error):
            return None
        raise


class _Memory:
    """What training takes of a slot's share of the memory, beside the data; bytes."""

    def __init__(self, device: torch.device, slots: int) -> None:
        import torch

        self._device, self.used = device, 0
        if device.type == "cuda":
            free, total = torch.cuda.mem_get_info(device)
            self._share = MARGIN * min(free, total / slots)
        else:
            self._share = MARGIN * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / slots
        self._before = self._peak()

    def allows(self, more: float) -> bool:
        """Whether so much more than before would fit."""
        return more <= self._share

    def look(self) -> None:
        """See what the largest cohort so far has taken."""
        self.used = max(self._peak() - self._before, 0)

    def _peak(self) -> int:
        if self._device.type == "cuda":
            import torch

            return torch.cuda.max_memory_allocated(self._device)
        import resource
        import sys

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
