"""Suites of cells that train in no time, and what trains them in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SUITE = """
objectives: [hinge, wgan_gp]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 1
train: {g_steps: 10, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 5, metrics: [fid, modes]}
tune:
  trials: 4
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
    """Trains cohorts one after the other, without workers, and counts cells; `stop_after` cells it is interrupted."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self.plans: list[int] = []
        self.stop_after: int | None = None

    def __call__(self, plan):
        from ganbench.execution.tasks import CohortRun, Preparation, Surroundings
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


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    yield Trainer()


@pytest.fixture
def tune_plan(tmp_path: Path) -> Callable[..., object]:
    """Make the plan of tuning a suite in a store of this test's own."""
    from ganbench.planning import Options
    from ganbench.tuning.tuner import make_tune_plan

    def made(text: str = SUITE, name: str = "suite", store: str = "runs", **more: object):
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return make_tune_plan(path, Options(tmp_path / store, device="cpu", workers=1), **more)

    return made


@pytest.fixture
def tuned(trainer: Trainer) -> Callable[..., object]:
    """Tune, and return what came of it."""
    from ganbench.tuning.tuner import tune

    return lambda made, train=trainer: tune(made, train, train, lambda _: None)
