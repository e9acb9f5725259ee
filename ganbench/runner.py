"""The main job: a suite becomes a plan, the plan's cohorts run, the store is tracked and reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

from ganbench.checkpoints import EVERY
from ganbench.execution import fork_server, local, slots
from ganbench.execution.profile import ProfileRun
from ganbench.execution.provenance import now, provenance
from ganbench.execution.tasks import CohortRun, Message, Preparation, Surroundings
from ganbench.live_tracking import LiveTracking
from ganbench.locks import alone
from ganbench.paths import cache_root, data_root
from ganbench.store import Status, Store, SuiteRecord
from ganbench.suite.cells import digest
from ganbench.suite.cohorts import Cohort, Entry, look_up, pack
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.plan import expand
from ganbench.suite.record import suite_record
from ganbench.suite.schema import Suite
from ganbench.suite.scoring_time import slow_scores

STOPPING = "stopping: what is in training is being kept, to go on from there (Ctrl-C again stops at once)"
WAITING = "another run is at work in this store: waiting until it ends"


class Listener(Protocol):
    """Hears what happens during a run; the command line draws it, nobody else prints."""

    def planned(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def preparing(self, names: Sequence[str]) -> None:
        """Hear which datasets and extractors are being got ready."""

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Hear that the cohorts start."""

    def heard(self, slot: int, task: local.Task, message: Message) -> None:
        """Hear a worker."""

    def said(self, text: str) -> None:
        """Hear a sentence for the reader."""


class Silence:
    """A listener that ignores everything."""

    def planned(self, plan: Plan) -> None:
        """Ignore the plan."""

    def preparing(self, names: Sequence[str]) -> None:
        """Ignore the preparations."""

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Ignore the start."""

    def heard(self, slot: int, task: local.Task, message: Message) -> None:
        """Ignore a worker."""

    def said(self, text: str) -> None:
        """Ignore a sentence."""


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

    @property
    def counts(self) -> Counter[str]:
        """Count the cells by state."""
        return Counter(entry.state for entry in self.entries)


@dataclass
class Result:
    """How a run ended: the outcomes of the suite's cells, what went wrong beside them, and the report."""

    outcomes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    untracked: str = ""
    report: Path | None = None

    @property
    def failed(self) -> bool:
        """Whether a cell failed, or a worker could not do its part."""
        return bool(self.errors or self.outcomes["failed"] or self.outcomes["timed_out"] or self.outcomes["missing"])


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
    cohorts = pack(entries, len(devices))
    notes = list(expansion.notes)
    if slots.lacks_bfloat16(devices) and any(c.trains and c.cells[0].train.precision == "bf16" for c in cohorts):
        notes.append("precision bf16: this CPU computes bfloat16 many times slower than float32")
    notes += slow_scores(cohorts, devices)
    return Plan(suite, store, tuple(entries), tuple(cohorts), tuple(devices), tuple(notes), options)


def execute(plan: Plan, listener: Listener, tracking_uri: str | None = None, report: Path | None = None) -> Result:
    """Run what is left of a plan, then track and report all of it (`report` None: no report).

    Where another run has the store it waits, and runs what is left then. SuiteError when data or extractors cannot be
    got ready: then nothing has been trained. A KeyboardInterrupt waits until what trains is kept; a second does not.
    """
    if plan.cohorts:
        fork_server.start(any(cohort.scoring.settings.metrics for cohort in plan.cohorts))
    listener.planned(plan)
    record = suite_record(plan.suite, [entry.planned for entry in plan.entries], now())
    result = Result()
    if plan.cohorts:
        _train(plan, record, tracking_uri, listener, result)
    else:
        before = plan.store.suite(plan.suite.name)
        if before is not None:
            # Nothing runs: the times of the run that made these cells stay.
            record = replace(record, started=before.started, seconds=before.seconds)
        plan.store.write_suite(record)
        result.untracked = track(plan.store, record, tracking_uri, listener)
    result.outcomes = _outcomes(plan)
    if report is not None:
        from ganbench.reporting import write_report

        result.report = write_report(plan.store, plan.suite.name, report)
    return result


def _left(plan: Plan) -> tuple[Cohort, ...]:
    """Look the plan's cells up once more, and pack what is left to do."""
    options, planned = plan.options, [entry.planned for entry in plan.entries]
    return tuple(pack(look_up(planned, plan.store, options.retry_failed, options.fresh), len(plan.devices)))


def _train(plan: Plan, record: SuiteRecord, uri: str | None, listener: Listener, result: Result) -> None:
    """Run the cohorts, and track their cells as they are finished."""
    started, tracking = perf_counter(), LiveTracking(plan.store, record, uri)
    try:
        roots = plan.store.root, data_root(), cache_root()
        surroundings = Surroundings(*roots, plan.suite.plugins, provenance(), plan.options.checkpoint_every)
        _prepare(plan, surroundings, listener)
        with alone(plan.store.root / "run", lambda: listener.said(WAITING)) as waited:
            cohorts = _left(plan) if waited else plan.cohorts
            plan.store.write_suite(record)
            tracking.begin()
            listener.training(cohorts, plan.devices)
            ear = _Ear(plan.store, listener, result, tracking)
            tasks = [CohortRun(cohort, surroundings) for cohort in cohorts]
            local.run(tasks, plan.devices, ear.hear, lambda: listener.said(STOPPING))
            plan.store.write_suite(replace(record, seconds=perf_counter() - started))
        if left := tracking.left():
            listener.said(f"tracking {left} cells in MLflow")
        result.untracked = tracking.close()
    except BaseException:
        tracking.abandon()
        raise


def profile(plan: Plan, listener: Listener) -> ProfileRun:
    """Profile the training of the plan's first cohort in a worker; return what was made, with the paths of its files.

    Writes them to `profiles` in the store, and no cell. Raises SuiteError when there is no cohort, or the worker could
    not do it.
    """
    if not plan.cohorts:
        raise SuiteError([Problem(plan.suite.name, "no cell is left to train, so there is nothing to profile")])
    surroundings = Surroundings(plan.store.root, data_root(), cache_root(), plan.suite.plugins)
    task = ProfileRun(plan.cohorts[0], surroundings, plan.store.root / "profiles", plan.suite.name)
    listener.said(task.name)
    _must_succeed([task], plan.devices[:1], listener)
    return task


def track(store: Store, record: SuiteRecord, uri: str | None, listener: Listener) -> str:
    """Send what is new in the store to MLflow; return what went wrong, or nothing."""
    from ganbench.tracking import Tracker, TrackingError, pending

    unsent = pending(store, record, uri)
    if not unsent:
        return ""
    listener.said(f"tracking {len(unsent)} cells in MLflow")
    try:
        return "\n".join(Tracker(store, record, uri).sync(unsent).failed)
    except TrackingError as error:
        return str(error)


@dataclass
class _Ear:
    """Hears the workers of a run: passes it on, and records what a dead worker cannot."""

    store: Store
    listener: Listener
    result: Result
    tracking: LiveTracking

    def hear(self, slot: int, task: local.Task, message: Message) -> None:
        if message.kind == "error":
            self.result.errors.append(f"{task.name}: {message.text}\n{message.detail}".rstrip())
        if message.kind == "died" and isinstance(task, CohortRun):
            self.result.errors.append(f"{task.name}: {message.text}")
            self._bury(task, message.text)
        if message.kind == "scored":
            self.tracking.finished([message.key])
        if message.kind in ("done", "error", "died") and isinstance(task, CohortRun):
            self.tracking.finished(cell.key for cell in task.cohort.cells)
        self.listener.heard(slot, task, message)

    def _bury(self, task: CohortRun, reason: str) -> None:
        made_by = {**(task.surroundings.provenance or {}), "finished": now()}
        for cell in task.cohort.cells:
            if self.store.status(cell.key) is None:
                self.store.write_training(cell.key, cell.as_json(), Status("failed", 0, reason, provenance=made_by))


def _prepare(plan: Plan, surroundings: Surroundings, listener: Listener) -> None:
    """Get data, extractors and the real side of the scores ready, before anything trains."""
    tasks: dict[str, Preparation] = {}
    for cohort in plan.cohorts:
        dataset, settings = cohort.cells[0].dataset, cohort.scoring.settings
        name = digest(
            {
                "dataset": dataset.as_json(),
                "fingerprint": cohort.cells[0].fingerprint,
                "scoring": cohort.scoring.key,
            }
        )
        tasks.setdefault(name, Preparation(dataset, settings, surroundings, dataset.label))
    if tasks:
        listener.preparing([task.name for task in tasks.values()])
        _must_succeed(list(tasks.values()), plan.devices, listener)


def _must_succeed(tasks: Sequence[local.Task], devices: Sequence[str], listener: Listener) -> None:
    problems: list[Problem] = []

    def hear(slot: int, task: local.Task, message: Message) -> None:
        if message.kind in ("error", "died"):
            problems.append(Problem(task.name, message.text))
        listener.heard(slot, task, message)

    local.run(tasks, devices, hear)
    if problems:
        raise SuiteError(problems)


def _outcomes(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in plan.entries:
        cell, scoring = entry.planned.cell, entry.planned.scoring
        if cell is None or scoring is None:
            found["skipped"] += 1
            continue
        status = plan.store.status(cell.key)
        scored = status is not None and (
            status.outcome == "failed" or not scoring.wanted or plan.store.scores(cell.key, scoring.key) is not None
        )
        found[status.outcome if status is not None and scored else "missing"] += 1
    return found
