"""`ganbench list`: what can be named in a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import PluginOption, errors_told

if TYPE_CHECKING:
    from rich.table import Table

    from ganbench.registry import Registry

KINDS = ("objectives", "losses", "penalties", "techniques", "architectures", "datasets", "metrics", "extractors")

# Below this, name and family share a column, and so do divergence and source.
WIDE = 140


def list_plugins(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.", show_default=False)
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """List the plugins of one kind, or of all, with a line on each."""
    with errors_told():
        from rich.console import Console

        from ganbench.cli.registries import registries
        from ganbench.registry import UnknownName, unknown

        known = registries(plugin or ())
        if kind is not None and kind not in known:
            raise UnknownName(unknown("kind", kind, known))
        console = Console()
        for plural, registry in known.items():
            if plural == "objectives" and kind in (None, plural):
                console.print(_objectives(registry, known["losses"], console.width >= WIDE))
                console.print("An objective below the line is a loss alone. `ganbench show NAME` has the equations.\n")
            elif kind in (None, plural):
                console.print(_plugins(registry))


def _plugins(registry: Registry) -> Table:
    """Lay out the plugins of one kind with their parameters."""
    from rich.table import Table

    table = Table("name", "parameters", "what it is", title=registry.plural, title_justify="left", title_style="bold")
    for name in registry.names():
        parameters = registry.parameters(name).values()
        shown = ", ".join(p.name if p.required else f"{p.name}={p.default}" for p in parameters)
        table.add_row(name, shown, registry.doc(name).splitlines()[0])
    return table


def _objectives(recipes: Registry, losses: Registry, wide: bool) -> Table:
    """Lay out the recipes, then the losses, with what tells them apart."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from ganbench.objectives.facts import facts

    table = Table(title="objectives", title_justify="left", title_style="bold", box=box.HORIZONTALS, pad_edge=False)
    table.add_column("name" if wide else "name\n  family", no_wrap=True)
    if wide:
        table.add_column("family", no_wrap=True)
    table.add_column("estimates or bounds" if wide else "estimates or bounds\n  source")
    table.add_column("needs", max_width=11)
    table.add_column("D\nsteps", justify="right", no_wrap=True)
    if wide:
        table.add_column("source")
    for registry in (recipes, losses):
        for name in registry.names():
            known = facts(name, registry)
            family, divergence, source = (text or "-" for text in (known.family, known.divergence, known.source))
            tail = (", ".join(known.needs) or "-", str(known.objective.d_steps) if known.objective else "-")
            if wide:
                table.add_row(name, Text(family), Text(divergence), *tail, Text(source))
            else:
                about = Text.assemble(divergence, "\n", (f"  {source}", "dim"))
                table.add_row(Text.assemble((name, "bold"), f"\n  {family}"), about, *tail)
        table.add_section()
    return table
