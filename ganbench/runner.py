"""The main job: a suite becomes a plan, the plan's cohorts run, the store is tracked and reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from ganbench.execution import fork_server, local
from ganbench.execution.profile import ProfileRun
from ganbench.execution.provenance import now, provenance
from ganbench.execution.tasks import CohortRun, Message, Surroundings
from ganbench.listener import Listener
from ganbench.live_tracking import LiveTracking
from ganbench.locks import alone
from ganbench.paths import cache_root, data_root
from ganbench.planning import Plan
from ganbench.preparing import must_succeed, prepare
from ganbench.store import Status, Store, SuiteRecord
from ganbench.suite.cohorts import Cohort, look_up, pack
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.record import suite_record

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
        prepare(plan, surroundings, listener)
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
    must_succeed([task], plan.devices[:1], listener)
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
