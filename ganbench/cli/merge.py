"""`ganbench merge`: one store from several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.console import errors_told


def merge(
    stores: Annotated[list[str], typer.Argument(metavar="STORE...", help="The folders to join.", show_default=False)],
    into: Annotated[
        str,
        typer.Option(
            "-o", "--into", metavar="DIR", help="Where all goes: one of them, or another folder.", show_default=False
        ),
    ],
) -> None:
    """Join what several machines trained; where two have other numbers for one cell, say so and keep the first.

    What DIR has comes first and stays; the stores follow in their order. Safe to repeat, also when it was
    interrupted. Exit code 1 where numbers differ.
    """
    with errors_told():
        from ganbench.merging import merge as join
        from ganbench.store import Store

        target = Store(Path(into))
        found = [Store(Path(store)) for store in stores]
        merged = join(found, target, lambda: typer.echo("another run is at work in this store: waiting"))
    for note in merged.notes:
        typer.echo(f"note: {note}")
    for conflict in merged.conflicts:
        typer.echo(conflict, err=True)
    for name, added in merged.added.items():
        typer.echo(f"{name}: {added} cells are new, or have new scores, in {target.root}")
    raise typer.Exit(1 if merged.conflicts else 0)
