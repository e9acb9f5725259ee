"""From a suite and a store to a plan: what is to run, what is done, on which devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganbench.checkpoints import EVERY
from ganbench.execution import slots
from ganbench.execution.devices import described, kind
from ganbench.paths import cache_root, data_root
from ganbench.store import Store
from ganbench.suite.cohorts import Cohort, Entry, Measured, default_size, look_up, named_groups, pack, size_key
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.plan import expand
from ganbench.suite.schema import Suite
from ganbench.suite.scoring_time import slow_scores
from ganbench.suite.sizing import Cache, Setting, read_setting


@dataclass(frozen=True)
class Options:
    """What the command line or a caller adds to a suite."""

    store: Path = Path("runs")
    only: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seeds: int | None = None
    device: str = "auto"
    workers: int | None = None
    fresh: bool = False
    retry_failed: bool = False
    checkpoint_every: float = EVERY
    cohort: int | str | None = None


@dataclass(frozen=True)
class Plan:
    """A suite's cells with their state in a store, and the cohorts that are left to run."""

    suite: Suite
    store: Store
    entries: tuple[Entry, ...]
    cohorts: tuple[Cohort, ...]
    devices: tuple[str, ...]
    notes: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    cohort: Setting = "auto"

    @property
    def counts(self) -> Counter[str]:
        """Count the cells by state."""
        return Counter(entry.state for entry in self.entries)

    @property
    def rates(self) -> Cache:
        """The rates that are known of the plan's device."""
        return rates_of(self.devices)


def make_plan(suite_path: Path, options: Options) -> Plan:
    """Read a suite and look its cells up in the store; writes nothing.

    Raises SuiteError with every problem of the suite and the options.
    """
    suite = load_suite(suite_path, options.settings, options.seeds)
    try:
        devices = slots.find(options.device, options.workers)
    except ValueError as error:
        raise SuiteError([Problem("--device" if "device" in str(error) else "--workers", str(error))]) from None
    expansion = expand(suite, data_root(), cache_root(), options.only)
    store = Store(options.store)
    entries = look_up(expansion.planned, store, options.retry_failed, options.fresh)
    cohort = _cohort_setting(suite, options)
    known = rates_of(devices)
    cohorts = pack(entries, len(devices), cohort, Measured(known.read, store, kind(devices[0])))
    notes = list(expansion.notes)
    if cohort == "auto":
        notes += chosen_sizes(entries, known)
    if slots.lacks_bfloat16(devices) and any(c.trains and c.cells[0].train.precision == "bf16" for c in cohorts):
        notes.append("precision bf16: this CPU computes bfloat16 many times slower than float32")
    notes += slow_scores(cohorts, devices)
    return Plan(suite, store, tuple(entries), tuple(cohorts), tuple(devices), tuple(notes), options, cohort)


def packed(plan: Plan, entries: Sequence[Entry]) -> tuple[Cohort, ...]:
    """Pack what is left of a plan's cells, by what is known of them now."""
    measured = Measured(plan.rates.read, plan.store, kind(plan.devices[0]))
    return tuple(pack(entries, len(plan.devices), plan.cohort, measured))


def rates_of(devices: Sequence[str]) -> Cache:
    """Return the rates that are known of a plan's first device, shared by as many slots as the plan has on it."""
    return Cache(cache_root() / "cohorts", described(devices[0]), list(devices).count(devices[0]))


def chosen_sizes(entries: Sequence[Entry], known: Cache, only: Collection[str] | None = None) -> list[str]:
    """Say for each group whose size was chosen by measuring how many cells train together; `only` of some shapes."""
    found = []
    for name, group in named_groups(entries):
        key = size_key(group[0])
        rates = known.read(key) if group[0].state == "to train" and (only is None or key in only) else None
        if rates is None or group[0].planned.cell is None:
            continue
        size = rates.size(default_size(group[0].planned.cell))
        if len(rates.by_size) > 1 and size <= rates.largest:
            found.append(f"{name}: cohorts of {min(size, len(group))} (measured: {rates.told()})")
    return found


def _cohort_setting(suite: Suite, options: Options) -> Setting:
    if options.cohort is None:
        return suite.cohort
    try:
        return read_setting(options.cohort)
    except ValueError as error:
        raise SuiteError([Problem("--cohort", str(error))]) from None
