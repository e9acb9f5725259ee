"""`ganbench show`: formula, source and parameters of one plugin."""

from __future__ import annotations

from typing import Annotated

import typer

from ganbench.cli.console import PluginOption, errors_told


def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A plugin's name, such as wgan_gp or ring8.", show_default=False)
    ],
    plugin: PluginOption = None,
) -> None:
    """Show a plugin's equations, where they come from, and its parameters with their defaults."""
    with errors_told():
        from rich.console import Console
        from rich.table import Table

        from ganbench.cli.registries import registries
        from ganbench.registry import UnknownName, unknown

        known = registries(plugin or ())
        found = [registry for registry in known.values() if name in registry.names()]
        if not found:
            raise UnknownName(unknown("plugin", name, {n for registry in known.values() for n in registry.names()}))
        console = Console()
        for registry in found:
            version = registry.version(name)
            console.print(f"{name} ({registry.kind}, version {version})", style="bold", highlight=False, markup=False)
            console.print(registry.doc(name), highlight=False, markup=False)
            table = Table("parameter", "type", "default")
            for parameter in registry.parameters(name).values():
                default = "required" if parameter.required else str(parameter.default)
                table.add_row(parameter.name, parameter.type_name, default)
            console.print(table if table.row_count else "It has no parameters.")
