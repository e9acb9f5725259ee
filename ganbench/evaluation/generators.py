"""Generators as a store keeps them: a cell's folder, and samples drawn from it as suites draw them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.registry import Part
from ganbench.store import StoreError
from ganbench.store_files import opened
from ganbench.suite.cells import Cell
from ganbench.suite.stored import stored_cell
from ganbench.techniques.conditioning import conditioning_of

if TYPE_CHECKING:
    from torch import Tensor

CELL, SNAPSHOTS = "cell.json", "snapshots.safetensors"
LISTED = 3  # cells of a store that a message names


@dataclass(frozen=True)
class StoredGenerator:
    """A trained generator: the cell that it belongs to, its folder and the G steps of which there are parameters.

    `cell.seed` is that of its `evaluation` stream.
    """

    folder: Path
    cell: Cell
    steps: tuple[int, ...]

    @property
    def labelled(self) -> bool:
        """Whether the generator is told a class."""
        conditioning = conditioning_of(self.cell.objective.techniques)
        return conditioning is not None and conditioning.needs_labels

    @property
    def averaged(self) -> str:
        """Say which parameters are stored: averages over training, or those of the step itself."""
        ema = self.cell.train.ema
        return f"averaged over G steps, decay {ema:g}" if ema else "of the step itself, no average (EMA)"

    def seeded(self, seed: int | None) -> StoredGenerator:
        """Draw from the streams of another seed; None: the cell's own, which its stored scores are of."""
        return self if seed is None else replace(self, cell=replace(self.cell, seed=seed))

    def step(self, asked: int | None) -> int:
        """Return the step asked for, or the last; StoreError says which there are."""
        if asked is None:
            return self.steps[-1]
        if asked not in self.steps:
            listed = ", ".join(map(str, self.steps))
            raise StoreError(f"{self.folder}: no generator of step {asked} is stored (steps: {listed})")
        return asked

    def draw(self, count: int, step: int, device: str, label: int | None = None) -> tuple[Tensor, Tensor | None]:
        """Draw samples `(count, *shape)`, images in [-1, 1], and the classes asked for, `(count,)` or None.

        Without a `label` these are the samples that a suite scores: classes come in turn. Raises StoreError when the
        generator does not fit the cell, or is told no class.
        """
        import torch

        from ganbench.evaluation.sampling import Sampler
        from ganbench.training.players import WHOLE

        self._check(label)
        with opened(self.folder / SNAPSHOTS) as file:
            flat = file.get_tensor(str(step))
        if flat.ndim != 1 or not flat.is_floating_point():
            raise StoreError(
                f"{self.folder}: what is stored of G step {step} is no generator ({flat.dtype}, {flat.ndim}-D)"
            )
        sampler = Sampler([self.cell], count, torch.device(device), label)
        if not 0 <= flat.numel() - sampler.size < WHOLE:
            raise StoreError(
                f"{self.folder}: the stored generator has {flat.numel()} parameters, and the one that {CELL} describes "
                f"on {self.cell.dataset.label} takes {sampler.size}"
            )
        return sampler.draw(flat[None])[0].cpu(), sampler.labels

    def beliefs(self, step: int, device: str) -> Callable[[Tensor], Tensor] | None:
        """Return what the D of a step believes, as `ganbench.evaluation.beliefs` does; None where it was not kept."""
        import torch

        from ganbench.evaluation.beliefs import beliefs

        with opened(self.folder / SNAPSHOTS) as file:
            name = f"d/{step}"
            flat = file.get_tensor(name) if name in file.keys() else None  # noqa: SIM118 - no mapping
        return None if flat is None else beliefs(self.cell, flat, torch.device(device))

    def _check(self, label: int | None) -> None:
        if label is None:
            return
        classes = self.cell.dataset.create().classes
        if not self.labelled or not classes:
            raise StoreError(f"--label {label}: the generator of {self.folder} is not told a class")
        if not 0 <= label < classes:
            raise StoreError(f"--label {label}: the classes are 0 to {classes - 1}")


def holds_generator(folder: Path) -> bool:
    """Whether a folder is a cell's, to be opened as a checkpoint."""
    return (folder / CELL).is_file()


def open_generator(folder: Path, dataset: Part | None = None) -> StoredGenerator:
    """Read what a cell's folder holds; `dataset` is as `stored_cell` takes it.

    Raises StoreError when the folder holds no generator, or one that cannot be built here.
    """
    if not holds_generator(folder):
        raise StoreError(no_generator(folder))
    steps = _steps(folder / SNAPSHOTS)
    if not steps:
        raise StoreError(f"{folder} holds no generator: {_why_none(folder)}")
    return StoredGenerator(folder, stored_cell(folder / CELL, dataset), steps)


def no_generator(folder: Path) -> str:
    """Say that a folder is no cell's, and which ones there are nearby."""
    said = f"{folder} is no checkpoint (the folder of a trained cell, with {CELL} and {SNAPSHOTS})"
    for cells in (folder / "cells", folder if folder.name == "cells" else folder.parent):
        keys = sorted(path.parent.name for path in cells.glob(f"*/{CELL}")) if cells.name == "cells" else []
        if keys:
            begin = [key for key in keys if key.startswith(folder.name)][:LISTED]
            near = begin or difflib.get_close_matches(folder.name, keys, n=1)
            shown = [*near, *(key for key in keys if key not in near)][:LISTED]
            more = f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
            return f"{said}; {cells} has {'; '.join(_told(cells / key) for key in shown)}{more}"
    return said if folder.exists() else f"{said}: there is no such folder"


def _steps(path: Path) -> tuple[int, ...]:
    """List the steps of which there are parameters of G: other tensors in the file have names that are no steps."""
    if not path.is_file():
        return ()
    with opened(path) as file:
        return tuple(sorted(int(name) for name in file.keys() if name.isdecimal()))  # noqa: SIM118 - no mapping


def _why_none(folder: Path) -> str:
    try:
        status = json.loads((folder / "status.json").read_text())
        return f"its training {status['outcome']} at G step {status['step']} ({status['reason'] or 'no reason given'})"
    except (OSError, ValueError, LookupError, TypeError):
        return f"there is no {SNAPSHOTS} in it, or none of a step"


def _told(folder: Path) -> str:
    """Name a cell by its folder and what it is."""
    try:
        found = json.loads((folder / CELL).read_text())
        parts: Sequence[str] = (found["objective"]["loss"]["name"], found["dataset"]["name"], str(found["seed"]))
        return f"{folder.name} ({parts[0]} on {parts[1]}, seed {parts[2]})"
    except (OSError, ValueError, LookupError, TypeError):
        return folder.name
