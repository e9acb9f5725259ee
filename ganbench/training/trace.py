"""What a cell records while it trains, kept on the device and read once at the end."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

RECORDS = 200
TOGETHER = 32
SERIES = (
    "d_loss",
    "d_penalty",
    "g_loss",
    "real_logit",
    "fake_logit",
    "d_accuracy",
    "d_grad_norm",
    "g_grad_norm",
)
STEPS = "step"


class Trace:
    """Records of every cell at a cadence that gives about 200 over the whole training."""

    def __init__(self, g_steps: int) -> None:
        """Take the number of G steps that are to come."""
        self._cadence = max(1, g_steps // RECORDS)
        self._last = g_steps
        self._steps: list[int] = []
        self._names: tuple[str, ...] = SERIES
        self._records: list[Tensor] = []

    def wants(self, step: int) -> bool:
        """Whether the G step that ends as number `step` is one to record."""
        return step == 1 or step % self._cadence == 0 or step == self._last

    def add(self, step: int, values: dict[str, Tensor]) -> None:
        """Keep one value per cell `(cells,)` of every series in SERIES, and of whatever else there is."""
        self._steps.append(step)
        self._names = (*SERIES, *(name for name in values if name not in SERIES))
        self._records.append(torch.stack([values[name] for name in self._names]))

    def state(self) -> dict[str, Tensor]:
        """Return all that is recorded, `(cells, records)` by series, with the steps of the records."""
        if not self._records:
            return {}
        found = dict(zip(self._names, torch.stack(self._records, dim=-1), strict=True))
        return {**found, STEPS: torch.tensor(self._steps).expand(self._records[0].shape[1], -1)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up what another trace recorded."""
        if state:
            self._names = (*SERIES, *(name for name in state if name not in (*SERIES, STEPS)))
            self._steps = state[STEPS][0].tolist()
            self._records = list(torch.stack([state[name] for name in self._names]).unbind(-1))

    def rows(self, cell: int) -> list[dict[str, float]]:
        """Return one cell's records, oldest first."""
        if not self._records:
            return []
        table = torch.stack([record[:, cell] for record in self._records]).double().tolist()
        return [
            {"step": float(step), **dict(zip(self._names, row, strict=True))}
            for step, row in zip(self._steps, table, strict=True)
        ]


class Ends:
    """The G step at which each cell stopped being finite: looked at on the device, a few dozen steps at a time."""

    def __init__(self, cells: int, device: torch.device) -> None:
        """Take the number of cells."""
        self._ends = torch.zeros(cells, dtype=torch.int64, device=device)
        self._values: list[Tensor] = []
        self._first = 1

    def see(self, values: Sequence[Tensor]) -> None:
        """Take what is finite, `(cells,)` each, while a cell is, of the next step."""
        self._values.append(torch.stack(list(values)))
        if len(self._values) == TOGETHER:
            self._settle()

    def restore(self, ends: Tensor, step: int) -> None:
        """Go on after `step`, with what is known up to there: `(cells,)` as `steps` gives it."""
        self._ends, self._values, self._first = ends.clone(), [], step + 1

    def steps(self) -> list[int]:
        """Return each cell's last step, 0 where all of it has been finite."""
        self._settle()
        found: list[int] = self._ends.tolist()
        return found

    def _settle(self) -> None:
        if not self._values:
            return
        lost = ~torch.stack(self._values).isfinite().all(1)
        first = self._first + lost.int().argmax(0)
        self._ends = torch.where((self._ends == 0) & lost.any(0), first, self._ends)
        self._first += len(self._values)
        self._values = []


def accuracy(real: Tensor, fake: Tensor) -> Tensor:
    """Return the share of samples that D puts on the right side of zero, half of it from each kind: `(cells,)`.

    For objectives whose logits have no zero point (the relativistic and Wasserstein ones) it means little.
    """
    right = (real > 0).float().mean(-1) + (fake < 0).float().mean(-1)
    return right.to(real.dtype) / 2
