"""`ganbench show`: formula, source and parameters of one plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import PluginOption, errors_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from ganbench.registry import Registry


def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A plugin's name, such as wgan_gp or ring8.", show_default=False)
    ],
    plugin: PluginOption = None,
) -> None:
    """Show a plugin's equations, where they come from, and its parameters with their defaults."""
    with errors_told():
        from rich.console import Console

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
            if registry.kind in ("objective", "loss"):
                console.print(_grid(_about(registry, name)), highlight=False)
            table = _parameters(registry, name)
            console.print(table if table.row_count else "It has no parameters.")


def _parameters(registry: Registry, name: str) -> Table:
    from rich.table import Table

    table = Table("parameter", "type", "default")
    for parameter in registry.parameters(name).values():
        default = "required" if parameter.required else str(parameter.default)
        table.add_row(parameter.name, parameter.type_name, default)
    return table


def _about(registry: Registry, name: str) -> Iterator[tuple[str, str]]:
    """Say what an objective consists of and what is known of it, one heading and text at a time."""
    from ganbench.objectives.facts import facts

    known = facts(name, registry)
    parts = known.objective
    if parts and registry.kind == "objective":
        yield "loss", parts.loss.label
        yield "penalties", ", ".join(part.label for part in parts.penalties) or "-"
        yield "techniques", ", ".join(part.label for part in parts.techniques) or "-"
        yield "D steps per G step", str(parts.d_steps)
    yield "family", known.family or "-"
    yield "estimates or bounds", known.divergence or "-"
    if known.equilibrium is not None:
        alone = " (of the loss alone)" if parts and (parts.penalties or parts.techniques) else ""
        yield "equilibrium of L_D", f"{known.equilibrium:.6g}{alone}"
    yield "needs", ", ".join(known.needs) or "-"
    yield "source", known.source or "-"
    if known.recommended:
        settings = ", ".join(f"{key}={_shown(value)}" for key, value in known.recommended.items())
        yield "settings of the source", f"{settings}\n(in a suite: {{objective: {name}, recommended: true}})"


def _shown(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)


def _grid(rows: Iterator[tuple[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    grid.add_row()
    for heading, text in rows:
        grid.add_row(heading, Text(text))
    grid.add_row()
    return grid
