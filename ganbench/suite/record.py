"""The record of a suite's run: its cells with their labels, and what a report says of datasets and objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganbench.evaluation.settings import titles
from ganbench.records import Listed, SuiteRecord
from ganbench.registry import Part
from ganbench.suite.plan import Planned
from ganbench.suite.schema import Suite


def suite_record(suite: Suite, rows: Sequence[Planned], began: str) -> SuiteRecord:
    """Describe a run of a suite that began at a moment: enough to make its report from the store alone."""
    by_dataset = {row.dataset.label: row for row in rows}
    by_objective = {row.objective.label: row for row in rows}
    return SuiteRecord(
        name=suite.name,
        listed=tuple(_listed(row) for row in rows),
        source=suite.source,
        started=began,
        datasets={label: _about_dataset(row) for label, row in by_dataset.items()},
        objectives={label: _about_objective(row) for label, row in by_objective.items()},
        plugins=suite.plugins,
    )


def _listed(row: Planned) -> Listed:
    return Listed(
        key=row.cell.key if row.cell else "",
        evaluation_key=row.scoring.key if row.scoring else "",
        objective=row.objective.label,
        architecture=row.architecture.label,
        dataset=row.dataset.label,
        seed=row.seed,
        settings=row.train.model_dump(mode="json"),
        swept=row.swept,
        skipped=row.skipped,
        scoring=row.scoring is None or row.scoring.wanted,
    )


def _about_dataset(row: Planned) -> dict[str, Any]:
    source = row.dataset.value.create()
    centres = getattr(source, "centres", None)
    metrics: Sequence[Part] = row.scoring.settings.metrics if row.scoring else ()
    extractors = (None, *(row.scoring.settings.further if row.scoring else ()))
    return {
        "shape": list(source.shape),
        "classes": source.classes,
        "centres": None if centres is None else [list(map(float, centre)) for centre in centres],
        "std": getattr(source, "std", None),
        "titles": {k: v for by in extractors for part in metrics for k, v in titles(part, by).items()},
        "headline": next(iter(metrics[0].create().better)) if metrics else None,
    }


def _about_objective(row: Planned) -> dict[str, Any]:
    objective = row.objective.value
    loss = objective.loss.create()
    return {
        "equilibrium": getattr(loss, "equilibrium", None),
        "d_steps": objective.d_steps,
        "formula": " + ".join([part.label for part in (objective.loss, *objective.penalties, *objective.techniques)]),
    }
