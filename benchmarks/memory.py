"""What a cell weighs while it trains, against what has to be there: a cohort holds no second copy of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated

import torch
import typer
from counts import Counts, count
from pace import Enough, of_a_run
from torch.profiler import ProfilerActivity, profile
from work import DCGAN, TOY, Work, chosen

from ganbench.suite.cells import Cell
from ganbench.training.loop import train_cohort
from ganbench.training.streams import BLOCK

AT = 20  # the G step after which is looked: between two blocks of draws and two records
AVERAGED = 0.999  # the decay of the averaged generator
NUMBERS = (1, 4, 16)
KINDS = {"toy": ("MLP 4x64, batch 128", TOY), "dcgan": ("DCGAN 32 px w32, batch 64", DCGAN)}


@dataclass(frozen=True)
class Held:
    """Bytes of a whole cohort: what stays between two G steps, and the most that a step has beyond that."""

    between: int
    within: int


@dataclass(frozen=True)
class Needed:
    """Bytes that one cell cannot do without."""

    parameters: int
    moments: int
    averaged: int
    draws: int
    update: float

    @property
    def between(self) -> int:
        return self.parameters + self.moments + self.averaged + self.draws

    @property
    def total(self) -> float:
        return self.between + self.update


def needed(work: Work, counts: Counts) -> Needed:
    """Return what one cell needs.

    Between steps: parameters and two moments of both players, the averaged generator, a block of draws (rows as int64,
    latents as float32, for both updates of 16 steps). Within: the larger of the two updates, its gradient and what
    its backward pass reads.
    """
    both = counts.g_parameters + counts.d_parameters
    latent = work.planned()[0].train.latent_size
    draws = BLOCK * 2 * work.batch * (8 + 4 * latent)
    update = max(counts.d_parameters + counts.d_activations, counts.g_parameters + counts.g_activations)
    return Needed(both, 2 * both, counts.g_parameters, draws, update)


def held(cells: Sequence[Cell], data: torch.Tensor) -> Held:
    """Measure one cohort's training; the data are there before and do not count."""
    on_gpu = data.device.type == "cuda"
    return _on_a_gpu(cells, data) if on_gpu else _on_a_cpu(cells, data)


def _on_a_cpu(cells: Sequence[Cell], data: torch.Tensor) -> Held:
    """Read the allocator's every event, as the profiler sees them: exact, temporaries inside operations included."""
    start, step = _profiled(), _profiled()

    def each(now: int) -> None:
        if now == AT:
            start.stop()
            step.start()
        elif now == AT + 1:
            step.stop()
            raise Enough

    start.start()
    _train(cells, data, each)
    return Held(_sums(start)[-1], max(_sums(step)))


def _profiled() -> profile:
    return profile(activities=[ProfilerActivity.CPU], profile_memory=True)


def _sums(profiled: profile) -> list[int]:
    """Return how much more is allocated than before, after each of the allocator's events."""
    results = profiled.profiler.kineto_results.events()
    events = sorted((event.start_ns(), event.nbytes()) for event in results if event.name() == "[memory]")
    now, sums = 0, [0]
    for _, change in events:
        now += change
        sums.append(now)
    return sums


def _on_a_gpu(cells: Sequence[Cell], data: torch.Tensor) -> Held:
    """Read the statistics of torch's allocator."""
    before, found = torch.cuda.memory_allocated(), []

    def each(now: int) -> None:
        if now == AT:
            torch.cuda.synchronize()
            found.append(torch.cuda.memory_allocated())
            torch.cuda.reset_peak_memory_stats()
        elif now == AT + 1:
            torch.cuda.synchronize()
            found.append(torch.cuda.max_memory_allocated())
            raise Enough

    _train(cells, data, each)
    return Held(found[0] - before, found[1] - found[0])


def _train(cells: Sequence[Cell], data: torch.Tensor, each: Callable[[int], None]) -> None:
    with suppress(Enough):
        train_cohort(of_a_run(cells), data, (), each=each)


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Kinds of work: {', '.join(KINDS)}.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Weigh cohorts of 1, 4 and 16 cells: kilobytes per cell, held and needed, and their ratio."""
    kinds = chosen(only, KINDS)
    if device == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("no GPU was found on this machine", param_hint="--device")
    torch.set_num_threads(1)
    for kind in kinds:
        says, work = KINDS[kind]
        weigh(says, replace(work, settings={"ema": AVERAGED}), device)


def weigh(says: str, work: Work, device: str) -> None:
    """Say of one kind of work what a cell needs, and what it holds in cohorts of several sizes."""
    own = needed(work, count(work, on_gpu=device == "cuda"))
    parts = {
        "parameters": own.parameters,
        "moments": own.moments,
        "averaged G": own.averaged,
        "draws": own.draws,
        "an update's gradient and activations": own.update,
    }
    typer.echo(f"{says}; a cell needs, in kB: {', '.join(f'{name} {n / 1e3:.1f}' for name, n in parts.items())}")
    typer.echo("  cells  held between steps, kB/cell  of needed  further copies  within one, kB/cell  of needed   all")
    data = work.data(device)
    for cells in NUMBERS:
        found = held(replace(work, cells=cells).planned(), data)
        between, within = found.between / cells, found.within / cells
        copies = (between - own.between) / own.parameters
        typer.echo(
            f"  {cells:5} {between / 1e3:28.1f} {between / own.between:10.2f} {copies:15.2f} {within / 1e3:20.1f}"
            f" {within / own.update:10.2f} {(between + within) / own.total:5.2f}"
        )


if __name__ == "__main__":
    typer.run(main)
