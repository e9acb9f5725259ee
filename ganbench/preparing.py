"""What is done before anything trains: data, extractors and the real side of the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ganbench.execution.executor import Executor
from ganbench.execution.local import Local
from ganbench.execution.messages import Message, Task
from ganbench.execution.sizing import Effort, SizingRun, from_text
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import Preparation
from ganbench.listener import Listener
from ganbench.planning import Plan, packed
from ganbench.suite.cells import Scoring, digest
from ganbench.suite.chosen_sizes import chosen_sizes, named_groups
from ganbench.suite.cohorts import Cohort, size_key, whole
from ganbench.suite.errors import Problem, SuiteError
from ganbench.suite.sizing import LARGEST, Cache, Rates, mean, worth_measuring

# In units of `Cohort.work`: 80,000 steps of small networks on points, a minute or two of a core. In a few percent of
# less than that only sizes far below the default could be timed.
LEAST_WORK = 80_000 * 2 * 64 * 2**0.5


def _nothing() -> None: ...


def prepare(
    plan: Plan,
    surroundings: Surroundings,
    executor: Executor,
    listener: Listener,
    tick: Callable[[], None] = _nothing,
) -> None:
    """Get data, extractors and the real side of the scores ready, before anything trains.

    `tick` is called about once a second, and may raise Halt.
    """
    tasks: dict[str, Preparation] = {}
    for cohort in plan.cohorts:
        dataset, settings = cohort.cells[0].dataset, cohort.scoring.settings
        name = digest(
            {
                "dataset": dataset.as_json(),
                "fingerprint": cohort.cells[0].fingerprint,
                "scoring": Scoring(settings, ()).key,  # at whichever steps
            }
        )
        tasks.setdefault(name, Preparation(dataset, settings, surroundings, dataset.label))
    if tasks:
        listener.preparing([task.name for task in tasks.values()])
        must_succeed(list(tasks.values()), executor, listener, tick)


def must_succeed(
    tasks: Sequence[Task], executor: Executor, listener: Listener, tick: Callable[[], None] = _nothing
) -> None:
    """Run tasks without which nothing can go on; SuiteError with what was wrong."""
    problems: list[Problem] = []

    def hear(slot: int, task: Task, message: Message) -> None:
        if message.kind in ("error", "died", "hung"):
            problems.append(Problem(task.name, message.text))
        listener.heard(slot, task, message)

    executor.run(tasks, hear, tick=tick)
    if problems:
        raise SuiteError(problems)


def sized(
    plan: Plan,
    surroundings: Surroundings,
    executor: Executor,
    listener: Listener,
    tick: Callable[[], None] = _nothing,
) -> Plan:
    """Measure how many cells of each group train fastest together, where that is worth it and not known.

    Returns the plan with cohorts of those sizes. Whatever goes wrong here costs no cell: those who cannot be measured
    train in cohorts of the default size. `tick` is called about once a second, and may raise Halt.
    """
    # What other machines are is not known here.
    tasks = _to_be_measured(plan, surroundings) if plan.cohort == "auto" and isinstance(executor, Local) else []
    if not tasks:
        return plan
    kinds = len({task.key for task in tasks})
    listener.said(f"measuring how many cells train fastest together ({kinds} kind{'s' if kinds > 1 else ''} of cells)")
    told: dict[int, Rates] = {}
    failed: dict[str, str] = {}

    def hear(slot: int, task: Task, message: Message) -> None:  # noqa: ARG001 - what it does is told by its name
        assert isinstance(task, SizingRun)
        if message.kind in ("progress", "done"):
            told[id(task)] = from_text(message.text)
        if message.kind in ("error", "died", "hung"):
            failed.setdefault(task.group, message.text)
        if message.kind == "died" and id(task) in told:
            # The system ends a process that takes too much memory: larger cohorts are not to be tried again.
            told[id(task)] = replace(told[id(task)], settled=True)

    executor.run(tasks, hear, tick=tick)
    for group, why in failed.items():
        listener.said(f"{group}: not all sizes of cohorts could be measured: {why}")
    groups = {task.key: task.group for task in tasks}
    found = {key: mean([told[id(task)] for task in tasks if task.key == key and id(task) in told]) for key in groups}
    new = {key: rates for key, rates in found.items() if _says_more(rates, plan.rates.read(key))}
    _keep(plan.rates, new, groups, listener)

    def known(shape: str) -> Rates | None:
        return new.get(shape) or plan.rates.read(shape)

    for choice in chosen_sizes(plan.entries, known, groups):
        listener.said(choice)
    return replace(plan, cohorts=packed(plan, known))


def _says_more(rates: Rates, before: Rates | None) -> bool:
    return bool(rates.by_size) and (rates.settled or rates.largest > (before or Rates()).largest)


def _keep(cache: Cache, found: Mapping[str, Rates], groups: Mapping[str, str], listener: Listener) -> None:
    try:
        for key, rates in found.items():
            cache.write(key, rates, groups[key])
    except OSError as error:
        why = f"{cache.folder} cannot be written ({error.strerror or error})"
        listener.said(f"the next run will measure this again: {why}; GANBENCH_CACHE names another folder")


def _to_be_measured(plan: Plan, surroundings: Surroundings) -> list[SizingRun]:
    """Return tasks that keep all slots busy: what is measured is to hold while the others are at work."""
    wanted: dict[str, tuple[str, Cohort, Rates]] = {}
    for name, group in named_groups(plan.entries):
        all_of_it = whole(group)
        if all_of_it.trains and len(group) > 1 and all_of_it.work >= LEAST_WORK:
            key = size_key(group[0])
            if key not in wanted or all_of_it.work > wanted[key][1].work:
                wanted[key] = name, all_of_it, plan.rates.read(key) or Rates()
    slots = len(plan.devices)
    at_once = max(1, slots // max(len(wanted), 1))
    tasks = []
    for key, (name, cohort, known) in wanted.items():
        steps = cohort.steps * len(cohort.cells)
        if worth_measuring(known, len(cohort.cells), steps, at_once):
            cells = cohort.cells[:LARGEST]
            tasks.append(SizingRun(key, name, cells, Effort(steps, at_once, plan.rates.slots), surroundings))
    return [replace(task) for task in tasks for _ in range(at_once)]
