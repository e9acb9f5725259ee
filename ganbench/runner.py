"""The main job: a suite becomes a plan, the plan's cohorts run, the store is tracked and reported."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ganbench.execution import fork_server
from ganbench.execution.engines import open_executor
from ganbench.execution.executor import Executor
from ganbench.execution.local import Local
from ganbench.execution.mail import end_others
from ganbench.execution.messages import Halt
from ganbench.execution.presence import LEFT_OVER, wait_for_absence
from ganbench.execution.profile import ProfileRun
from ganbench.execution.provenance import now, provenance
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.getting_ready import GettingReady
from ganbench.hearing import RUN_OVER, Ear
from ganbench.listener import Listener
from ganbench.live_tracking import LiveTracking
from ganbench.locks import alone
from ganbench.pacing import remember
from ganbench.paths import cache_root, data_root
from ganbench.planning import Plan, packed
from ganbench.preparing import must_succeed, prepare, sized
from ganbench.pulse import Pulse
from ganbench.records import SuiteRecord
from ganbench.store import Store, StoreError
from ganbench.suite.cohorts import look_up
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.record import suite_record
from ganbench.untracked import Untracked

STOPPING = "stopping: what is in training is being kept, to go on from there (Ctrl-C again stops at once)"
WAITING = "another run is at work in this store: waiting until it ends"


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


def execute(plan: Plan, listener: Listener, tracking_uri: str | None = None, report: Path | None = None) -> Result:
    """Run what is left of a plan, then track and report all of it (`report` None: no report).

    Where another run has the store it waits, and runs what is left then. SuiteError when data or extractors cannot be
    got ready, StoreError when nothing can be written: then nothing has been trained. A KeyboardInterrupt waits until
    what trains is kept; a second does not.
    """
    if plan.cohorts and plan.options.executor == "local":
        fork_server.start(any(cohort.scoring.settings.metrics for cohort in plan.cohorts))
    listener.planned(plan)
    record = suite_record(plan.suite, [entry.planned for entry in plan.entries], now())
    result = Result()
    if plan.cohorts:
        plan.store.check_writable()
        _train(plan, record, LiveTracking(plan.store, record, tracking_uri), listener, result)
    else:
        before = plan.store.suite(plan.suite.name)
        if before is not None:
            # Nothing runs: the times of the run that made these cells stay.
            record = replace(record, started=before.started, seconds=before.seconds)
        if record != before:
            plan.store.write_suite(record)
        result.untracked = track(plan.store, record, tracking_uri, listener)
    result.outcomes = _outcomes(plan)
    if report is not None:
        result.report = _reported(plan, report, result)
    return result


def _reported(plan: Plan, folder: Path, result: Result) -> Path | None:
    from ganbench.reporting import write_report

    try:
        return write_report(plan.store, plan.suite.name, folder)
    except OSError as error:
        result.errors.append(f"the report could not be written to {folder} ({error.strerror or error})")
        return None


def train(plan: Plan, listener: Listener) -> Result:
    """Run what is left of a plan, and no more: nothing lists its cells or sends them to MLflow.

    Raises as `execute` does.
    """
    result = Result()
    if plan.cohorts:
        if plan.options.executor == "local":
            fork_server.start(any(cohort.scoring.settings.metrics for cohort in plan.cohorts))
        plan.store.check_writable()
        _train(plan, None, Untracked(), listener, result)
    result.outcomes = _outcomes(plan)
    return result


def _train(
    plan: Plan, record: SuiteRecord | None, tracking: LiveTracking | Untracked, listener: Listener, result: Result
) -> None:
    """Run the cohorts, and track their cells as they are finished."""
    began = time.monotonic()
    try:
        with (
            alone(plan.store.root / "run", lambda: listener.said(WAITING)),
            open_executor(plan, listener.said) as executor,
            GettingReady(listener, plan.store, plan.suite.name, sum(plan.counts.values())) as ready,
        ):
            # Those of a run that was killed, on other machines and on this one.
            end_others(plan.store.root, lambda: listener.said(LEFT_OVER))
            wait_for_absence(plan.store.root, plan.options.patience, listener.said)
            # From here on nobody else writes, and what others have written since the plan was made is seen.
            plan = _looked_up_again(plan, executor.devices)
            roots = plan.store.root.absolute(), data_root().absolute(), cache_root().absolute()
            options = plan.options
            limits = options.checkpoint_every, options.max_cell_time
            surroundings = Surroundings(*roots, plan.suite.plugins, provenance(), *limits)
            until = math.inf if plan.options.max_time is None else began + plan.options.max_time
            plan, halted = _ready(plan, surroundings, executor, ready, until)
            if record is not None:
                plan.store.write_suite(record)
            tracking.begin()
            ready.over()
            pulse = Pulse(plan.store, plan.suite.name, plan.cohorts, plan.devices)
            ear = Ear(listener, tracking, pulse, result.errors, options.fail_fast, until)
            trains = time.monotonic()
            if halted:
                result.errors.append(halted)
            else:
                _run_cohorts(plan, surroundings, executor, ear)
            trained = time.monotonic()
            if record is not None:
                _write(plan.store, replace(record, seconds=time.monotonic() - began), result)
        if left := tracking.left():
            listener.said(f"tracking {left} cells in MLflow")
        result.untracked = tracking.close()
        remember(plan, 0.0 if record is None else time.monotonic() - trained + trains - began)
    except BaseException:
        tracking.abandon()
        raise


def _ready(
    plan: Plan, surroundings: Surroundings, executor: Executor, listener: Listener, until: float
) -> tuple[Plan, str]:
    """Get ready what cells need, and measure cohorts; return the plan with these, and why the run is over if it is."""

    def tick() -> None:
        if time.monotonic() > until:
            raise Halt(RUN_OVER)

    try:
        prepare(plan, surroundings, executor, listener, tick)
        return sized(plan, surroundings, executor, listener, tick), ""
    except Halt as halt:
        return plan, str(halt)


def _looked_up_again(plan: Plan, devices: Sequence[str]) -> Plan:
    """Look the plan's cells up once more, and pack what is left to do."""
    planned, options = [entry.planned for entry in plan.entries], plan.options
    entries = look_up(planned, plan.store, options.retry_failed, options.fresh)
    again = replace(plan, entries=tuple(entries), devices=tuple(devices))
    return replace(again, cohorts=packed(again))


def _run_cohorts(plan: Plan, surroundings: Surroundings, executor: Executor, ear: Ear) -> None:
    """Run the plan's cohorts to their end, or until the ear has the run halted."""
    if plan.options.fresh:
        plan.store.forget_checkpoints(cell.key for cohort in plan.cohorts for cell in cohort.cells)
    ear.listener.training(plan.cohorts, plan.devices)
    tasks = [CohortRun(cohort, surroundings) for cohort in plan.cohorts]
    try:
        executor.run(tasks, ear.hear, lambda: ear.listener.said(STOPPING), ear.tick)
    except Halt as halt:
        ear.errors.append(str(halt))
    finally:
        ear.pulse.end()


def _write(store: Store, record: SuiteRecord, result: Result) -> None:
    """Write how long a run took; what was finished is reported even where that is no longer possible."""
    try:
        store.write_suite(record)
    except StoreError as error:
        result.errors.append(str(error))


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
    must_succeed([task], Local(plan.devices[:1]), listener)
    return task


def track(store: Store, record: SuiteRecord, uri: str | None, listener: Listener) -> str:
    """Send what is new in the store to MLflow; return what went wrong, or nothing."""
    from ganbench.tracking import Tracker, TrackingError, pending

    if unsent := pending(store, record, uri):
        listener.said(f"tracking {len(unsent)} cells in MLflow")
    try:
        return "\n".join(Tracker(store, record, uri).sync().failed)
    except TrackingError as error:
        return str(error)


def _outcomes(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in plan.entries:
        cell, scoring = entry.planned.cell, entry.planned.scoring
        if cell is None or scoring is None:
            found["skipped"] += 1
            continue
        status = plan.store.status(cell.key)
        if entry.planned.pause is not None and plan.store.scored(cell.key, entry.planned.pause.key):
            found["paused"] += 1
            continue
        scored = status is not None and (
            status.outcome in ("failed", "timed_out")
            or entry.planned.pause is not None
            or not scoring.wanted
            or plan.store.scored(cell.key, scoring.key)
        )
        found[status.outcome if status is not None and scored else "missing"] += 1
    return found
