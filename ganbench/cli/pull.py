"""`ganbench pull`: a store again from MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.console import StoreOption, errors_told, printable


def pull(
    tracking_uri: Annotated[
        str,
        typer.Argument(metavar="TRACKING_URI", help="An MLflow server, or its database file.", show_default=False),
    ],
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="Its name: that of a suite.", show_default=False)
    ],
    store: StoreOption = "runs",
) -> None:
    """Make a store again from what was tracked, or add to one what others have tracked; what it has stays.

    Parameters of generators are not tracked: a metric that is new to the pulled cells trains them again.
    """
    with errors_told():
        from ganbench.pulling import pull as fetch
        from ganbench.store import Store

        held = Store(Path(store))
        pulled = fetch(
            held, tracking_uri, experiment, lambda: typer.echo("another run is at work in this store: waiting")
        )
    for told in (*pulled.conflicts, *pulled.refused):
        typer.echo(printable(told), err=True)
    if pulled.underway:
        typer.echo(f"{pulled.underway} runs are still being sent; pull again for them")
    there = f"; {pulled.known} it had already" if pulled.known else ""
    typer.echo(f"{pulled.added} results of {experiment} are new in {held.root}{there}")
    if pulled.added:
        typer.echo(f"`ganbench report {held.root} --suite {experiment}` shows them")
    raise typer.Exit(1 if pulled.conflicts or pulled.refused else 0)
