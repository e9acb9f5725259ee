"""A store that a small suite left, made by what workers do, without the workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

SUITE = """
name: small
objectives: [hinge, {objective: hinge, techniques: [conditional], label: told}]
datasets: [digits, ring8]
architectures: {ring8: {mlp: {width: 8, depth: 1}}, default: {dcgan: {width: 4}}}
seeds: [3]
train: {g_steps: 20, batch_size: 16, latent_size: 8, ema: 0.9}
evaluate: {samples: 160, reference: 300, every: 10}
overrides:
  - {match: {dataset: ring8, objective: told}, evaluate: {samples: 120}}
"""


@dataclass(frozen=True)
class Trained:
    """A store, and the folders of its cells by objective and dataset."""

    root: Path
    cells: dict[tuple[str, str], Path]
    scores: dict[tuple[str, str], Path]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from ganbench.execution.surroundings import Surroundings
    from ganbench.execution.tasks import CohortRun, Preparation
    from ganbench.paths import cache_root, data_root
    from ganbench.planning import Options, make_plan
    from ganbench.suite.record import suite_record

    folder = tmp_path_factory.mktemp("trained")
    suite = folder / "small.yaml"
    suite.write_text(SUITE)
    plan = make_plan(suite, Options(folder / "runs", device="cpu", workers=1))
    surroundings = Surroundings(plan.store.root, data_root(), cache_root())
    for cohort in plan.cohorts:
        settings = cohort.scoring.settings
        Preparation(cohort.cells[0].dataset, settings, surroundings, "data").work("cpu", lambda _: None)
        CohortRun(cohort, surroundings).work("cpu", lambda _: None)
    plan.store.write_suite(suite_record(plan.suite, [entry.planned for entry in plan.entries], "2026-11-01T00:00:00Z"))
    cells, scores = {}, {}
    for entry in plan.entries:
        name = (entry.planned.objective.label, entry.planned.dataset.label)
        cells[name] = plan.store.cell_folder(entry.planned.cell.key)
        scores[name] = cells[name] / "scores" / entry.planned.scoring.key / "scores.json"
    return Trained(plan.store.root, cells, scores)
