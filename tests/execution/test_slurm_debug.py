"""A whole run through the Slurm engine where no Slurm can be installed: submitit's debug executor does the jobs."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganbench.execution import slurm_queue
from ganbench.execution.slurm import SlurmEngine, sbatch_options
from ganbench.execution.slurm_node import SIGNALS
from ganbench.execution.slurm_queue import Queue, State
from ganbench.listener import Silence
from ganbench.planning import Options, make_plan
from ganbench.runner import train
from ganbench.store import Store

pytest.importorskip("submitit")

SUITE = """
objectives: [hinge, minimax]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
cohort: 2
train: {g_steps: 20, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, every: 10, metrics: [fid]}
slurm: {partition: gpu, time: 1h, parallel: 2}
"""


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """A job is a process of its own elsewhere, and leaves its signals as it likes."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let submitit's debug executor stand for Slurm, which does a job when it is asked how it is; return the jobs."""
    from submitit.local.debug import DebugExecutor

    given: list[Any] = []

    class Debug(DebugExecutor):
        def submit_array(self, fns: Any) -> Any:
            given.extend(made := super().submit_array(fns))
            return made

    def executor(engine: SlurmEngine, at_once: int) -> Debug:
        assert sbatch_options(engine.slurm, engine.name, at_once)["partition"] == "gpu"
        return Debug(engine.folder)

    def ask(queue: Queue) -> None:
        if waiting := [job for job in given if job.state == "QUEUED"]:
            waiting[0].results()
        queue.tell({job.job_id: State("COMPLETED" if job.state == "DONE" else "PENDING") for job in given})

    def remove(handler: logging.Handler) -> None:
        logging.Logger.removeHandler(root, handler)
        if type(handler) is logging.FileHandler:
            handler.close()  # which submitit leaves to the garbage

    monkeypatch.setattr(root := logging.getLogger(), "removeHandler", remove)
    monkeypatch.setattr(slurm_queue, "must_be_there", lambda: None)
    monkeypatch.setattr(slurm_queue, "EVERY", 0.0)
    monkeypatch.setattr(SlurmEngine, "_executor", executor)
    monkeypatch.setattr(Queue, "_ask", ask)
    return given


def test_a_run_by_jobs_has_the_bits_of_a_run_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: list[Any]
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "suite.yaml").write_text(SUITE)
    stores = {name: Store(tmp_path / name) for name in ("slurm", "local")}
    for name, store in stores.items():
        options = Options(store.root, device="cpu", workers=None if name == "slurm" else 1, executor=name)  # type: ignore[arg-type]
        result = train(make_plan(tmp_path / "suite.yaml", options), Silence())
        assert not result.failed and result.outcomes == {"completed": 4}
    assert len(jobs) == 3 and {job.state for job in jobs} == {"DONE"}  # what is got ready, and two cohorts
    keys = list(stores["local"].keys())
    assert len(keys) == 4 and set(stores["slurm"].keys()) == set(keys)
    for key in keys:
        assert stores["slurm"].trace(key) == stores["local"].trace(key)
        assert stores["slurm"].status(key).provenance["host"]  # type: ignore[union-attr]
