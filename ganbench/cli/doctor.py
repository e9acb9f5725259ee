"""`ganbench doctor`: whether a run can work here, and what to do where it cannot."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import DataOption, DeviceOption, StoreOption, TrackingOption, errors_told

if TYPE_CHECKING:
    from rich.text import Text

    from ganbench.doctor import Finding

STYLES = {"ok": "green", "note": "yellow", "problem": "red"}


def doctor(
    suite: Annotated[
        str | None,
        typer.Argument(metavar="SUITE", help="What it needs is looked at, too: a YAML file.", show_default=False),
    ] = None,
    store: StoreOption = "runs",
    tracking_uri: TrackingOption = None,
    device: DeviceOption = "auto",
    data: DataOption = None,
) -> None:
    """Check devices, data, weights, MLflow, disk, store and versions, and say what to do. Writes nothing.

    A line per check: ok, note or problem. Ends with 1 when something is a problem.
    """
    counted: Counter[str] = Counter()
    with errors_told():
        from rich.console import Console

        from ganbench.doctor import Asked, examine
        from ganbench.paths import cache_root, data_root

        asked = Asked(
            Path(store),
            Path(data) if data else data_root(),
            cache_root(),
            Path(suite) if suite else None,
            tracking_uri,
            device,
        )
        console = Console()
        for finding in examine(asked):
            counted[finding.level] += 1
            console.print(_line(finding), soft_wrap=True)
        said = [f"{counted[level]} {level}{'s' if counted[level] != 1 and level != 'ok' else ''}" for level in STYLES]
        console.print(", ".join(said), highlight=False, soft_wrap=True)
    raise typer.Exit(1 if counted["problem"] else 0)


def _line(finding: Finding) -> Text:
    """Set a finding on one line, under the others: its level, what it is of, how that is, and what to do."""
    from rich.text import Text

    said = Text()
    said.append(f"{finding.level:<8}", style=STYLES[finding.level])
    said.append(f"{finding.what:<22} ", style="bold")
    said.append(" ".join(finding.said.split()))
    if finding.advice:
        said.append(f" -> {finding.advice}", style="" if finding.level == "problem" else "dim")
    return said
