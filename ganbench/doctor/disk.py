"""Room on the disks: what is free where a run writes, and what the suite will write."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ganbench.doctor.finding import Finding, nearest, sized
from ganbench.doctor.supplies import cache_folder
from ganbench.store import Store, StoreError
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.cohorts import look_up
from ganbench.suite.plan import Planned

LITTLE = 1_000_000_000  # bytes free, where nobody knows how many are needed
SPARE = 2  # times what will be written: MLflow keeps copies, and an estimate is one
TEXT = 200_000  # bytes of a cell's trace, scores and status, and of its run in MLflow
CHECKPOINT = 4  # times its parameters: two moments of each, and an average of G's
TRAINING = 64  # cells at once, at most, that have a checkpoint
EMPTY = 1_500_000  # bytes of an MLflow database with nothing in it
PICTURES, POINTS = 64, 2000  # samples kept of a cell
BY_STEP, DRAWN = 600_000, 40_000  # bytes of the pictures of its steps, at most, and of what is drawn of points


def disk(planned: Sequence[Planned] | None, store: Store, data_root: Path, cache: Path) -> Iterator[Finding]:
    """Hold what is free at store, cache and data against what the cells that are left will write (`planned`)."""
    yield cache_folder(cache)
    needed = None if planned is None else estimate(left(planned, store))
    yield _room("disk of the store", store.root, needed)
    seen = {_device(store.root)}
    for what, folder in (("cache", cache), ("data", data_root)):
        if _device(folder) not in seen:
            seen.add(_device(folder))
            yield _room(f"disk of the {what}", folder, None)


def left(planned: Sequence[Planned], store: Store) -> list[tuple[Cell, Scoring]]:
    """List the cells that are left to train, each once."""
    try:
        entries = [entry.planned for entry in look_up(planned, store) if entry.state == "to train"]
    except StoreError:  # which the check of the store tells: what it holds is then not known
        entries = list(planned)
    found = {row.cell.key: (row.cell, row.scoring) for row in entries if row.cell and row.scoring}
    return list(found.values())


def estimate(cells: Sequence[tuple[Cell, Scoring]]) -> int:
    """Return about how many bytes these cells will leave: parameters by step, samples, pictures, text; a checkpoint.

    Networks are built without their numbers, one for each shape.
    """
    from ganbench.training.networks import has_beliefs, has_surface

    sizes: dict[str, tuple[int, int]] = {}
    written, largest = 0, 0
    for cell, scoring in cells:
        if (kind := _kind(cell)) not in sizes:
            sizes[kind] = _parameters(cell)
        g, d = sizes[kind]
        judged = len(scoring.steps) if has_beliefs(cell) else has_surface(cell)
        numbers, images = math.prod(cell.dataset.create().shape), len(cell.dataset.create().shape) == 3
        drawn = min(BY_STEP, 16 * numbers * len(scoring.steps)) if images else DRAWN
        samples = drawn + numbers * (PICTURES if images else 4 * POINTS)
        written += 4 * (len(scoring.steps) * g + judged * d) + (samples if scoring.wanted else 0) + TEXT
        largest = max(largest, 4 * CHECKPOINT * (g + d))
    return written + largest * min(len(cells), TRAINING) + (EMPTY if cells else 0)


def _kind(cell: Cell) -> str:
    objective = cell.objective
    return (
        f"{cell.architecture.label} {cell.dataset.label} {cell.train.latent_size} {objective.loss.label} "
        + " ".join(part.label for part in objective.techniques)
    )


def _parameters(cell: Cell) -> tuple[int, int]:
    """Count the parameters of G and D."""
    import torch

    from ganbench.training.networks import build_networks

    dataset = cell.dataset.create()
    with torch.device("meta"):
        g, d = build_networks(cell, dataset.shape, dataset.classes)
    return sum(p.numel() for p in g.parameters()), sum(p.numel() for p in d.parameters())


def _room(what: str, folder: Path, needed: int | None) -> Finding:
    place = nearest(folder)
    free = shutil.disk_usage(place).free
    said = f"{sized(free)} free at {place}"
    if needed:
        said = f"{said}; the suite will write about {sized(needed)}"
    if needed and free < needed:
        return Finding(what, "problem", said, "make room, name another folder, or score at fewer steps")
    if free < (SPARE * needed if needed else LITTLE):
        level = "problem" if free < LITTLE // 20 else "note"
        return Finding(what, level, said, "make room before a long run")  # type: ignore[arg-type]
    return Finding(what, "ok", said)


def _device(folder: Path) -> int:
    return nearest(folder).stat().st_dev
