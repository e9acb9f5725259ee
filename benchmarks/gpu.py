"""One GPU: a plain loop, ganbench's eager and captured, in three precisions, and how far each is from the card's floor.

Without a GPU only the counting is done: arithmetic, bytes and launches of a step, and the floors that they make.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Annotated, Any

import pace
import torch
import typer
from counts import Counts, count, launched
from work import DCGAN, TOY, chosen

PRECISIONS = ("float32", "tf32", "bf16")
CASES = {
    "toy": ("MLP 4x64, batch 128", TOY, (1, 16, 64, 256)),
    "dcgan": ("DCGAN 32 px w32, batch 64", DCGAN, (1, 4, 16)),
}
CAPTURE = "ganbench.training.capture"


@dataclass(frozen=True)
class Card:
    """Peak numbers: TFLOP/s by precision, GB/s of its memory, microseconds of one launch."""

    name: str
    tflops: dict[str, float]
    gb_per_s: float
    launch_us: float

    def floor(self, counts: Counts, cells: int, precision: str) -> float:
        """Return the seconds below which no program does a G step of so many cells."""
        return max(self.computing(counts, cells, precision), self.moving(counts, cells))

    def computing(self, counts: Counts, cells: int, precision: str) -> float:
        return cells * counts.flop / (self.tflops[precision] * 1e12)

    def moving(self, counts: Counts, cells: int) -> float:
        return cells * counts.moved / (self.gb_per_s * 1e9)


# Makers' data sheets: float32 without tensor cores, TF32 and bfloat16 dense, memory.
KNOWN = {"H200": ((67.0, 494.0, 989.0), 4800.0), "A100": ((19.5, 156.0, 312.0), 2039.0)}
LAUNCH_US = 5.0


def card(name: str, tflops: str, gb_per_s: float | None, launch_us: float) -> Card:
    """Return a card's peaks: those that were given, else those of a known name."""
    known = next((peaks for key, peaks in KNOWN.items() if key in name), None)
    if known is None and (not tflops or gb_per_s is None):
        raise typer.BadParameter(f"no peak numbers are known of {name!r}: give --tflops and --gb-per-s")
    given = [float(number) for number in tflops.split(",")] if tflops else list(known[0])
    if len(given) not in (1, len(PRECISIONS)):
        raise typer.BadParameter(f"expected one number, or one each for {', '.join(PRECISIONS)}", param_hint="--tflops")
    by_precision = dict(zip(PRECISIONS, given * 3 if len(given) == 1 else given, strict=True))
    return Card(name, by_precision, gb_per_s or known[1], launch_us)


def launch_time() -> float:
    """Return the microseconds of one eager launch on this GPU: a kernel on one number, many times over."""
    number, times = torch.zeros(1, device="cuda"), 2000
    for timed in (False, True):
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(times):
            number.add_(1)
        torch.cuda.synchronize()
        if timed:
            return 1e6 * (time.perf_counter() - began) / times
    raise AssertionError


def captures() -> Any:
    """Return the module with the switch for CUDA graphs, or None where this version has none."""
    try:
        return importlib.import_module(CAPTURE)
    except ModuleNotFoundError as error:
        if error.name != CAPTURE:
            raise
        return None


@contextmanager
def switched(module: Any, on: bool) -> Iterator[None]:
    before, module.ENABLED = module.ENABLED, on
    try:
        yield
    finally:
        module.ENABLED = before


def counted(kind: str, on: Card) -> dict[str, Counts]:
    """Count one kind of work and say so, a line per number of cells and precision; return a cell's counts."""
    says, work, numbers = CASES[kind]
    found = {precision: count(replace(work, precision=precision)) for precision in PRECISIONS}
    typer.echo(f"\n{kind}: {says}; a G step of all cells, and the microseconds that it takes at least")
    typer.echo(
        f"  cells {'precision':9} {'GFLOP':>9} {'MB':>9} {'launches':>9}   computing    moving  launches one by one"
    )
    for cells in numbers:
        # Pictures of many cells take a CPU long, and launch as often as those of two. Launches are counted in float32:
        # a CPU computes bfloat16 products by other operations than a GPU, which adds the casts.
        counting = replace(work, cells=cells if work.samples == "points" else min(cells, 2))
        launches = launched(counting)
        for precision, counts in found.items():
            computing, moving = on.computing(counts, cells, precision), on.moving(counts, cells)
            typer.echo(
                f"  {cells:5} {precision:9} {cells * counts.flop / 1e9:9.3f} {cells * counts.moved / 1e6:9.2f}"
                f" {launches:9.0f} {1e6 * computing:11.1f} {1e6 * moving:9.1f} {launches * on.launch_us:9.0f}"
            )
    return found


def measured(kind: str, on: Card, found: dict[str, Counts], seconds: float) -> None:
    """Time one kind of work on the GPU: G steps per second, times cells, and the share of the floor."""
    _, work, numbers = CASES[kind]
    data, capture = work.data("cuda"), captures()
    typer.echo(f"  cells precision loop      {'cell-steps/s':>12} {'x plain':>8} {'of floor':>9}  start s")
    for precision in PRECISIONS:
        cell = replace(work, precision=precision).planned()[0]
        plain = pace.of_plain(cell, data, seconds, precision).step
        share = on.floor(found[precision], 1, precision) / plain
        typer.echo(f"  {1:5} {precision:9} plain     {1 / plain:12.0f} {1:8.2f} {share:9.2%}")
        for cells in numbers:
            cohort = replace(work, cells=cells, precision=precision).planned()
            for loop in ("eager", "captured") if capture else ("eager",):
                with switched(capture, loop == "captured") if capture else nullcontext():
                    taken = pace.of_cohort(cohort, data, seconds)
                share = on.floor(found[precision], cells, precision) / taken.step
                typer.echo(
                    f"  {cells:5} {precision:9} {loop:9} {cells / taken.step:12.0f} {cells * plain / taken.step:8.2f}"
                    f" {share:9.2%} {taken.start:8.2f}"
                )


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Kinds of work: {', '.join(CASES)}.")] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="Seconds that are timed of each training.")] = 1.0,
    tflops: Annotated[
        str, typer.Option(help="Peak TFLOP/s: one number, or three with commas (float32, tf32, bf16).")
    ] = "",
    gb_per_s: Annotated[float | None, typer.Option(help="Peak GB/s of the card's memory.")] = None,
    name: Annotated[str, typer.Option("--card", help="Whose peaks (H200, A100).  [default: the GPU, else H200]")] = "",
) -> None:
    """Measure one GPU; where there is none, count what a step amounts to and say what it would take at least."""
    kinds = chosen(only, CASES)
    torch.set_num_threads(1)
    here = torch.cuda.is_available()
    title = name or (torch.cuda.get_device_name() if here else "H200")
    on = card(title, tflops, gb_per_s, launch_time() if here else LAUNCH_US)
    peaks = ", ".join(f"{precision} {number:g}" for precision, number in on.tflops.items())
    typer.echo(f"{title}: {peaks} TFLOP/s; {on.gb_per_s:g} GB/s; {on.launch_us:.1f} us per launch")
    if not here:
        typer.echo("no GPU was found on this machine: what a step amounts to is counted, nothing is timed")
    elif captures() is None:
        typer.echo("this version captures no CUDA graphs: eager alone")
    for kind in kinds:
        found = counted(kind, on)
        if here:
            measured(kind, on, found, seconds)


if __name__ == "__main__":
    typer.run(main)
