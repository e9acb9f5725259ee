"""A live picture of a run on a terminal, and plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ganbench.cli.console import human_seconds

if TYPE_CHECKING:
    from ganbench.execution.messages import Message, Task
    from ganbench.planning import Plan
    from ganbench.suite.cohorts import Cohort

SECONDS_BETWEEN_LINES = 20.0


class Display:
    """Draws what the runner tells: a bar for the whole run by estimated work, one per slot."""

    def __init__(self, traceback: str = "the report has the traceback") -> None:
        """Draw on standard output; `traceback` says where a reader finds that of a cell that failed."""
        self._traceback = traceback
        self._console = Console()
        self._live = self._console.is_terminal
        self._bars: Progress | None = None
        self._rows: dict[int, TaskID] = {}
        self._whole: TaskID | None = None
        self._at_work: dict[int, str] = {}
        self._places: dict[int, str] = {}
        self._done: dict[str, float] = {}
        self._ended: set[str] = set()
        self._total, self._cells, self._told, self._began = 0.0, 0, 0.0, 0.0

    def planned(self, plan: Plan) -> None:
        """Say how much there is to do."""
        counts = plan.counts
        states = ", ".join(
            f"{counts[state]} {state}" for state in ("to train", "to score", "done", "skipped") if counts[state]
        )
        self.said(f"{plan.suite.name}: {states} in {plan.store.root}")
        for note in plan.notes:
            self.said(f"note: {note}")

    def preparing(self, names: Sequence[str]) -> None:
        """Say what is being got ready."""
        for name in names:
            self.said(name)

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Start the bars."""
        self._began = self._told = time.monotonic()
        self._total = sum(cohort.work for cohort in cohorts)
        self._cells = sum(len(cohort.cells) for cohort in cohorts)
        self.said(f"{_counted(len(cohorts), 'cohort')} on {_counted(len(devices), 'worker')}")
        if self._live:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[remark]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._whole = self._bars.add_task("all cells", total=self._total, remark="")
            self._bars.start()

    def heard(self, slot: int, task: Task, message: Message) -> None:
        """Draw what a worker says."""
        if message.kind == "trained" and message.text == "failed":
            self.said(f"{task.name}: a cell failed ({self._traceback})")
        if message.kind in ("error", "lost", "died", "hung"):
            self.said(f"{task.name}: {message.text}")
        if message.kind == "began":
            self._places[slot] = message.text
        cohort = getattr(task, "cohort", None)
        if cohort is None or not self._total:
            return
        if message.kind == "progress":
            self._done[cohort.cells[0].key] = cohort.work * message.step / max(message.steps, 1)
        if message.kind in ("done", "died", "hung", "error"):
            self._done[cohort.cells[0].key] = cohort.work
            self._ended.update(cell.key for cell in cohort.cells)
        self._draw(slot, cohort, message)

    @property
    def _cells_left(self) -> int:
        return self._cells - len(self._ended)

    def said(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _draw(self, slot: int, cohort: Cohort, message: Message) -> None:
        done = sum(self._done.values())
        if self._bars is not None and self._whole is not None:
            self._bars.update(self._whole, completed=done, remark=f"{self._cells_left} cells left")
            if slot not in self._rows:
                self._rows[slot] = self._bars.add_task("", total=1, remark="")
            if self._at_work.get(slot) != cohort.cells[0].key:
                self._at_work[slot] = cohort.cells[0].key
                self._bars.reset(self._rows[slot])
            what, of, at = _bar(cohort, message)
            place = self._places.get(slot, f"slot {slot}")
            remark = f"{message.alive}/{len(cohort.cells)} alive" if message.kind == "progress" else ""
            self._bars.update(self._rows[slot], description=f"{place}: {what}", total=of, completed=at, remark=remark)
        elif message.kind == "done" or time.monotonic() - self._told > SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            passed = self._told - self._began
            left = (
                f", about {human_seconds(passed / done * (self._total - done))} left" if 0 < done < self._total else ""
            )
            self.said(
                f"{100 * done / self._total:3.0f} %  {self._cells_left} cells left, {human_seconds(passed)}{left}"
            )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def _bar(cohort: Cohort, message: Message) -> tuple[str, int, int]:
    if message.kind == "progress":
        return cohort.name, message.steps, message.step
    if message.kind == "scoring":
        return f"{cohort.name}, scoring", message.steps, message.step
    return cohort.name, 1, 1 if message.kind == "done" else 0
