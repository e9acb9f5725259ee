"""ganbench's training against a hand-written loop: one command, a row of ratios per kind of work."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import pace
import torch
import typer
from work import DCGAN, POINTS, TOY, Work, chosen

from ganbench.execution import fork_server

MIXED = ("hinge", "non_saturating", "least_squares", "wasserstein")


@dataclass(frozen=True)
class Row:
    """A kind of work, with the ratio that ganbench is to reach on it."""

    name: str
    says: str
    work: Work
    goal: str
    processes: int = 1


ROWS = (
    Row(
        "lone-mlp",
        "1 cell, MLP 4x128, batch 256",
        Work("mlp", {"depth": 3, "width": 128}, POINTS, 256),
        "1.15",
    ),
    Row("lone-dcgan", "1 cell, DCGAN 32 px w32", DCGAN, "1.1"),
    Row("lone-dcgan-bf16", "1 cell, DCGAN 32 px w32, bf16", replace(DCGAN, precision="bf16"), "1.8"),
    Row(
        "points-64",
        "64 cells, MLP 4x32, batch 64, 2 processes",
        Work("mlp", {"depth": 3, "width": 32}, POINTS, 64, cells=64),
        "16, then 25",
        processes=2,
    ),
    Row(
        "losses-16",
        "16 cells, MLP 4x64, 4 losses, gradient penalty",
        replace(TOY, cells=16, losses=MIXED, penalised=True),
        "3.3",
    ),
    Row(
        "images16-16",
        "16 cells, DCGAN 16 px w8, 2 processes",
        Work("dcgan", {"width": 8}, (1, 16, 16), 64, cells=16),
        "4",
        processes=2,
    ),
    Row("images32-16", "16 cells, DCGAN 32 px w32, 2 processes", replace(DCGAN, cells=16), "1.8", processes=2),
)


@dataclass(frozen=True)
class Round:
    """Seconds per cell and G step of both loops, and those of ganbench's start, side by side in time."""

    plain: float
    ours: float
    start: float

    @property
    def ratio(self) -> float:
        return self.plain / self.ours


def measure(row: Row, seconds: float, device: str) -> Round:
    """Time both loops once, the plain one first: it trains a cell of each loss in this process, one after another."""
    cells, data = row.work.planned(), row.work.data(device)
    kinds = list({cell.objective.loss.name: cell for cell in cells}.values())
    plain = [pace.of_plain(cell, data, seconds / len(kinds)).step for cell in kinds]
    workers = pace.of_workers(row.work, row.processes, seconds, device)
    # A step of all cells is over when the last worker is through with its cohorts.
    whole = max(sum(cohort.of_a_run for cohort in worker) for worker in workers)
    start = max(cohort.start for worker in workers for cohort in worker)
    return Round(statistics.mean(plain), whole / len(cells), start)


def halves_are_fast(device: str) -> bool:
    """Whether bfloat16 is computed in hardware: by GPUs, and by CPUs with AVX512-bf16 or AMX."""
    known = Path("/proc/cpuinfo")
    if device != "cpu" or not known.exists():
        return device != "cpu"
    return bool({"avx512_bf16", "amx_bf16"} & set(known.read_text().split()))


def line(row: Row, rounds: list[Round]) -> str:
    ratios = [taken.ratio for taken in rounds]
    spread = f"{statistics.median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    plain, ours, start = (
        1e3 * statistics.median(getattr(taken, name) for taken in rounds) for name in ("plain", "ours", "start")
    )
    return (
        f"{row.name:16} {row.says:48} goal {row.goal:12} reached {spread:21} "
        f"plain {plain:.3f} ms, ours {ours:.3f} ms; start {start:.0f} ms"
    )


def main(
    only: Annotated[list[str] | None, typer.Option(help="Rows to measure, repeated or with commas.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Measurements of either loop, in turns.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.01, help="Seconds that are timed, per round and loop.")] = 2.0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Time a hand-written loop, cell after cell in one process with one thread, against ganbench on the same cells.

    A row: the goal, the median ratio (least to greatest) of the rounds, and the milliseconds per cell and G step.
    """
    names = chosen(only, [row.name for row in ROWS])
    if device == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("no GPU was found on this machine", param_hint="--device")
    torch.set_num_threads(1)
    try:
        _table([row for row in ROWS if row.name in names], rounds, seconds, device)
    finally:
        fork_server.stop()


def _table(rows: Sequence[Row], rounds: int, seconds: float, device: str) -> None:
    for row in rows:
        if row.work.precision == "bf16" and not halves_are_fast(device):
            typer.echo(
                f"{row.name:16} {row.says:48} goal {row.goal:12} cannot be shown here: "
                "this CPU has no fast bfloat16 (neither AVX512-bf16 nor AMX)"
            )
            continue
        taken = [measure(row, seconds, device) for _ in range(rounds)]
        typer.echo(line(row, taken))


if __name__ == "__main__":
    typer.run(main)
