"""`ganbench tune`: the best settings of every objective, each searched for with the same budget."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.checkpoints import EVERY
from ganbench.cli.console import (
    CohortOption,
    DeviceOption,
    ExecutorOption,
    OnlyOption,
    SetOption,
    SlotsOption,
    StoreOption,
    SuiteArgument,
    TrackingOption,
    WorkersOption,
    errors_told,
    print_table,
)
from ganbench.cli.interrupts import interrupts_told
from ganbench.cli.run import CheckpointOption, MaxCellTimeOption, RayAddressOption, SlurmOption, workers_warming_up
from ganbench.tuning import SamplerName

if TYPE_CHECKING:
    from ganbench.planning import Plan
    from ganbench.runner import Result
    from ganbench.tuning.tuner import Tuned, TunePlan


def tune(
    suite: SuiteArgument,
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            help="Trials of each objective on each dataset, instead of the suite's.",
            show_default=False,
        ),
    ] = None,
    sampler: Annotated[
        SamplerName | None,
        typer.Option("--sampler", help="What proposes settings, instead of the suite's.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="The sampler's seed, instead of the suite's.", show_default=False),
    ] = None,
    write: Annotated[
        str | None,
        typer.Option(
            "--write",
            metavar="FILE",
            help="Write a suite of the tuned settings that anyone can run: a new file, or one that this wrote before.",
            show_default=False,
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="URL",
            help="A database that several machines share, such as postgresql+psycopg2://USER@HOST/DB.  "
            "\\[default: STORE/studies/SUITE.journal]",
            show_default=False,
        ),
    ] = None,
    only: OnlyOption = None,
    settings: SetOption = None,
    store: StoreOption = "runs",
    report: Annotated[
        str | None,
        typer.Option("--report", help="Where the report goes.  \\[default: reports/SUITE-tune]", show_default=False),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
    slots_per_device: SlotsOption = None,
    executor: ExecutorOption = "local",
    ray_address: RayAddressOption = None,
    cohort: CohortOption = None,
    slurm: SlurmOption = None,
    tracking_uri: TrackingOption = None,
    max_cell_time: MaxCellTimeOption = None,
    checkpoint_every: CheckpointOption = EVERY,
) -> None:
    """Find the best settings of every objective on every dataset, each with the same number of trials.

    The suite's [bold]tune[/bold] section says what is searched, for example:

    tune: {trials: 32, space: {g_lr: {log: [1e-4, 1e-2]}}}

    Trials are trained in batches, as ordinary cells of the store. One that
    loses a seed (it diverged, failed or timed out) is infeasible. Then the
    best few and the suite's own settings are compared on fresh seeds, and the
    winner is measured on others again, beside the suite's own and those that
    the objective's source recommends: only these numbers are shown. Of several values
    ([bold]objective: \\[fid_final, modes_final, cost][/bold]) there is no one best: some
    settings along the Pareto front are measured instead.

    Trials that are worth little can be ended early:

    prune: {by: halving, reduction: 3, first: 500}

    in that section compares all trials after 500 G steps, has the best third
    go on to 1500, and so on (hyperband shares trials out among several first
    steps); the values of those that go on are what they would have been
    without it, and one that starts slowly is lost where the first comparison
    comes too soon. {by: wilcoxon, p: 0.1} spares a trial the rest of its seeds
    where the best one was better on the first of them.

    The same command goes on after an interruption. Several may work on one
    study: in one store, where they take turns at training, or by --storage
    from several machines, each with a store of its own, at the same time.
    optuna-dashboard opens the journal or the database.
    """
    with (
        contextlib.nullcontext() if executor != "local" else workers_warming_up(Path(suite), settings or (), True),
        interrupts_told(),
        errors_told(),
    ):
        from ganbench.planning import Options
        from ganbench.tuning.targets import check_targets
        from ganbench.tuning.tuner import make_tune_plan

        options = Options(
            store=Path(store),
            only=tuple(only or ()),
            settings=tuple(settings or ()),
            device=device,
            workers=workers,
            checkpoint_every=checkpoint_every,
            slots_per_device=slots_per_device,
            max_cell_time=max_cell_time,
            executor=executor,
            ray_address=ray_address,
            cohort=cohort,
            slurm=tuple(slurm or ()),
        )
        made = make_tune_plan(Path(suite), options, storage, trials, sampler, seed)
        target = None if no_report else Path(report or Path("reports") / f"{made.plan.suite.name}-tune")
        check_targets(Path(suite), None if write is None else Path(write), target)
        done = _tuned(made, tracking_uri)
        _show(done)
        if target is not None:
            _report(made, target)
        if write is not None:
            _write(made, done, Path(write))
    for told in (*done.result.errors, done.result.untracked):
        if told:
            typer.echo(told.rstrip(), err=True)
    raise typer.Exit(1 if done.result.failed else 0)


def _tuned(made: TunePlan, tracking_uri: str | None) -> Tuned:
    from ganbench.cli.progress import Display
    from ganbench.runner import execute, train
    from ganbench.study_tracking import StudyTracking
    from ganbench.tuning.search import Incomplete
    from ganbench.tuning.tuner import tune

    def trained(plan: Plan) -> Result:
        # No report lists the cells of trials.
        with contextlib.closing(Display(f"its status.json in {plan.store.root}/cells has the traceback")) as display:
            return train(plan, display)

    def finished(plan: Plan) -> Result:
        with contextlib.closing(Display()) as display:
            return execute(plan, display, tracking_uri)

    speaker = Display()
    for note in made.plan.notes:
        speaker.said(f"note: {note}")
    try:
        studies = StudyTracking(made.plan.store, f"{made.plan.suite.name}-tune", tracking_uri)
        return tune(made, trained, finished, speaker.said, studies)
    except Incomplete as error:
        for told in error.errors:
            typer.echo(told.rstrip(), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(
            f"\nInterrupted. What is finished is saved in {made.plan.store.root}; the same command goes on from there.",
            err=True,
        )
        raise


def _show(done: Tuned) -> None:
    from rich.console import Console
    from rich.table import Table

    from ganbench.tuning.telling import found_told, headings, rows_told, several_networks

    table = Table(title="On fresh seeds, by which nothing was chosen", title_justify="left")
    for heading in headings(done.findings):
        named = heading in ("objective", "dataset", "network", "settings")
        table.add_column(heading, justify="left" if named else "right", overflow="fold")
    networks = several_networks(done.findings)
    for row in (row for finding in done.findings for row in rows_told(finding, networks)):
        table.add_row(*row)
    console = Console(soft_wrap=False)
    print_table(console, table)
    for finding in done.findings:
        console.print(found_told(finding), highlight=False, markup=False, soft_wrap=True)


def _report(made: TunePlan, target: Path) -> None:
    from ganbench.reporting import write_report

    page = write_report(made.plan.store, f"{made.plan.suite.name}-tune", target)
    typer.echo(f"report: {page}")


def _write(made: TunePlan, done: Tuned, path: Path) -> None:
    from ganbench.tuning.writing import write_tuned_suite

    write_tuned_suite(path, made.plan.suite, done.findings, done.rows)
    typer.echo(f"tuned suite: {path}")
