"""From a suite and a store to a plan: what is to run, what is done, on which devices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ganbench.checkpoints import EVERY
from ganbench.execution import slots
from ganbench.execution.devices import described, kind
from ganbench.execution.executor import ExecutorName
from ganbench.execution.messages import PATIENCE
from ganbench.paths import cache_root, data_root
from ganbench.store import Store
from ganbench.suite.chosen_sizes import chosen_sizes
from ganbench.suite.cohorts import Cohort, Entry, Measured, look_up, pack
from ganbench.suite.errors import wrong
from ganbench.suite.load import load_suite
from ganbench.suite.paces import PaceFile
from ganbench.suite.plan import expand
from ganbench.suite.schema import Suite
from ganbench.suite.scoring_time import slow_scores
from ganbench.suite.sizing import Cache, Rates, Setting, read_setting
from ganbench.suite.slurm import Slurm, with_settings

ELSEWHERE = "elsewhere"  # other machines, of which nothing was measured here


@dataclass(frozen=True)
class Options:
    """What the command line or a caller adds to a suite.

    Times are seconds: `max_time` for the whole run, `max_cell_time` for the training of a cell, `patience` for a
    worker that says nothing.
    """

    store: Path = Path("runs")
    only: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    seeds: int | None = None
    device: str = "auto"
    workers: int | None = None
    fresh: bool = False
    retry_failed: bool = False
    checkpoint_every: float = EVERY
    slots_per_device: int | None = None
    fail_fast: bool = False
    max_time: float | None = None
    max_cell_time: float | None = None
    patience: float = PATIENCE
    executor: ExecutorName = "local"
    ray_address: str | None = None
    cohort: int | str | None = None
    slurm: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A suite's cells with their state in a store, and the cohorts that are left to run.

    `devices` has the device of each slot; nothing where that is known only when the run starts, and the cohorts are
    packed again then.
    """

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
        """The rates that are known of the plan's first device, shared by as many slots as the plan has on it."""
        if self.options.executor != "local":
            return Cache(cache_root() / "cohorts", ELSEWHERE, 1)
        first = self.devices[0]
        return Cache(cache_root() / "cohorts", described(first), self.devices.count(first))

    @property
    def paces(self) -> PaceFile:
        """Where it is kept how long cells took on the plan's first device, in whatever suites."""
        device = described(self.devices[0]) if self.options.executor == "local" else ELSEWHERE
        return PaceFile(cache_root() / "paces", device)


def make_plan(suite_path: Path, options: Options) -> Plan:
    """Read a suite and look its cells up in the store; writes nothing.

    Raises SuiteError with every problem of the suite and the options.
    """
    suite = load_suite(suite_path, options.settings, options.seeds)
    suite = replace(suite, slurm=_slurm(suite.slurm, options))
    devices = _devices(options, suite.slurm)
    expansion = expand(suite, data_root(), cache_root(), options.only)
    store = Store(options.store)
    entries = look_up(expansion.planned, store, options.retry_failed, options.fresh)
    cohort = _cohort_setting(suite, options)
    made = Plan(suite, store, tuple(entries), (), tuple(devices), options=options, cohort=cohort)
    cohorts = packed(made)
    notes = list(expansion.notes)
    if cohort == "auto":
        notes += chosen_sizes(entries, made.rates.read)
    if slots.lacks_bfloat16(devices) and any(c.trains and c.cells[0].train.precision == "bf16" for c in cohorts):
        notes.append("precision bf16: this CPU computes bfloat16 many times slower than float32")
    notes += slow_scores(cohorts, devices)
    return replace(made, cohorts=cohorts, notes=tuple(notes))


def packed(plan: Plan, rates: Callable[[str], Rates | None] | None = None) -> tuple[Cohort, ...]:
    """Pack what is left of a plan's cells by what is known of them now; `rates` stand for those in the cache."""
    device = kind(plan.devices[0]) if plan.options.executor == "local" else ELSEWHERE
    measured = Measured(rates or plan.rates.read, plan.store, device, plan.paces.read())
    return tuple(pack(plan.entries, max(1, len(plan.devices)), plan.cohort, measured))


def _cohort_setting(suite: Suite, options: Options) -> Setting:
    if options.cohort is None:
        return suite.cohort
    try:
        return read_setting(options.cohort)
    except ValueError as error:
        raise wrong("--cohort", str(error)) from None


def _devices(options: Options, slurm: Slurm) -> list[str]:
    try:
        if options.executor == "local":
            return slots.find(options.device, options.workers, options.slots_per_device)
        slots.check_numbers(options.workers, options.slots_per_device)
        if options.device not in (known := ("auto", "cpu", "cuda")):
            raise ValueError(f"device {options.device}: --executor {options.executor} takes {', '.join(known)}")
    except ValueError as error:
        raise wrong(f"--{re.split(r'[ :]', str(error).removeprefix('unknown '))[0]}", str(error)) from None
    if options.executor == "slurm":
        return ["Slurm GPU" if slurm.gpus else "Slurm CPU"] * slurm.parallel
    if options.executor == "ray":
        from ganbench.execution.ray import must_be_installed

        must_be_installed()
    return []


def _slurm(slurm: Slurm, options: Options) -> Slurm:
    """Return what Slurm is asked for, as the options have it."""
    if options.executor != "slurm":
        if options.slurm:
            raise wrong(f"--slurm {options.slurm[0]}", "is for --executor slurm")
        return slurm
    if options.slots_per_device is not None:
        raise wrong("--slots-per-device", "a Slurm job trains one cohort at a time; --workers says how many jobs")
    slurm = with_settings(slurm, options.slurm)
    gpus = 0 if options.device == "cpu" else (slurm.gpus or 1) if options.device == "cuda" else slurm.gpus
    return slurm.model_copy(update={"gpus": gpus, "parallel": options.workers or slurm.parallel})
