"""`ganbench report`: the report of a store, again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.console import errors_told


def report(
    store: Annotated[
        str, typer.Argument(metavar="STORE", envvar="GANBENCH_STORE", help="The folder with the results.")
    ] = "runs",
    out: Annotated[
        str | None,
        typer.Option("-o", "--out", help="Where it goes.  \\[default: reports/SUITE]", show_default=False),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Which suite's run.  \\[default: the latest]", show_default=False),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write every figure as PDF too.")] = False,
) -> None:
    """Write the report from a store alone; nothing is trained.

    It is a folder: index.html, report.md, cells.csv, summary.json, figures as
    SVG with their numbers as CSV, and tables as LaTeX.
    """
    with errors_told():
        from ganbench.cli.stores import suite_of
        from ganbench.reporting import write_report
        from ganbench.store import Store

        held = Store(Path(store))
        name = suite_of(held, suite)
        others = [other for other in held.suites() if other != name]
        written = write_report(held, name, Path(out or Path("reports") / name), pdf)
        typer.echo(f"report: {written}")
        if others and suite is None:
            typer.echo(f"(suite {name}, the latest; --suite shows {', '.join(others)})")
