"""How the training of cells ended: with a result, or with a failure that is told from any other."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ganbench.records import Outcome, Status
from ganbench.suite.cells import Cell

if TYPE_CHECKING:
    import torch

    from ganbench.training.loop import Trained


@dataclass(frozen=True)
class Failure:
    """Why a cohort could not be trained: a sentence, the traceback, whether it was for want of memory."""

    reason: str
    told: str
    memory: bool

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Keep what there is to say of an error, and nothing that it holds."""
        import torch

        memory = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
        told = "".join(traceback.format_exception(error))
        return cls(f"{type(error).__name__}: {error}".removesuffix(": "), told, memory)


def facts_of(cell: Cell) -> dict[str, float]:
    """Ask the cell's architecture what it knows of the cell without training."""
    known = getattr(cell.architecture.create(), "facts", None)
    return known(cell) if known else {}


def ended(cell: Cell, result: Trained, cost: Status) -> Status:
    """Say how the cell's training ended, with what it cost."""
    outcome: Outcome = "completed"
    reason = ""
    if result.diverged_at is not None:
        outcome, reason = "diverged", f"not finite at G step {result.diverged_at}"
    elif result.step < cell.train.g_steps:
        outcome = "timed_out"
        reason = f"stopped after {cost.train_seconds:.0f} s, at G step {result.step} of {cell.train.g_steps}"
    return replace(
        cost,
        outcome=outcome,
        step=result.step,
        reason=reason,
        d_updates=result.d_updates,
        g_updates=result.g_updates,
        images_seen=result.d_updates * cell.train.batch_size,
        d_parameters=result.d_parameters,
        g_parameters=result.g_parameters,
        snapshot_steps=tuple(sorted(result.snapshots)),
    )


def device_name(device: torch.device) -> str:
    """Name a device for people: a GPU by its model."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
