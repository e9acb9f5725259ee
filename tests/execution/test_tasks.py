"""What a worker leaves behind when a plugin fails it."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench import dirac, losses, metrics
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.execution.messages import Message
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun
from ganbench.objectives import Objective
from ganbench.store import Store
from ganbench.suite.cells import Cell, Scoring
from ganbench.suite.cohorts import Cohort
from ganbench.training import loop


def run(cells: list[Cell], tmp_path: Path) -> Store:
    settings = EvaluationSettings(10, extractors.part("identity", {}), (metrics.registry.part("fid", {}),))
    cohort = Cohort(tuple(cells), Scoring(settings, (5,)), trains=True)
    told: list[Message] = []
    CohortRun(cohort, Surroundings(tmp_path / "runs", tmp_path, tmp_path / "cache")).work("cpu", told.append)
    assert told[-1].kind == "done"
    return Store(tmp_path / "runs")


def cells() -> list[Cell]:
    return [dirac.cell(Objective(losses.registry.part(name, {})), g_steps=5) for name in ("minimax", "non_saturating")]


def test_what_an_architecture_knows_of_a_cell_is_stored_with_it(tmp_path: Path) -> None:
    both = cells()
    store = run(both, tmp_path)
    for one in both:
        status = store.status(one.key)
        assert status is not None and status.outcome == "completed"
        assert status.facts["eigenvalue_imaginary_1"] == pytest.approx(0.5)
        assert set(store.trace(one.key)[-1]) >= {"theta", "psi"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(RuntimeError("no facts today"), "RuntimeError: no facts today"), (KeyboardInterrupt(), "KeyboardInterrupt")],
)
def test_an_architecture_that_raises_fails_its_own_cells_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    original = dirac.DiracPlayers.facts

    def broken(self: dirac.DiracPlayers, cell: Cell) -> dict[str, float]:
        if cell.objective.loss.name == "minimax":
            raise error
        return original(self, cell)

    monkeypatch.setattr(dirac.DiracPlayers, "facts", broken)
    minimax, non_saturating = cells()
    store = run([minimax, non_saturating], tmp_path)
    failed, fine = store.status(minimax.key), store.status(non_saturating.key)
    assert failed is not None and (failed.outcome, failed.reason) == ("failed", reason)
    assert reason in failed.traceback and "in broken" in failed.traceback
    assert fine is not None and fine.outcome == "completed"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError("no more")])
def test_a_cohort_too_large_for_the_memory_is_halved_until_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried: list[int] = []
    training = loop.train_cohort

    def short_of_memory(given: Sequence[Cell], *arguments: Any, **more: Any) -> list[loop.Trained]:
        tried.append(len(given))
        if len(given) > 1:
            raise error
        return training(given, *arguments, **more)

    many = [dirac.cell(Objective(losses.registry.part("minimax", {})), g_steps=5, seed=seed) for seed in range(3)]
    whole = run(many, tmp_path / "whole")
    monkeypatch.setattr(loop, "train_cohort", short_of_memory)
    store = run(many, tmp_path / "halved")
    assert tried == [3, 1, 2, 1, 1]
    for one in many:
        status = store.status(one.key)
        assert status is not None and (status.outcome, status.cohort_size) == ("completed", 1)
        assert store.trace(one.key) == whole.trace(one.key)


def test_a_cell_that_fits_no_memory_alone_fails_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loop, "train_cohort", full)
    both = cells()
    store = run(both, tmp_path)
    for one in both:
        status = store.status(one.key)
        assert status is not None and status.outcome == "failed"
        assert "CUDA out of memory" in status.reason


def test_a_worker_asked_to_stop_in_its_last_steps_stores_what_is_trained_and_scores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = loop.train_cohort

    def asked_at_the_end(given: Sequence[Cell], *arguments: Any, **more: Any) -> list[loop.Trained]:
        found = training(given, *arguments, **more)
        signal.raise_signal(signal.SIGTERM)
        return found

    monkeypatch.setattr(loop, "train_cohort", asked_at_the_end)
    both, before = cells(), signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        run(both, tmp_path)
    assert end.value.code == 0 and signal.getsignal(signal.SIGTERM) is before
    for one in both:
        status = Store(tmp_path / "runs").status(one.key)
        assert status is not None and status.outcome == "completed"
    assert not list(tmp_path.rglob("scores.json"))


def test_the_cells_of_a_lost_machine_stay_together_and_those_of_a_lost_process_are_parted(tmp_path: Path) -> None:
    first, second = cells()
    settings = EvaluationSettings(10, extractors.part("identity", {}), (metrics.registry.part("fid", {}),))
    cohort = Cohort((first, second), Scoring(settings, (5,)), trains=True)
    task = CohortRun(cohort, Surroundings(tmp_path / "runs", tmp_path, tmp_path / "cache"))

    def parts(*told: Sequence[str], innocent: bool) -> list[tuple[tuple[Cell, ...], bool]]:
        rest = task.rest(*told, hung=False, innocent=innocent)
        return [(part.cohort.cells, part.cohort.trains) for part in rest]

    assert parts([], [], innocent=True) == [((first, second), True)]
    assert parts([], [], innocent=False) == [((first,), True), ((second,), True)]
    assert parts([first.key], [first.key], innocent=True) == [((second,), True)]
    assert parts([first.key, second.key], [first.key], innocent=True) == [((second,), False)]
    assert parts([first.key, second.key], [first.key, second.key], innocent=True) == []
    (once,) = task.rest([first.key], [first.key], hung=False, innocent=True)
    assert once.tries == 0 and once.rest([], [], hung=False, innocent=True)
