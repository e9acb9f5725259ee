"""How fast training goes once it runs: a window of steps is timed, of the plain loop and of ganbench's alike."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import plain
import torch
from work import Work

from ganbench.execution import local
from ganbench.execution.messages import Message, Tell
from ganbench.suite.cells import Cell, scoring_steps
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort
from ganbench.training.precision import Precision

# A real run, of which the first steps are trained: its trace's cadence, and the steps over which its start is spread.
G_STEPS: int = Train().g_steps
WARM = 3  # steps at least, before the clock starts
PATIENCE = 300  # seconds that one worker waits for another


@dataclass(frozen=True)
class Pace:
    """Seconds of one G step of all cells, and those that the start took beyond the steps it went with."""

    step: float
    start: float

    @property
    def of_a_run(self) -> float:
        """Seconds per G step of a run of G_STEPS, start included."""
        return self.step + self.start / G_STEPS


class Enough(Exception):  # noqa: N818 - it says that the window is over, not that anything went wrong
    """Ends a training whose window has been timed."""


@dataclass(frozen=True)
class Together:
    """Workers that start their windows at the same moment, and train on until the last one has ended."""

    parties: int
    start: Barrier
    ended: Any

    @classmethod
    def of(cls, parties: int) -> Together:
        context = get_context("forkserver")
        return cls(parties, context.Barrier(parties), context.Value("i", 0))


class Window:
    """Is told of every G step; times those that end within so many seconds, once a quarter of that has passed."""

    def __init__(self, seconds: float, device: torch.device, together: Together | None = None) -> None:
        self._seconds, self._device, self._together = seconds, device, together
        self._called = time.perf_counter()
        self._warm: tuple[int, float, float] | None = None
        self._pace: Pace | None = None

    def __call__(self, step: int) -> None:
        now = time.perf_counter()
        if self._warm is None:
            if step >= WARM and now - self._called >= self._seconds / 4:
                self._begin(step)
        elif self._pace is None:
            if now - self._warm[2] >= self._seconds or step == G_STEPS:
                self._end(step)
        elif self._together is None or self._together.ended.value == self._together.parties:
            raise Enough

    def pace(self) -> Pace:
        if self._pace is None:
            raise RuntimeError(f"all {G_STEPS} steps were over before the window was: ask for fewer --seconds")
        return self._pace

    def _begin(self, step: int) -> None:
        came = self._now()
        if self._together is not None:
            self._together.start.wait(PATIENCE)
        self._warm = step, came, time.perf_counter()

    def _end(self, step: int) -> None:
        assert self._warm is not None
        warm, came, began = self._warm
        per_step = (self._now() - began) / (step - warm)
        self._pace = Pace(per_step, max(came - self._called - warm * per_step, 0.0))
        if self._together is not None:
            with self._together.ended.get_lock():
                self._together.ended.value += 1

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()


def of_plain(cell: Cell, data: torch.Tensor, seconds: float, precision: str = "float32") -> Pace:
    """Time the plain loop on one cell."""
    window = Window(seconds, data.device)
    with Precision(precision, data.device).session(), suppress(Enough):
        for step, _ in enumerate(plain.steps(cell, data, precision), start=1):
            window(step)
    return window.pace()


def of_a_run(cells: Sequence[Cell]) -> list[Cell]:
    """Have the cells train for G_STEPS."""
    return [replace(cell, train=cell.train.model_copy(update={"g_steps": G_STEPS})) for cell in cells]


def of_cohort(cells: Sequence[Cell], data: torch.Tensor, seconds: float, together: Together | None = None) -> Pace:
    """Time ganbench's loop on one cohort, in this process: the first steps of a run of G_STEPS, with its trace."""
    window = Window(seconds, data.device, together)
    with suppress(Enough):
        train_cohort(of_a_run(cells), data, scoring_steps(G_STEPS, None), each=window)
    return window.pace()


@dataclass(frozen=True)
class Training:
    """A worker's task: train a cohort and tell its pace."""

    of: Work
    cells: tuple[Cell, ...]
    seconds: float
    together: Together

    @property
    def name(self) -> str:
        return f"{len(self.cells)} cells"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - a clock of its own
        pace = of_cohort(self.cells, self.of.data(device), self.seconds, self.together)
        tell(Message("done", text=json.dumps([pace.step, pace.start])))


def of_workers(work: Work, processes: int, seconds: float, device: str) -> list[list[Pace]]:
    """Time ganbench's loop as a run trains: in worker processes, all at once; each one's paces, a cohort after another.

    Process start is not timed: the windows begin when all workers are warm.
    """
    cohorts, paces = work.cohorts(processes), [[] for _ in range(processes)]
    for first in range(0, len(cohorts), processes):
        share = cohorts[first : first + processes]
        together = Together.of(len(share))
        tasks = [Training(work, cohort.cells, seconds, together) for cohort in share]
        told: dict[int, Message] = {}
        local.run(tasks, [device] * len(tasks), lambda slot, _, message, told=told: told.update({slot: message}))
        for slot in range(len(share)):
            if told[slot].kind != "done":
                raise RuntimeError(f"a worker failed: {told[slot].text}\n{told[slot].detail}")
            paces[slot].append(Pace(*json.loads(told[slot].text)))
    return paces
