"""`ganbench data`: which datasets and extractors are there, and which are missing; writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import DataOption, PluginOption, errors_told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from ganbench.needs import Need


def data(
    suite: Annotated[
        str | None,
        typer.Argument(metavar="SUITE", help="A suite; without one, everything that has a name.", show_default=False),
    ] = None,
    data: DataOption = None,
    plugin: PluginOption = None,
) -> None:
    """Show datasets and extractors: where they lie, whether they are there, how large they are. Writes nothing."""
    with errors_told():
        from rich.console import Console

        from ganbench.cli.registries import registries
        from ganbench.needs import everything, of_suite
        from ganbench.paths import cache_root, data_root

        registries(plugin or ())
        roots = (Path(data) if data else data_root(), cache_root())
        needs, left_out = (of_suite(Path(suite), *roots), []) if suite else everything()
        console = Console()
        table, missing, incomplete = _table(needs, *roots)
        console.print(table)
        lines = [f"{name}: {what}" for name, what in missing.items()]
        lines += [f"{name}: has no defaults; `ganbench data SUITE` shows those of a suite" for name in left_out]
        if incomplete:
            lines.append("`ganbench fetch NAME...` or `ganbench fetch SUITE` gets what is missing.")
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(needs: Sequence[Need], data_root: Path, cache: Path) -> tuple[Table, dict[str, str], bool]:
    """Lay out a line per need, say what is missing of each in full, and whether anything is."""
    from rich.table import Table
    from rich.text import Text

    from ganbench.needs import look

    table, missing, incomplete = Table(), {}, False
    table.add_column("name", no_wrap=True)
    table.add_column("state")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("place", overflow="fold")
    for need in needs:
        try:
            state = look(need, data_root, cache)
        except (OSError, ValueError) as error:  # data that cannot be read
            missing[need.name] = str(error)
            table.add_row(need.name, Text("unreadable", style="red"), "-", "-")
            continue
        incomplete |= bool(state.missing)
        absent = "not trained yet" if need.trained else "missing"
        if state.missing and not need.trained:
            missing[need.name] = state.missing
        there = state.told or ("there" if state.place else "nothing to fetch")
        said = Text(absent, style="yellow") if state.missing else Text(there)
        table.add_row(need.name, said, _size(state.size), str(state.place or "-"))
    return table, missing, incomplete


def _size(size: int | None) -> str:
    """Write bytes as a person reads them, in powers of ten as downloads are announced."""
    if size is None:
        return "-"
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size = round(size / 1000)
    return f"{size:.0f} GB"
