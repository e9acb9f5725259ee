"""Suites of cells that train in no time, and what trains them in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SUITE = """
objectives: [hinge, wgan_gp]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 1
train: {g_steps: 4, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 2, metrics: [fid, modes]}
tune:
  trials: 3
  batch: 2
  seeds_per_trial: 2
  confirm: {k: 2, seeds: 3}
  space:
    g_lr: {log: [1e-4, 1e-1]}
    d_steps: {choice: [1, 2]}
  objectives:
    wgan_gp: {lambda: {log: [0.1, 100]}}
"""


class Trainer:
    """Trains cohorts one after the other, without workers; after `stop_after` cells, Ctrl-C is pressed."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.plans: list[int] = []
        self.stop_after: int | None = None

    def __call__(self, plan):
        from ganbench.execution.surroundings import Surroundings
        from ganbench.execution.tasks import CohortRun, Preparation
        from ganbench.paths import cache_root, data_root
        from ganbench.runner import Result

        surroundings = Surroundings(plan.store.root, data_root(), cache_root())
        self.plans.append(sum(len(cohort.cells) for cohort in plan.cohorts))
        for cohort in plan.cohorts:
            if self.stop_after is not None and len(self.cells) >= self.stop_after:
                raise KeyboardInterrupt
            Preparation(cohort.cells[0].dataset, cohort.scoring.settings, surroundings, "data").work("cpu", _ignored)
            CohortRun(cohort, surroundings).work("cpu", _ignored)
            self.cells += [cell.key for cell in cohort.cells]
        return Result(Counter(completed=1))


def _ignored(_: object) -> None: ...


@dataclass
class Bench:
    """Tunes suites in a folder; `trainer` counts what is trained."""

    folder: Path
    trainer: Trainer

    def plan(self, text: str = SUITE, name: str = "suite", store: str = "runs", **more: Any):
        from ganbench.planning import Options
        from ganbench.tuning.tuner import make_tune_plan

        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return make_tune_plan(path, Options(self.folder / store, device="cpu", workers=1), **more)

    def tune(self, text: str = SUITE, train: Callable[..., Any] | None = None, tracking: Any = None, **more: Any):
        from ganbench.tuning.tuner import tune

        chosen = train or self.trainer
        return tune(self.plan(text, **more), chosen, chosen, lambda _: None, tracking)

    def scores(self, row, value: str) -> list[float]:
        """What the store has of a planned cell, step by step."""
        from ganbench.store import Store

        return [entry[value] for entry in Store(self.folder / "runs").scores(row.cell.key, row.scoring.key).rows]


@pytest.fixture(scope="session")
def suite_text() -> str:
    return SUITE


@pytest.fixture(scope="session")
def alone_text() -> str:
    """The same with one objective, which has no parameter of its own."""
    return SUITE.replace("[hinge, wgan_gp]", "[minimax]").partition("  objectives:")[0]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # A third of the time of such small cells; what a power cut leaves is not what is tested here.
    monkeypatch.setattr("os.fsync", lambda _: None)
    return Bench(tmp_path, Trainer())


@pytest.fixture(scope="session")
def bench_in():
    """Make a bench in a folder, for results that several tests look at."""
    return lambda folder: Bench(folder, Trainer())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory):
    """A suite that has been tuned, and what came of it: not to be changed."""
    bench = Bench(tmp_path_factory.mktemp("finished"), Trainer())
    return bench, bench.tune()
