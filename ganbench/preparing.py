"""What is done before anything trains: data, extractors and the real side of the scores."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.execution.executor import Executor
from ganbench.execution.messages import Message, Task
from ganbench.execution.tasks import Preparation, Surroundings
from ganbench.listener import Listener
from ganbench.planning import Plan
from ganbench.suite.cells import digest
from ganbench.suite.errors import Problem, SuiteError


def prepare(plan: Plan, surroundings: Surroundings, executor: Executor, listener: Listener) -> None:
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
        must_succeed(list(tasks.values()), executor, listener)


def must_succeed(tasks: Sequence[Task], executor: Executor, listener: Listener) -> None:
    """Run tasks without which nothing can go on; SuiteError with what was wrong."""
    problems: list[Problem] = []

    def hear(slot: int, task: Task, message: Message) -> None:
        if message.kind in ("error", "died"):
            problems.append(Problem(task.name, message.text))
        listener.heard(slot, task, message)

    executor.run(tasks, hear)
    if problems:
        raise SuiteError(problems)
