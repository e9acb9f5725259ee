"""Where the command line prints, and how it tells errors."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.execution.executor import ExecutorName

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDEST = 400  # letters of a table

SuiteArgument = Annotated[str, typer.Argument(metavar="SUITE", help="The suite: a YAML file.", show_default=False)]
StoreOption = Annotated[
    str, typer.Option("--store", envvar="GANBENCH_STORE", help="The folder with every cell's results.")
]
OnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="AXIS=A,B",
        help="Keep these cells only; AXIS is objective, dataset, architecture, seed or a training setting. Repeatable.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace a setting for all cells, such as train.g_steps=200. Repeatable.",
        show_default=False,
    ),
]
SeedsOption = Annotated[
    int | None,
    typer.Option("--seeds", min=1, help="Use this many seeds instead of the suite's.", show_default=False),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, mps, cuda (all GPUs) or cuda:N.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Worker processes.  \\[default: one per GPU, or per core]", show_default=False
    ),
]
CohortOption = Annotated[
    str | None,
    typer.Option(
        "--cohort",
        metavar="auto|N",
        help="The most cells that train together; auto measures what is fastest. No score depends on it.  "
        "\\[default: the suite's, else auto]",
        show_default=False,
    ),
]
SlotsOption = Annotated[
    int | None,
    typer.Option(
        "--slots-per-device",
        min=1,
        help="Cohorts at a time on each device, which share its memory.  \\[default: 1 per GPU, 1 per core of a CPU]",
        show_default=False,
    ),
]
ExecutorOption = Annotated[
    ExecutorName,
    typer.Option(
        "--executor",
        help="Where cohorts run: on this machine, on a Ray cluster (pip install 'ganbench\\[ray]') or as Slurm jobs "
        "(pip install 'ganbench\\[slurm]'). All machines must see the store, GANBENCH_DATA, GANBENCH_CACHE and the "
        "suite's plugin files at the same paths.",
    ),
]
PluginOption = Annotated[
    list[str] | None, typer.Option("--plugin", help="A local plugin file to include. Repeatable.", show_default=False)
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The folder of datasets.  \\[default: GANBENCH_DATA, or data in the cache]",
        show_default=False,
    ),
]
TrackingOption = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        envvar="MLFLOW_TRACKING_URI",
        help="An MLflow server.  \\[default: a database in the store]",
        show_default=False,
    ),
]


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell what went wrong on standard error and end with the code for it: 2, bad input."""
    from ganbench.registry import UnknownName
    from ganbench.store import StoreError
    from ganbench.suite.errors import SuiteError

    try:
        yield
    except (SuiteError, StoreError, UnknownName) as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.secho(f"{error.filename or 'file system'}: {error.strerror or error}", err=True)
        raise typer.Exit(2) from None


def seconds_of(text: str) -> float:
    """Read a duration such as 90, 45s, 30m, 2h or 1d12h as seconds."""
    found = re.fullmatch(r"(?:([\d.]+)d)?(?:([\d.]+)h)?(?:([\d.]+)m)?(?:([\d.]+)s?)?", text.strip())
    try:
        parts = [float(part or 0) for part in found.groups()] if found else []
    except ValueError:
        parts = []
    seconds = sum(number * unit for number, unit in zip(parts, (86400, 3600, 60, 1), strict=False))
    if seconds <= 0:
        raise typer.BadParameter(f"{text!r} is no duration; write seconds or such as 45s, 30m, 2h or 1d12h")
    return seconds


def print_table(console: Console, table: Table) -> None:
    """Print a table: within the terminal, or as wide as it needs in a file, which has no edge to fold at."""
    if not console.is_terminal:
        wide = console.options.update(max_width=WIDEST)
        console.width = max(console.width, console.measure(table, options=wide).maximum)
    console.print(table)


def printable(text: str) -> str:
    """Return text from elsewhere without what would steer a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def human_seconds(seconds: float) -> str:
    """Say a duration the way a person does."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
