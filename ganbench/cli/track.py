"""`ganbench track`: send a store to MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.console import TrackingOption, errors_told


def track(
    store: Annotated[
        str, typer.Argument(metavar="STORE", envvar="GANBENCH_STORE", help="The folder with the results.")
    ] = "runs",
    tracking_uri: TrackingOption = None,
    suite: Annotated[
        str | None, typer.Option("--suite", help="One suite only.  \\[default: all]", show_default=False)
    ] = None,
) -> None:
    """Send what MLflow does not have yet: what a server that was down has missed, or a whole store. Safe to repeat."""
    with errors_told():
        from ganbench.cli.progress import Display
        from ganbench.cli.stores import suite_of
        from ganbench.runner import track as send
        from ganbench.store import Store
        from ganbench.studies import tuned_suites
        from ganbench.study_tracking import StudyTracking

        held = Store(Path(store))
        names = [suite_of(held, suite)] if suite else [suite_of(held, None), *held.suites()[1:]]
        wrong = []
        for name in names:
            record = held.suite(name)
            assert record is not None
            wrong += [told] if (told := send(held, record, tracking_uri, Display())) else []
        for tuned in names if suite else tuned_suites(held):
            wrong += [told] if (told := StudyTracking(held, tuned, tracking_uri).close()) else []
        for told in wrong:
            typer.echo(told, err=True)
        if not wrong:
            typer.echo(f"MLflow has all cells of {', '.join(names)}")
    raise typer.Exit(1 if wrong else 0)
