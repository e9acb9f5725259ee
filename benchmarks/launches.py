"""How many kernels one G step launches: counted with torch's profiler, for toy cohorts of several sizes.

On a GPU every operation that computes is a launch, whatever its size; views and allocations are not. The count is
taken from the operations that run on the CPU, so that it can be had without a GPU.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from unittest.mock import patch

import torch
from pace import Enough, of_a_run
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from ganbench import architectures, objectives
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort

STEPS = 32  # with two lengths, what happens once and what happens per block of draws cancels
# Operations that move no data: they make views, allocate or ask.
FREE = {
    "aten::alias",
    "aten::as_strided",
    "aten::detach",
    "aten::empty",
    "aten::empty_like",
    "aten::empty_strided",
    "aten::expand",
    "aten::expand_as",
    "aten::flatten",
    "aten::is_nonzero",
    "aten::item",
    "aten::lift_fresh",
    "aten::_local_scalar_dense",
    "aten::mT",
    "aten::narrow",
    "aten::new_empty",
    "aten::new_empty_strided",
    "aten::permute",
    "aten::_reshape_alias",
    "aten::reshape",
    "aten::resize_",
    "aten::resolve_conj",
    "aten::resolve_neg",
    "aten::result_type",
    "aten::select",
    "aten::slice",
    "aten::split",
    "aten::split_with_sizes",
    "aten::squeeze",
    "aten::t",
    "aten::to",
    "aten::transpose",
    "aten::unbind",
    "aten::unflatten",
    "aten::unsqueeze",
    "aten::_unsafe_view",
    "aten::view",
    "aten::view_as",
}
ASKING = {"aten::_local_scalar_dense", "aten::nonzero"}
# Random numbers are drawn by the host, ahead, and reach a device in one copy.
HOST = {"aten::normal_", "aten::uniform_", "aten::random_"}
# Reductions are one kernel on a GPU; on a CPU some of them fill their result with zeros first.
WHOLE = {f"aten::{name}" for name in ("sum", "mean", "all", "any", "argmax", "linalg_vector_norm", "isfinite")}
# A number that divides a tensor is copied into one on a CPU, and passed along on a GPU.
DIVISIONS = {f"aten::{name}" for name in ("div", "div_", "add_", "gt", "lt", "ne", "rsub")}


def launches(cells: Sequence[Cell], data: torch.Tensor, steps: int) -> Counter[str]:
    """Count the operations that compute, by name, over the first G steps of a run: as few are recorded as there."""
    return computing(operations(cells, data, steps))


def computing(recorded: Sequence[FunctionEvent]) -> Counter[str]:
    """Count the operations that compute, by name."""
    return Counter(event.name for event in recorded if _computes(event))


def questions(recorded: Sequence[FunctionEvent]) -> int:
    """Count how often the host asks for a number and would have to wait for a GPU.

    The fused Adam of a CPU reads its own count of steps; that of a GPU does not.
    """
    asked = (event for event in recorded if event.name in ASKING)
    return sum("aten::_fused_adam_" not in _parents(event) for event in asked)


def operations(cells: Sequence[Cell], data: torch.Tensor, steps: int) -> list[FunctionEvent]:
    """List all that happens in the first G steps of a run."""

    def stop(step: int) -> None:
        if step == steps:
            raise Enough

    # Progress is reported by the clock: a slow machine would count more of it.
    unreported = patch("ganbench.training.loop.SECONDS_BETWEEN_REPORTS", math.inf)
    with unreported, profile(activities=[ProfilerActivity.CPU]) as profiled, suppress(Enough):
        train_cohort(of_a_run(cells), data, (), each=stop)
    return list(profiled.events())


def _computes(event: FunctionEvent) -> bool:
    """Whether an event is an operation that launches a kernel of its own."""
    if not event.name.startswith("aten::") or event.name in FREE | HOST:
        return False
    parents = set(_parents(event))
    if parents & WHOLE or (parents & DIVISIONS and event.name in ("aten::copy_", "aten::_to_copy")):
        return False
    return event.name in WHOLE or event.name == "aten::baddbmm" or not any(map(_counts, event.cpu_children))


def _counts(event: FunctionEvent) -> bool:
    return (event.name.startswith("aten::") and event.name not in FREE) or any(map(_counts, event.cpu_children))


def _parents(event: FunctionEvent) -> Iterator[str]:
    parent = event.cpu_parent
    while parent is not None:
        yield parent.name
        parent = parent.cpu_parent


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    known = ("non_saturating", "hinge", "wgan_gp", "r3gan", "sngan")
    options.add_argument("objectives", nargs="*", default=known, help=f"recipes to count (default: {', '.join(known)})")
    options.add_argument("--cells", type=int, nargs="+", default=(2, 16, 64), help="sizes of cohorts")
    options.add_argument("-v", "--verbose", action="store_true", help="by operation")
    given = options.parse_args()
    points = torch.randn(10_000, 2)
    architecture = architectures.registry.part("mlp", {"width": 32})
    for objective in given.objectives:
        for count in given.cells:
            train = Train(batch_size=64, d_steps=1, latent_size=16)
            cells = [
                Cell(objectives.create(objective), architecture, Part("dataset", "ring8", {}), train, seed)
                for seed in range(count)
            ]
            once, twice = (launches(cells, points, steps) for steps in (STEPS, 2 * STEPS))
            per_step = {name: (twice[name] - once[name]) / STEPS for name in twice if twice[name] > once[name]}
            sys.stdout.write(f"{objective}, {count:2} cells: {sum(per_step.values()):.0f} launches per step\n")
            if given.verbose:
                for name, number in sorted(per_step.items(), key=lambda pair: -pair[1]):
                    sys.stdout.write(f"    {name} {number:.2f}\n")


if __name__ == "__main__":
    main()
