"""`ganbench list`: what can be named in a suite."""

from __future__ import annotations

from typing import Annotated

import typer

from ganbench.cli.console import PluginOption, errors_told

KINDS = ("objectives", "losses", "penalties", "techniques", "architectures", "datasets", "metrics", "extractors")


def list_plugins(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.", show_default=False)
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """List the plugins of one kind, or of all, with a line on each."""
    with errors_told():
        from rich.console import Console
        from rich.table import Table

        from ganbench.cli.registries import registries
        from ganbench.registry import UnknownName, unknown

        known = registries(plugin or ())
        if kind is not None and kind not in known:
            raise UnknownName(unknown("kind", kind, known))
        console = Console()
        for plural, registry in known.items():
            if kind not in (None, plural):
                continue
            table = Table("name", "parameters", "what it is", title=plural, title_justify="left", title_style="bold")
            for name in registry.names():
                parameters = registry.parameters(name).values()
                shown = ", ".join(p.name if p.required else f"{p.name}={p.default}" for p in parameters)
                table.add_row(name, shown, registry.doc(name).splitlines()[0])
            console.print(table)
        if kind in (None, "objectives"):
            console.print("Every loss is an objective too, without a penalty. `ganbench show NAME` has the equations.")
