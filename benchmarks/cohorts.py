"""What `cohort: auto` chooses, against every size, where company helps and where it does not."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import Annotated

import pace
import torch
import typer
from work import DCGAN, POINTS, TOY, Work, chosen

from ganbench.execution import fork_server, local
from ganbench.execution.messages import Message, Tell
from ganbench.execution.sizing import Effort, as_text, cell_steps_per_second, from_text, measured
from ganbench.suite.cohorts import default_size
from ganbench.suite.sizing import Rates, mean


@dataclass(frozen=True)
class Row:
    """A kind of work, with as many cells as the largest size that is tried."""

    name: str
    says: str
    work: Work


ROWS = (
    Row("mlp32", "MLP 4x32, batch 64", Work("mlp", {"depth": 3, "width": 32}, POINTS, 64, cells=64)),
    Row("mlp64", "MLP 4x64, batch 128", replace(TOY, cells=64)),
    Row("dcgan16", "DCGAN 16 px w8", Work("dcgan", {"width": 8}, (1, 16, 16), 64, cells=32)),
    Row("dcgan32", "DCGAN 32 px w32", replace(DCGAN, cells=16)),
)


@dataclass(frozen=True)
class Choosing:
    """A worker's task: measure as a run does that has 5000 steps of these cells before it."""

    of: Work
    at_once: int

    @property
    def name(self) -> str:
        return f"choosing among {self.of.cells} cells"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - a clock of its own
        cells = pace.of_a_run(self.of.planned())
        effort = Effort(len(cells) * pace.G_STEPS, self.at_once, self.at_once)
        tell(Message("done", text=as_text(measured(cells, self.of.data(device), None, effort))))


@dataclass(frozen=True)
class Timing:
    """A worker's task: time one size for longer."""

    of: Work
    seconds: float

    @property
    def name(self) -> str:
        return f"timing {self.of.cells} cells"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - a clock of its own
        cells = pace.of_a_run(self.of.planned())
        rate = cell_steps_per_second(cells, self.of.data(device), seconds=self.seconds)
        tell(Message("done", text=as_text(Rates({len(cells): rate}))))


def on_all_slots(task: Choosing | Timing, processes: int, device: str) -> Rates:
    """Do the same on all slots at once, as `ganbench run` does."""
    told: list[Message] = []
    local.run([task] * processes, [device] * processes, lambda _slot, _task, message: told.append(message))
    if failed := [message for message in told if message.kind != "done"]:
        raise RuntimeError(f"a worker failed: {failed[0].text}\n{failed[0].detail}")
    return mean([from_text(message.text) for message in told])


def main(
    only: Annotated[list[str] | None, typer.Option(help="Rows to measure, repeated or with commas.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of every size, in turns.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.01, help="Seconds that are timed, per round and size.")] = 1.0,
    processes: Annotated[int, typer.Option(min=1, help="Workers that share the device.")] = 2,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Time every size of cohort, then have `auto` choose one by its own short measurement.

    A row: cell-steps per second and worker by size (median of the rounds), the choice, and its rate against the best
    and against one cell after another.
    """
    torch.set_num_threads(1)
    try:
        for row in (row for row in ROWS if row.name in chosen(only, [row.name for row in ROWS])):
            sizes = [2**power for power in range(row.work.cells.bit_length())]
            taken: dict[int, list[float]] = {size: [] for size in sizes}
            choices = []
            for _ in range(rounds):
                for size in sizes:
                    timing = Timing(replace(row.work, cells=size), seconds)
                    taken[size].append(on_all_slots(timing, processes, device).by_size[size])
                choices.append(on_all_slots(Choosing(row.work, processes), processes, device))
            default = min(default_size(row.work.planned()[0]), row.work.cells)
            typer.echo(told(row, {size: statistics.median(rates) for size, rates in taken.items()}, choices, default))
    finally:
        fork_server.stop()


def told(row: Row, rates: dict[int, float], choices: list[Rates], default: int) -> str:
    """Write a row; each round's choice is judged by the medians of all rounds."""
    best = max(rates, key=lambda size: rates[size])
    lines = [f"{row.name} ({row.says}): {Rates(rates).told()}; best: {best}"]
    for seen in choices:
        size = seen.size(default)
        against = [rates[size] / rates[other] for other in (best, 1)]
        lines.append(f"    auto: {size}, {against[0]:.2f} of the best, {against[1]:.2f} x one alone ({seen.told()})")
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
