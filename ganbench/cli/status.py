"""`ganbench status`: how far a run is, from another terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli.console import errors_told, human_seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ganbench.pulse import Beat, Slot
    from ganbench.standing import Standing, Watch
    from ganbench.store import Store

EVERY = 2.0  # seconds
OUTCOMES = ("completed", "diverged", "failed", "timed_out", "skipped", "left")


def status(
    store: Annotated[
        str, typer.Argument(metavar="STORE", envvar="GANBENCH_STORE", help="The folder with the results.")
    ] = "runs",
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Which suite.  \\[default: the one at work, or the latest]", show_default=False),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Show it once, and do not follow the run.")] = False,
) -> None:
    """Show how far a run is: its cells by outcome, what each slot is doing, and the time that is left.

    On a terminal it follows a run that is at work until it ends; Ctrl-C stops looking, not the run.
    """
    with errors_told():
        from rich.console import Console
        from rich.live import Live

        from ganbench.store import Store

        console, held = Console(), Store(Path(store))
        watch = _watch(held, suite)
        standing = watch.look()
        if once or not console.is_terminal or not standing.at_work:
            console.print(_drawn(standing))
            return
        try:
            with Live(_drawn(standing), console=console, auto_refresh=False) as live:
                while standing.at_work:
                    time.sleep(EVERY)
                    if standing.beat is not None and standing.beat.doing:
                        watch = _watch(held, standing.suite)  # its cells are listed once it trains
                    standing = watch.look()
                    live.update(_drawn(standing), refresh=True)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def _watch(held: Store, asked: str | None) -> Watch:
    """Return who looks at the suite asked for, at the one at work or at the latest."""
    from ganbench import pulse
    from ganbench.cli.stores import suite_of
    from ganbench.records import SuiteRecord
    from ganbench.standing import Watch

    beat, there = pulse.read(held), held.suites()
    if beat is not None and beat.suite not in there and asked in (None, beat.suite):
        if beat.doing:
            return Watch(held, SuiteRecord(beat.suite, ()))  # its first run gets ready
        beat = None
    record = held.suite(suite_of(held, asked or (beat.suite if beat else None)))
    assert record is not None
    return Watch(held, record)


def _drawn(standing: Standing) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(line) for line in _sentences(standing)]
    if standing.at_work and standing.beat is not None:
        parts.append(_slots(standing.beat))
    return Group(*parts, *([_cells(standing)] if standing.cells else []))


def _sentences(standing: Standing) -> list[str]:
    counts, beat = standing.counts, standing.beat
    meant = counts.total() - counts["skipped"]
    unscored = f", {standing.unscored} of them to be scored" if standing.unscored else ""
    said = [f"{standing.suite}: {meant - counts['left']} of {meant} cells trained{unscored}"]
    if beat is not None and not standing.cells:
        said = [f"{standing.suite}: none of {beat.cells} cells trained yet"]
    if beat is None:
        said.append("no run is at work")
    elif not standing.at_work:
        said.append(
            f"the run of process {beat.pid} on {beat.host} has said nothing for {human_seconds(standing.silent)}: it "
            "was killed, or its machine is gone; the same `ganbench run` goes on from there"
        )
    elif beat.doing:
        passed = human_seconds(beat.told - beat.began)
        said.append(f"getting ready for {passed}: {beat.doing} (process {beat.pid} on {beat.host})")
    else:
        left = f", about {human_seconds(beat.left)} left" if beat.left is not None else ""
        passed = human_seconds(beat.told - beat.began)
        said.append(f"at work for {passed}{left} (process {beat.pid} on {beat.host})")
    return said


def _slots(beat: Beat) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for place in range(6):
        table.add_column(no_wrap=place != 2)  # on a narrow terminal the name takes several lines
    for number, slot in enumerate(beat.slots):
        bar = ProgressBar(total=max(slot.steps, 1), completed=slot.step, width=16)
        table.add_row(f"slot {number}", slot.device, slot.name, slot.phase, bar if slot.steps else "", _remark(slot))
    return table


def _remark(slot: Slot) -> str:
    if slot.phase == "training":
        return f"{slot.step}/{slot.steps}, {slot.alive}/{slot.cells} alive"
    return f"{slot.step}/{slot.steps} scores" if slot.phase == "scoring" else ""


def _cells(standing: Standing) -> RenderableType:
    from rich.table import Table

    shown = [outcome for outcome in OUTCOMES if standing.counts[outcome]]
    table = Table()
    table.add_column("objective")
    for outcome in shown:
        table.add_column(outcome.replace("_", " "), justify="right")
    for objective, counts in standing.cells.items():
        table.add_row(objective, *(str(counts[outcome] or "") for outcome in shown))
    return table
