"""From the stored generators of a cohort to stored scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.sampling import Sampler
from ganbench.store import Scores, Status, Store
from ganbench.suite.cells import Cell, Scoring


def score_cohort(
    store: Store,
    cells: Sequence[Cell],
    scoring: Scoring,
    roots: tuple[Path, Path],
    device: torch.device,
    begun: Callable[[int, int], None],
    scored: Callable[[Cell], None],
) -> None:
    """Score the trained cells of a cohort and store their scores.

    `roots` are the folders of data and of the cache. `begun(position, cells)` hears before each cell, `scored(cell)`
    after it.
    """
    trained = [cell for cell in cells if _scorable(store.status(cell.key))]
    if not trained:
        return
    evaluator = Evaluator(trained[0].dataset, scoring.settings, *roots, str(device))
    for position, cell in enumerate(trained):
        begun(position, len(trained))
        score_cell(store, cell, scoring, evaluator, device)
        scored(cell)


def score_cell(
    store: Store,
    cell: Cell,
    scoring: Scoring,
    evaluator: Evaluator,
    device: torch.device,
) -> None:
    """Score one trained cell at every step of which there is a snapshot, and store the scores."""
    started = time.perf_counter()
    snapshots = store.snapshots(cell.key)
    sampler = Sampler(cell, scoring.settings.samples, device)
    rows: list[dict[str, float | None]] = []
    reasons: dict[str, str] = {}
    samples, evidence = None, None
    for step in [step for step in scoring.steps if str(step) in snapshots]:
        samples = sampler.draw(snapshots[str(step)])
        evidence = evaluator.read(samples, cell.seed, sampler.labels)
        values, missing = evaluator.values(evidence, sampler.labels is not None)
        rows.append({"step": step, **values})
        reasons |= missing
    per_class: tuple[Mapping[str, float | None], ...] = ()
    if evidence is not None:
        per_class, missing = evaluator.by_class(evidence)
        reasons |= missing
    scores = Scores(
        protocol_id=evaluator.protocol_id,
        protocol=evaluator.protocol,
        better=evaluator.better,
        rows=tuple(rows),
        reasons=reasons,
        evaluate_seconds=time.perf_counter() - started,
        per_class=per_class,
    )
    kept = None if samples is None else evaluator.quantise(samples[: 64 if samples.ndim == 4 else 2000]).numpy()
    store.write_scores(cell.key, scoring.key, scores, kept)


def _scorable(status: Status | None) -> bool:
    return status is not None and status.outcome in ("completed", "diverged")
