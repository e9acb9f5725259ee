"""The objectives of a cohort's cells as one: losses side by side, penalties with a weight per cell."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugins import Critic, Loss, Noise, Normalisation, Penalty, Projection
from ganbench.registry import Part
from ganbench.suite.cells import Cell


class MixedLoss:
    """The loss of every cell: neighbours with an equal loss are computed together."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Take one loss per cell, in the order of the cells."""
        runs = [(part, len(list(group))) for part, group in itertools.groupby(parts)]
        ends = list(itertools.accumulate(length for _, length in runs))
        self._runs: list[tuple[Loss, slice]] = [
            (part.create(), slice(end - length, end)) for (part, length), end in zip(runs, ends, strict=True)
        ]
        self.needs_real = any(getattr(loss, "needs_real", True) for loss, _ in self._runs)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D of every cell `(cells,)` from logits `(cells, batch)`."""
        return torch.cat([loss.discriminator(real[rows], fake[rows]) for loss, rows in self._runs])

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G of every cell `(cells,)` from logits `(cells, batch)`."""
        return torch.cat([loss.generator(real[rows], fake[rows]) for loss, rows in self._runs])


class Restraints:
    """What holds D back: penalties on its loss, projections after its step, normalisations of its weights."""

    def __init__(self, cells: Sequence[Cell], device: torch.device, dtype: torch.dtype) -> None:
        """Take cells that use the same penalties in the same order."""
        kinds = zip(*(cell.objective.penalties for cell in cells), strict=True)
        plugins = [_across_cells(parts, device, dtype) for parts in kinds]
        self._normalisations = [plugin for plugin in plugins if isinstance(plugin, Normalisation)]
        self._projections = [plugin for plugin in plugins if isinstance(plugin, Projection)]
        self._penalties = [
            plugin
            for plugin in plugins
            if isinstance(plugin, Penalty) and not isinstance(plugin, Normalisation | Projection)
        ]
        self._states: list[dict[str, Tensor]] = []

    def start(self, parameters: Mapping[str, Tensor], noise: Noise) -> None:
        """Make the state of the normalisations for D's first parameters."""
        self._states = [plugin.start(parameters, noise) for plugin in self._normalisations]

    def advance(self, parameters: Mapping[str, Tensor]) -> None:
        """Bring the normalisations up to date before a D step."""
        pairs = zip(self._normalisations, self._states, strict=True)
        self._states = [plugin.advance(parameters, state) for plugin, state in pairs]

    def normalised(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters that D's forward pass uses."""
        used = dict(parameters)
        for plugin, state in zip(self._normalisations, self._states, strict=True):
            used = plugin.normalised(used, state)
        return used

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor | None:
        """Return the sum of all penalties `(cells,)`, or None when the objective has none."""
        terms = [plugin(critic, real, fake, noise) for plugin in self._penalties]
        return torch.stack(terms).sum(0) if terms else None

    def after_step(self, flat: Tensor) -> None:
        """Project D's parameters after its step, in place."""
        for plugin in self._projections:
            plugin.after_step(flat)


def _across_cells(parts: Sequence[Part], device: torch.device, dtype: torch.dtype) -> Any:
    """Build one plugin for all cells: a parameter in which they differ becomes a tensor over cells."""
    plugin = parts[0].create()
    differing = [name for name, value in parts[0].parameters.items() if any(p.parameters[name] != value for p in parts)]
    allowed = getattr(plugin, "per_cell", ())
    refused = set(differing) - set(allowed)
    if refused:
        raise ValueError(f"{parts[0].name}: cells of one cohort cannot differ in {', '.join(sorted(refused))}")
    tensors = {
        name: torch.tensor([part.parameters[name] for part in parts], device=device, dtype=dtype) for name in differing
    }
    return replace(plugin, **tensors) if tensors else plugin
