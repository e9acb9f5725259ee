"""The losses of a cohort's cells as one: neighbours with an equal loss are computed together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugins import Memory, Remembering, Witness
from ganbench.registry import Part
from ganbench.training.restraints import overwrite


class MixedLoss:
    """The loss of every cell, from what D says: `(cells, batch)` logits, or what the loss's critic gives."""

    def __init__(self, parts: Sequence[Part], device: torch.device, dtype: torch.dtype) -> None:
        """Take one loss per cell, in the order of the cells."""
        runs = [(part, len(list(group))) for part, group in itertools.groupby(parts)]
        ends = list(itertools.accumulate(length for _, length in runs))
        self._runs: list[tuple[Any, slice]] = [
            (part.create(), slice(end - length, end)) for (part, length), end in zip(runs, ends, strict=True)
        ]
        self.needs_real = any(getattr(loss, "needs_real", True) for loss, _ in self._runs)
        started = [
            loss.start(torch.zeros(rows.stop - rows.start, device=device, dtype=dtype))
            if isinstance(loss, Remembering)
            else {}
            for loss, rows in self._runs
        ]
        # One tensor over all cells, of which each run has its part: a checkpoint takes it apart by cells.
        self.memory: Memory = {name: torch.cat([memory[name] for memory in started]) for name in started[0]}
        self._memories: list[Memory] = [
            {name: whole[rows] for name, whole in self.memory.items()} for _, rows in self._runs
        ]

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D of every cell `(cells,)`."""
        return self._joined(lambda loss, memory, r, f: _called(loss.discriminator, r, f, memory), real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G of every cell `(cells,)`."""
        return self._joined(lambda loss, memory, r, f: _called(loss.generator, r, f, memory), real, fake)

    def logits(self, says: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Return one number per sample `(cells, n)` of what D says of n samples, larger for real ones.

        `real` and `fake` are what D says of the batch: a loss on features compares with both.
        """
        if says.ndim == 2:
            return says
        return torch.cat([_logits(loss, says[at], real[at], fake[at]) for loss, at, _ in self._each()])

    def remember(self, real: Tensor, fake: Tensor) -> None:
        """Bring the memories up to date after a D step."""
        for loss, at, memory in self._each():
            if memory:
                overwrite(memory, loss.remember(memory, real[at], fake[at]))

    def remembered(self) -> dict[str, Tensor]:
        """Return what the losses remember, by name `(cells,)`: in a cohort all of them do, or none."""
        return {name: whole.clone() for name, whole in self.memory.items()}

    def _joined(self, compute: Callable[[Any, Memory, Tensor, Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        if len(self._runs) == 1:
            return compute(self._runs[0][0], self._memories[0], real, fake)
        # Split at once, not cut out one by one: the gradients are then joined, not added up.
        sizes = [rows.stop - rows.start for _, rows in self._runs]
        shared = zip(self._each(), torch.split(real, sizes), torch.split(fake, sizes), strict=True)
        return torch.cat([compute(loss, memory, r, f) for (loss, _, memory), r, f in shared])

    def _each(self) -> Iterator[tuple[Any, slice, Memory]]:
        for (loss, at), memory in zip(self._runs, self._memories, strict=True):
            yield loss, at, memory


def _called(compute: Callable[..., Tensor], real: Tensor, fake: Tensor, memory: Memory) -> Tensor:
    return compute(real, fake, memory) if memory else compute(real, fake)


def _logits(loss: Any, says: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    return loss.witness(says, real, fake) if isinstance(loss, Witness) else -says[..., 0]


def across_cells(parts: Sequence[Part], device: torch.device, dtype: torch.dtype) -> Any:
    """Build one plugin for all cells: a parameter in which they differ becomes a tensor over cells."""
    plugin = parts[0].create()
    differing = [name for name, value in parts[0].parameters.items() if any(p.parameters[name] != value for p in parts)]
    refused = set(differing) - set(getattr(plugin, "per_cell", ()))
    if refused:
        raise ValueError(f"{parts[0].name}: cells of one cohort cannot differ in {', '.join(sorted(refused))}")
    tensors = {
        name: torch.tensor([part.parameters[name] for part in parts], device=device, dtype=dtype) for name in differing
    }
    return replace(plugin, **tensors) if tensors else plugin
