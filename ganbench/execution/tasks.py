"""What worker processes do: prepare a dataset and its extractor, or train and score one cohort."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ganbench.checkpoints import EVERY, StoredCheckpoints
from ganbench.registry import Part, load_file
from ganbench.store import Status, Store
from ganbench.suite.cells import Cell
from ganbench.suite.cohorts import Cohort

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganbench.evaluation.settings import EvaluationSettings
    from ganbench.training.loop import Trained
    from ganbench.training.streamed import Streamed


@dataclass(frozen=True)
class Message:
    """What a worker tells its parent: progress (`step` of `steps`, `alive` cells), a cell's end, its own end.

    `error` is an exception that the task could not deal with, `detail` its traceback; `died` is said for a worker
    that no longer can.
    """

    kind: Literal["progress", "scoring", "trained", "scored", "done", "error", "died"]
    step: int = 0
    steps: int = 0
    alive: int = 0
    key: str = ""
    text: str = ""
    detail: str = ""


Tell = Callable[[Message], None]
Real = tuple["Tensor | Streamed", "Tensor | None"]  # samples as stored, and their labels
SHARE_OF_MEMORY = 0.25  # that the real samples may take: larger ones are streamed


@dataclass(frozen=True)
class Surroundings:
    """Where a worker finds and leaves things; nothing here changes a number."""

    store: Path
    data_root: Path
    cache: Path
    plugins: tuple[str, ...] = ()
    provenance: Mapping[str, str] | None = None
    checkpoint_seconds: float = EVERY

    def load_plugins(self) -> None:
        """Register what the suite's local plugin files define."""
        for path in self.plugins:
            load_file(Path(path))


def training_data(dataset: Part, root: Path, device: torch.device) -> Real:
    """Read the train split of a prepared dataset to where it is trained on, or stream it there if it is too large."""
    import torch

    from ganbench.training.streamed import Streamed

    split = dataset.create().load(root, "train")
    labels = None if split.labels is None else torch.from_numpy(split.labels).to(device)
    if split.samples.nbytes > SHARE_OF_MEMORY * _memory(device):
        return Streamed(split.samples, device), labels
    return torch.from_numpy(split.samples).to(device), labels


def _memory(device: torch.device) -> int:
    """Return the bytes that are free on a GPU, or that the machine has."""
    import torch

    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass(frozen=True)
class Preparation:
    """Fetch a dataset, get its extractor ready and compute the real side of its scores."""

    dataset: Part
    settings: EvaluationSettings
    surroundings: Surroundings
    label: str

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        extractors = ", ".join(part.name for part in self.settings.extractors)
        return f"preparing {self.label} ({extractors if self.settings.metrics else 'no scores'})"

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:  # noqa: ARG002 - nothing waits
        """Do it; whatever raises reaches the parent as an error."""
        from ganbench.evaluation.evaluate import prepare

        self.surroundings.load_plugins()
        prepare(self.dataset, self.settings, self.surroundings.data_root, self.surroundings.cache, device)
        tell(Message("done"))


@dataclass(frozen=True)
class CohortRun:
    """Train a cohort where needed, then score its cells; every cell is stored as soon as it is finished."""

    cohort: Cohort
    surroundings: Surroundings

    @property
    def name(self) -> str:
        """Say what is being done, for progress lines."""
        return self.cohort.name

    def work(self, device: str, tell: Tell, started: float | None = None) -> None:
        """Do it: a plugin that raises fails its own cells, and the rest go on.

        `started` is the moment (`time.time()`) at which the parent started this worker.
        """
        started = time.time() if started is None else started
        import torch

        self.surroundings.load_plugins()
        where = torch.device(device)
        store = Store(self.surroundings.store)
        if self.cohort.trains:
            # The preparation has read this once, so what fails here is the machine's doing and no cell's.
            data = training_data(self.cohort.cells[0].dataset, self.surroundings.data_root, where)
            waited = (time.time() - started) / len(self.cohort.cells)
            self._train(self.cohort.cells, data, waited, store, tell)
        if self.cohort.scoring.wanted:
            self._score(store, where, tell)
        tell(Message("done"))

    def _train(self, cells: Sequence[Cell], data: Real, waited: float, store: Store, tell: Tell) -> None:
        from ganbench.training.loop import train_cohort

        started = time.perf_counter()
        steps = cells[0].train.g_steps
        keys, every = [cell.key for cell in cells], self.surroundings.checkpoint_seconds
        kept = StoredCheckpoints(store, keys, self.cohort.step > 0, every)
        failure = None
        try:
            with kept.stoppable():
                results = train_cohort(
                    cells,
                    data[0],
                    self.cohort.scoring.steps,
                    lambda step, alive: tell(Message("progress", step, steps, alive)),
                    labels=data[1],
                    checkpoints=kept,
                )
            facts = [_facts(cell) for cell in cells]
        except Exception as error:  # a plugin may raise anything; its cells are recorded as failed
            # The error itself would keep the failed attempt's tensors alive.
            failure = _Failure.of(error)
        if failure:
            self._train_apart(cells, data, waited, store, tell, failure)
            return
        seconds = time.perf_counter() - started
        cost = Status(
            "completed",
            0,
            train_seconds=kept.spent + seconds / len(cells),
            wait_seconds=waited,
            cohort_seconds=seconds,
            cohort_size=len(cells),
        )
        for cell, result, known in zip(cells, results, facts, strict=True):
            made = replace(cost, provenance=self._made_by(data[0].device, result.execution), facts=known)
            status = _ended(cell, result, made)
            snapshots = {str(step): flat for step, flat in result.snapshots.items()}
            snapshots |= {f"d/{step}": flat for step, flat in result.d_snapshots.items()}
            store.write_training(cell.key, cell.as_json(), status, result.trace, snapshots)
            tell(Message("trained", key=cell.key, text=status.outcome))
        if kept.asked_to_stop:
            # Too near its end for one more checkpoint: what is finished is stored, and scored by the next run.
            sys.exit(0)

    def _train_apart(
        self, cells: Sequence[Cell], data: Real, waited: float, store: Store, tell: Tell, failure: _Failure
    ) -> None:
        """Train fewer cells together: halves where memory was short, else one objective after another.

        The latter finds out whose cells fail, until only one objective is left to blame.
        """
        objectives = {str(cell.objective.as_json()) for cell in cells}
        if failure.memory and len(cells) > 1:
            parts = [cells[: len(cells) // 2], cells[len(cells) // 2 :]]
        else:
            parts = [[cell for cell in cells if str(cell.objective.as_json()) == name] for name in sorted(objectives)]
        if len(parts) > 1:
            for part in parts:
                self._train(part, data, waited, store, tell)
            return
        made_by = self._made_by(data[0].device)
        status = Status("failed", 0, failure.reason, failure.told, wait_seconds=waited, provenance=made_by)
        for cell in cells:
            store.write_training(cell.key, cell.as_json(), status)
            tell(Message("trained", key=cell.key, text="failed"))

    def _score(self, store: Store, device: torch.device, tell: Tell) -> None:
        from ganbench.evaluation.scoring import score_cohort

        score_cohort(
            store,
            self.cohort.cells,
            self.cohort.scoring,
            (self.surroundings.data_root, self.surroundings.cache),
            device,
            lambda done, scores: tell(Message("scoring", done, scores)),
            lambda cell: tell(Message("scored", key=cell.key)),
        )

    def _made_by(self, device: torch.device, execution: str = "") -> dict[str, str]:
        from ganbench.execution.provenance import now

        steps = {"steps": execution} if execution else {}
        return {**(self.surroundings.provenance or {}), "device": _device_name(device), **steps, "finished": now()}


@dataclass(frozen=True)
class _Failure:
    """Why a cohort could not be trained: a sentence, the traceback, whether it was for want of memory."""

    reason: str
    told: str
    memory: bool

    @classmethod
    def of(cls, error: Exception) -> _Failure:
        """Keep what there is to say of an error, and nothing that it holds."""
        import torch

        memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
        told = "".join(traceback.format_exception(error))
        return cls(f"{type(error).__name__}: {error}", told, memory)


def _facts(cell: Cell) -> dict[str, float]:
    """Ask the cell's architecture what it knows of the cell without training."""
    known = getattr(cell.architecture.create(), "facts", None)
    return known(cell) if known else {}


def _ended(cell: Cell, result: Trained, cost: Status) -> Status:
    """Say how the cell's training ended, with what it cost."""
    return replace(
        cost,
        outcome="completed" if result.diverged_at is None else "diverged",
        step=result.diverged_at or cell.train.g_steps,
        reason="" if result.diverged_at is None else f"not finite at G step {result.diverged_at}",
        d_updates=result.d_updates,
        g_updates=result.g_updates,
        images_seen=result.d_updates * cell.train.batch_size,
        d_parameters=result.d_parameters,
        g_parameters=result.g_parameters,
        snapshot_steps=tuple(sorted(result.snapshots)),
    )


def _device_name(device: torch.device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
