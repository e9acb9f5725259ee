"""`ganbench run`: the main job."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.checkpoints import EVERY
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
    TrackingOption,
    WorkersOption,
    errors_told,
    human_seconds,
    seconds_of,
)
from ganbench.cli.interrupts import interrupts_told
from ganbench.execution.messages import PATIENCE

if TYPE_CHECKING:
    from ganbench.planning import Plan
    from ganbench.runner import Result

MaxTimeOption = Annotated[
    float | None,
    typer.Option(
        "--max-time",
        parser=seconds_of,
        metavar="TIME",
        help="Stop the whole run after this time, such as 90s, 30m or 2h; what is in training is kept, "
        "and the next run goes on with it.",
        show_default=False,
    ),
]
MaxCellTimeOption = Annotated[
    float | None,
    typer.Option(
        "--max-cell-time",
        parser=seconds_of,
        metavar="TIME",
        help="The longest that a cell may train, as its share of its cohort's time; then it has timed out, and goes on "
        "from there with --retry-failed and more time.",
        show_default=False,
    ),
]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--patience",
        min=1,
        metavar="SECONDS",
        help="A worker that says nothing for so long is killed, and its cells are tried once more.",
    ),
]
CheckpointOption = Annotated[
    float,
    typer.Option(
        "--checkpoint-every",
        min=0,
        metavar="SECONDS",
        help="How often what is in training is kept, to go on from there after a crash.",
    ),
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        envvar="RAY_ADDRESS",
        metavar="HOST:PORT",
        help="The Ray cluster for --executor ray; auto finds one that runs here.  "
        "\\[default: one that is started on this machine for the run]",
        show_default=False,
    ),
]
SlurmOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="NAME=VALUE",
        help="What a job of --executor slurm asks for, such as partition=gpu, time=2h or gpus=1; the suite's `slurm` "
        "section says the rest. Repeatable.",
        show_default=False,
    ),
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Run failed cells again.")]
TOP = 12  # lines of each part of a profile


def run(
    suite: SuiteArgument,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    settings: SetOption = None,
    store: StoreOption = "runs",
    report: Annotated[
        str | None,
        typer.Option("--report", help="Where the report goes.  \\[default: reports/SUITE]", show_default=False),
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
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard this suite's results first (asks before).")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    retry_failed: RetryOption = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first cell that fails.")] = False,
    max_time: MaxTimeOption = None,
    max_cell_time: MaxCellTimeOption = None,
    patience: PatienceOption = PATIENCE,
    checkpoint_every: CheckpointOption = EVERY,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile",
            help="Train the largest cohort for 30 steps, the last 20 under torch's profiler, show where a step's time "
            "goes, and stop. A Chrome trace and a table are left in STORE/profiles; no cell is stored.",
        ),
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan and stop, like `ganbench plan`.")] = False,
) -> None:
    """Train and score every cell that the store does not have, track them in MLflow, and write the report."""
    with (
        contextlib.nullcontext()
        if plan or (executor != "local" and not profile)
        else workers_warming_up(Path(suite), settings or (), not profile),
        interrupts_told(),
        errors_told(),
    ):
        from ganbench.planning import Options, make_plan

        options = Options(
            store=Path(store),
            only=tuple(only or ()),
            settings=tuple(settings or ()),
            seeds=seeds,
            device=device,
            workers=workers,
            fresh=fresh or profile,
            retry_failed=retry_failed,
            checkpoint_every=checkpoint_every,
            slots_per_device=slots_per_device,
            fail_fast=fail_fast,
            max_time=max_time,
            max_cell_time=max_cell_time,
            patience=patience,
            executor="local" if profile else executor,
            ray_address=ray_address,
            cohort=cohort,
            slurm=() if profile else tuple(slurm or ()),
        )
        made = make_plan(Path(suite), options)
        if plan:
            from ganbench.cli.plan import show_plan

            show_plan(made)
            return
        if profile:
            _profile(made)
            return
        if fresh and not yes:
            _ask_before_discarding(made)
        target = None if no_report else Path(report or Path("reports") / made.suite.name)
        result = _execute(made, tracking_uri, target)
    _tell(result)
    raise typer.Exit(1 if result.failed else 0)


@contextlib.contextmanager
def workers_warming_up(suite: Path, settings: Sequence[str], may_score: bool) -> Iterator[None]:
    """Have the fork server import what workers need while the suite is read and MLflow is opened."""
    from ganbench.execution import fork_server

    if suite.is_file():
        fork_server.start(may_score and _scores_wanted(suite, settings))
    try:
        yield
    finally:
        fork_server.stop()


def _scores_wanted(suite: Path, settings: Sequence[str]) -> bool:
    """Say whether the suite scores cells, as far as one sees before it is checked: this decides what is imported."""
    for setting in settings:
        key, _, value = setting.partition("=")
        if key.strip() == "evaluate.metrics":
            return value.strip() != "[]"
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        raw = YAML(typ="safe", pure=True).load(suite)
        return bool(raw["evaluate"]["metrics"] != [])
    except (YAMLError, OSError, ValueError, LookupError, TypeError):
        # What is wrong with it is told by those who check it; a suite that does not say is scored.
        return True


def _profile(made: Plan) -> None:
    from ganbench.cli.progress import Display
    from ganbench.runner import profile

    done = profile(made, Display())
    for section in done.table.read_text().split("\n\n"):
        typer.echo("\n".join(section.splitlines()[:TOP]) + "\n")
    typer.echo(f"whole table: {done.table}\ntrace, for chrome://tracing or ui.perfetto.dev: {done.trace}")


def _ask_before_discarding(made: Plan) -> None:
    trained = [entry for entry in made.entries if entry.status is not None]
    seconds = sum(entry.status.train_seconds for entry in trained if entry.status)
    if not trained:
        return
    if not sys.stdin.isatty():
        typer.echo("--fresh would ask before it discards, and there is no terminal to ask on; --yes agrees", err=True)
        raise typer.Exit(2)
    question = f"Discard {len(trained)} trained cells ({human_seconds(seconds)} of training) in {made.store.root}?"
    if not typer.confirm(question, default=False):
        typer.echo("Nothing was discarded.")
        raise typer.Exit(2)


def _execute(made: Plan, tracking_uri: str | None, target: Path | None) -> Result:
    from ganbench.cli.progress import Display
    from ganbench.runner import execute

    display = Display()
    try:
        return execute(made, display, tracking_uri, target)
    except KeyboardInterrupt:
        display.close()
        keys = {entry.planned.cell.key for entry in made.entries if entry.planned.cell is not None}
        done = sum(made.store.status(key) is not None for key in keys)
        typer.echo(
            f"\nInterrupted. {done} of {len(keys)} cells are saved in {made.store.root}; "
            "the same command goes on from there.",
            err=True,
        )
        raise
    finally:
        display.close()


def _tell(result: Result) -> None:
    counted = [f"{number} {outcome}" for outcome, number in sorted(result.outcomes.items()) if number]
    typer.echo(f"cells: {', '.join(counted)}")
    for error in result.errors:
        typer.echo(error.rstrip(), err=True)
    if result.untracked:
        typer.echo(result.untracked, err=True)
    if result.report is not None:
        typer.echo(f"report: {result.report}")
