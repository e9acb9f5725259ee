"""`ganbench compare`: what changed between two sets of results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import errors_told, print_table, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ganbench.reporting import parts
    from ganbench.reporting.comparing.telling import Compared, Regression

PLACE = "A store (its latest suite), STORE:SUITE, or the folder of a report."
STYLES = {"worse": "red", "better": "green", "only in A": "magenta"}


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The baseline. {PLACE}", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help=f"What is held against it. {PLACE}", show_default=False)],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="AXIS=A,B",
            help="Compare these cells only; AXIS is contender, objective, architecture, dataset or seed. Repeatable.",
            show_default=False,
        ),
    ] = None,
    fail_on_regression: Annotated[
        bool,
        typer.Option(
            "--fail-on-regression",
            help="End with 1 where a test says that a contender is worse on a headline or lost more seeds (one lost "
            "seed of several may be chance), or where B has no score of it any more.",
        ),
    ] = False,
    min_effect: Annotated[
        str,
        typer.Option(
            "--min-effect",
            metavar="X%",
            help="No regression below this change of the mean, or of distances of the median, in % of the baseline's. "
            "It does not hold for lost seeds.",
        ),
    ] = "0%",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            metavar="DIR",
            help="Write index.html, compare.md, compare.json, figures and tables there, too.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare two sets of results: what changed, by how much, and whether it is beyond seed noise.

    Contenders are matched by name on each dataset, under one protocol only, and paired by shared seeds.

    It shows the headline of each dataset and what else changed; --json and -o have every value.

    Examples:

    \b
    ganbench compare runs-before runs-after
    ganbench compare runs:losses runs:losses-new        # two suites of one store
    ganbench compare reports/losses new -o difference   # two folders of reports
    ganbench compare before after --fail-on-regression --min-effect 2%

    Two commits, each with a store of its own:

    \b
    git worktree add ../main main
    (cd ../main && ganbench run suite.yaml --store ~/before)
    ganbench run suite.yaml --store ~/after
    ganbench compare ~/before ~/after --fail-on-regression

    Where reports are committed, such as reports/losses, their folders do:

    \b
    git worktree add ../main main
    ganbench compare ../main/reports/losses reports/losses

    Exit codes: 0 compared, 1 a regression (with --fail-on-regression), 2 bad input or nothing in common.
    """
    with errors_told():
        least = _share(min_effect)
        from ganbench.reporting.comparing.telling import compare as compared
        from ganbench.reporting.comparing.written import as_json as plain
        from ganbench.reporting.comparing.written import write_comparison

        found = compared(a, b, only or ())
        written = write_comparison(found, Path(out), least) if out is not None else None
        regressions = found.regressions(least)
        if as_json:
            typer.echo(json.dumps(plain(found, least), indent=1, allow_nan=False))
        else:
            _show(found, regressions if fail_on_regression else [])
        if written is not None:
            typer.echo(f"comparison: {written}", err=as_json)
    raise typer.Exit(1 if fail_on_regression and regressions else 0)


def _share(text: str) -> float:
    """Read a percentage such as 2% or 0.5 as a share; SuiteError for anything else."""
    from ganbench.suite.errors import wrong

    try:
        found = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise wrong("--min-effect", f"{text!r} is no percentage of 0 or more; write such as 2%")
    return found


def _show(found: Compared, regressions: list[Regression]) -> None:
    from rich.console import Console

    from ganbench.reporting.comparing import tables
    from ganbench.reporting.comparing.telling import caveats, heading, whole_verdict

    console = Console()
    _say(console, whole_verdict(found))
    for one in found.datasets:
        where = heading(one, found.datasets)
        print_table(console, _drawn(tables.changes_table(one, one.headline), f"{where}: {one.titles[one.headline]}"))
        if others := tables.others_table(one):
            print_table(console, _drawn(others, f"{where}: other values that changed beyond seed noise"))
    changed = _changed(found)
    for one in changed.datasets:
        print_table(console, _drawn(tables.cost_table(one), f"{heading(one, found.datasets)}: cost and settings"))
    if changed.datasets:
        print_table(console, _drawn(tables.outcome_table(changed), "outcomes"))
    for sentence in caveats(found):
        _say(console, f"note: {sentence}")
    for regression in regressions:
        _say(console, f"regression: {regression.contender} on {regression.dataset}: {regression.why}")


def _changed(found: Compared) -> Compared:
    """Leave out the contenders that gave the same numbers: there is nothing more to say of them."""
    kept = [
        replace(one, pairings=tuple(pairing for pairing in one.pairings if pairing.verdict != "same"))
        for one in found.datasets
    ]
    return replace(found, datasets=tuple(one for one in kept if one.pairings))


def _say(console: Console, sentence: str) -> None:
    console.print(_plain(sentence), highlight=False, markup=False, soft_wrap=True)


def _drawn(held: parts.Table, title: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(_plain(title)), title_justify="left", pad_edge=False)
    for heading, numeric in zip(held.headings, held.numeric, strict=True):
        drawn.add_column(Text(_plain(heading)), justify="right" if numeric else "left", overflow="fold")
    for row in held.rows:
        drawn.add_row(*(Text(_plain(cell), STYLES.get(cell, "")) for cell in row))
    return drawn


def _plain(text: str) -> str:
    """Return text for a terminal: the spaces that a page sets thin or keeps together are spaces there."""
    return printable(text.replace("\u00a0", " ").replace("\u2009", " "))
