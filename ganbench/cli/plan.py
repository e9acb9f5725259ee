"""`ganbench plan`: what a suite would run, from what the store has; writes nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.cli.console import (
    CohortOption,
    DeviceOption,
    ExecutorOption,
    OnlyOption,
    SeedsOption,
    SetOption,
    SlotsOption,
    StoreOption,
    SuiteArgument,
    WorkersOption,
    errors_told,
    human_seconds,
)
from ganbench.cli.run import RetryOption, SlurmOption

if TYPE_CHECKING:
    from ganbench.planning import Plan
    from ganbench.suite.cohorts import State


def plan(
    suite: SuiteArgument,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    settings: SetOption = None,
    store: StoreOption = "runs",
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    slots_per_device: SlotsOption = None,
    executor: ExecutorOption = "local",
    cohort: CohortOption = None,
    slurm: SlurmOption = None,
    retry_failed: RetryOption = False,
) -> None:
    """Show the cells of a suite, which of them are done, and what is missing. Writes nothing."""
    with errors_told():
        from ganbench.planning import Options, make_plan

        chosen = tuple(only or ()), tuple(settings or ())
        options = Options(
            Path(store),
            *chosen,
            seeds,
            device,
            workers,
            slots_per_device=slots_per_device,
            executor=executor,
            cohort=cohort,
            slurm=tuple(slurm or ()),
            retry_failed=retry_failed,
        )
        show_plan(make_plan(Path(suite), options))


def show_plan(made: Plan) -> None:
    """Print a plan: a line per objective, a column per dataset, then what is left to do."""
    from rich.console import Console

    console = Console(soft_wrap=False)
    console.print(_table(made))
    for line in _left_to_do(made):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(made: Plan) -> object:
    from rich.table import Table

    table = Table(
        title=f"{made.suite.name}: {len(made.entries)} cells", title_justify="left", caption=made.suite.description
    )
    states: dict[str, dict[str, Counter[State]]] = {}
    for entry in made.entries:
        by_dataset = states.setdefault(entry.planned.objective.label, {})
        by_dataset.setdefault(entry.planned.dataset.label, Counter())[entry.state] += 1
    datasets = dict.fromkeys(label for by_dataset in states.values() for label in by_dataset)
    table.add_column("objective")
    for label in datasets:
        table.add_column(label, justify="right")
    for objective, by_dataset in states.items():
        table.add_row(objective, *(_done(by_dataset.get(label)) for label in datasets))
    return table


def _done(states: Counter[State] | None) -> str:
    if not states:
        return "-"
    kept = states.total() - states["skipped"]
    return f"{states['done']}/{kept} done" if kept else "skipped"


def _left_to_do(made: Plan) -> list[str]:
    counts = made.counts
    lines = [f"{counts[state]} {state}" for state in ("to train", "to score", "done", "skipped") if counts[state]]
    said = [", ".join(lines)]
    if begun := sum(entry.step > 0 for entry in made.entries):
        said.append(f"{begun} of those to train go on where they were interrupted")
    reasons = dict.fromkeys(
        (e.planned.architecture.label, e.planned.dataset.label, e.planned.skipped)
        for e in made.entries
        if e.planned.skipped
    )
    said += [f"skipped: {architecture} on {dataset}: {why}" for architecture, dataset, why in reasons]
    failed = [entry for entry in made.entries if entry.status and entry.status.outcome in ("failed", "timed_out")]
    if again := sum(entry.state == "to train" for entry in failed):
        said.append(f"{again} of those to train failed or timed out earlier")
    failed = [entry for entry in failed if entry.state == "done" and entry.status and entry.status.outcome == "failed"]
    if failed:
        said.append(f"{len(failed)} cells failed earlier and are kept as they are; --retry-failed runs them again")
    said += [f"note: {note}" for note in made.notes]
    if made.cohorts and not made.devices:
        said.append(f"slots are known when the run starts on {made.options.executor.capitalize()}")
    elif made.cohorts:
        devices = ", ".join(dict.fromkeys(made.devices))
        workers = f"{len(made.devices)} workers ({devices})"
        said.append(f"{len(made.cohorts)} cohorts on {workers}; expected time: {_expected(made)}")
    return said


def _expected(made: Plan) -> str:
    from ganbench.suite.expected import expected_seconds

    expected = expected_seconds(made.cohorts, len(made.devices), made.paces.read().around)
    if expected is None:
        return "not measured yet"
    seconds, _ = expected
    known = [cohort for cohort in made.cohorts if cohort.seconds is not None]
    about = f"about {human_seconds(seconds)}"
    if len(known) < len(made.cohorts):
        about += f" for {len(known)} of them (nothing like the others has run)"
    return about if all(cohort.timed for cohort in known) else f"{about}, and their scores (none like them were timed)"
