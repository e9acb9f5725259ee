"""What workers are copies of: imports that a cohort needs and no others, no threads, no device, memory kept."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ganbench.cli.run import _scores_wanted
from ganbench.execution import fork_server

PRELOADED = """
import sys, threading
from pathlib import Path
import ganbench.execution.preload
loaded = set(sys.modules)
import torch
heavy = {"torchvision", "torch_fidelity", "sklearn", "scipy", "mlflow", "pandas", "torch._dynamo"}
print("heavy:", sorted(heavy & loaded))
tasks = Path("/proc/self/task")
threads = len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()
print("threads:", threads, "cuda:", torch.cuda.is_initialized())
"""

COHORT = """
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import ganbench.execution.preload
from ganbench.execution.surroundings import Surroundings
from ganbench.execution.tasks import CohortRun, Preparation
from ganbench.paths import cache_root
from ganbench.planning import Options, make_plan
from ganbench.store import Store
folder = Path(sys.argv[1])
made = make_plan(folder / "suite.yaml", Options(folder / "runs"))
cohort, around = made.cohorts[0], Surroundings(folder / "runs", folder, cache_root())
if len(sys.argv) > 2:  # as the preparation does, in a worker of its own
    Preparation(cohort.cells[0].dataset, cohort.scoring.settings, around, "").work("cpu", [].append)
    sys.exit()
before = set(sys.modules)
CohortRun(cohort, around).work("cpu", [].append)
assert Store(folder / "runs").status(made.cohorts[0].cells[0].key).outcome == "completed"
new = {name for name in sys.modules.keys() - before if not name.startswith("_cython")}
packages = {name.partition(".")[0] for name in new} - {"ganbench", "torch", "numpy"}
print(sorted(packages | {"torch._dynamo", "torch._inductor"} & new))
"""

FAULTS = """
import resource, sys
import numpy as np
from ganbench.execution.glibc_malloc import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
for round in range(6):
    if round == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(5_000_000) for _ in range(3)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def told(code: str, *arguments: str) -> str:
    # With the server's own environment: OpenBLAS starts its threads when it is imported.
    command, environment = [sys.executable, "-c", code, *arguments], {**os.environ, **fork_server.ENVIRONMENT}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


def test_the_fork_server_imports_torch_alone_and_computes_nothing() -> None:
    assert told(PRELOADED).splitlines() == ["heavy: []", "threads: 1 cuda: False"]


@pytest.mark.long
@pytest.mark.parametrize("dataset", ["ring8", "digits"])
def test_a_cohort_imports_no_library_that_the_fork_server_has_not(dataset: str, tmp_path: Path) -> None:
    network = "mlp: {width: 8, depth: 1}" if dataset == "ring8" else "dcgan: {width: 2}"
    (tmp_path / "suite.yaml").write_text(
        f"objectives: [hinge, wgan_gp]\ndatasets: [{dataset}]\narchitectures: [{{{network}}}]\nseeds: 2\n"
        "train: {g_steps: 3, batch_size: 8, latent_size: 4}\n"
        "evaluate: {samples: 50, reference: 50, every: 3, metrics: [modes], "
        + ("extractor: identity}\n" if dataset == "ring8" else "extractor: classifier}\n")
    )
    told(COHORT, str(tmp_path), "prepare")
    assert told(COHORT, str(tmp_path)) == "[]"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc alone gives big blocks back")
def test_freed_memory_is_kept() -> None:
    kept, given_back = int(told(FAULTS, "keep")), int(told(FAULTS, "default"))
    assert 10 * kept < given_back  # three blocks of 40 MB, five times, in small pages or huge ones


@pytest.mark.parametrize(
    ("text", "settings", "wanted"),
    [
        ("objectives: [hinge]", [], True),
        ("evaluate: {every: 100}", [], True),
        ("evaluate: {metrics: [fid]}", [], True),
        ("evaluate: {metrics: []}", [], False),
        ("evaluate:\n  metrics: []", ["train.g_steps=3"], False),
        ("evaluate: {metrics: []}", ["evaluate.metrics=[fid]"], True),
        ("evaluate: {metrics: [fid]}", ["evaluate.metrics=[]"], False),
        ("evaluate: [", [], True),
        ("- hinge", [], True),
    ],
)
def test_torch_fidelity_is_imported_where_cells_are_scored(
    text: str, settings: list[str], wanted: bool, tmp_path: Path
) -> None:
    (tmp_path / "suite.yaml").write_text(text)
    assert _scores_wanted(tmp_path / "suite.yaml", settings) is wanted


def test_two_threads_may_end_the_server_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delays, kill = iter((0.0, 0.2)), os.kill

    def late(pid: int, signal: int) -> None:
        time.sleep(next(delays))
        kill(pid, signal)

    fork_server.start(scores=False)
    monkeypatch.setattr(fork_server.os, "kill", late)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(fork_server.stop) for _ in range(2)]
    assert [call.exception() for call in calls] == [None, None]
