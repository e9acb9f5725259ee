"""`ganbench run --profile`: where a step's time goes, with nothing stored."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.execution.profile_table import table

SUITE = """
objectives: [wgan_gp, hinge]
datasets: [ring8]
architectures: [{mlp: {width: 8, depth: 1}}]
seeds: 2
train: {g_steps: 1000000, batch_size: 16, latent_size: 4}
evaluate: {samples: 100, reference: 200, metrics: [modes]}
"""


def event(category: str, name: str, start: float, duration: float) -> dict[str, object]:
    return {"ph": "X", "cat": category, "name": name, "ts": start, "dur": duration, "pid": 1, "tid": 1}


def rows(text: str, section: str) -> dict[str, float]:
    """Read one section back: milliseconds per step by name."""
    (part,) = [part for part in text.split("\n\n") if part.startswith(section)]
    return {line.split("  ")[-1]: float(line.split()[0]) for line in part.splitlines()[2:]}


def test_own_time_goes_to_the_innermost_function_of_ours_and_gradients_to_who_asks() -> None:
    events = [
        event("python_function", "somewhere/else.py(1): main", 0, 10_000),
        event("cpu_op", "aten::outside", 100, 500),  # nobody of ours is at work
        event("python_function", "ganbench/training/game.py(9): d_gradient", 1000, 8000),
        event("cpu_op", "aten::matmul", 2000, 2000),
        event("cpu_op", "aten::bmm", 2500, 1000),  # its time is not matmul's
        event("python_function", "torch/autograd/__init__.py(3): grad", 5000, 3000),
        event("cpu_op", "aten::bmm", 5500, 2000),
        event("python_function", "/home/me/my_loss.py(7): discriminator", 8200, 400),
    ]
    text = table(events, steps=2, plugins=[Path("/home/me/my_loss.py")])
    assert rows(text, "by place") == {
        "training/game.py: d_gradient": 2.3,  # 8 ms, less 3 of gradients and .4 of the plugin, over two steps
        "training/game.py: d_gradient (backward)": 1.5,
        "my_loss.py: discriminator, for training/game.py: d_gradient": 0.2,
    }
    assert rows(text, "by operation") == {"Python": 2.0, "aten::bmm": 1.5, "aten::matmul": 0.5}


def test_what_begins_when_another_ends_is_not_inside_it() -> None:
    events = [
        event("python_function", "ganbench/a.py(1): f", 0, 100),
        event("python_function", "ganbench/b.py(1): g", 100, 100),
        event("cpu_op", "aten::add", 100, 50),
    ]
    assert rows(table(events, 1), "by place") == {"a.py: f": 0.1, "b.py: g": 0.1}


def test_threads_that_watch_are_no_part_of_a_step() -> None:
    waiting = event("python_function", "ganbench/execution/worker.py(46): _end_with_parent", 0, 1000) | {"tid": 2}
    events = [
        waiting,
        event("python_function", "ganbench/execution/worker.py(18): worker", 0, 500),
        event("python_function", "ganbench/execution/profile.py(80): _profiled", 0, 400),
        event("python_function", "ganbench/training/loop.py(60): train_cohort", 100, 200),
    ]
    assert rows(table(events, 1), "by place") == {"training/loop.py: train_cohort": 0.2}


@pytest.mark.long
def test_a_suites_largest_cohort_is_profiled_and_no_cell_is_stored(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    command = [sys.executable, "-m", "ganbench", "run", "suite.yaml", "--profile"]
    # Which cohort is the largest goes by what cohorts took on this device: here by none.
    unknown = {**os.environ, "GANBENCH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=unknown, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    trace, text = (tmp_path / "runs" / "profiles" / f"suite.{end}" for end in ("trace.json.gz", "txt"))
    assert {path for path in (tmp_path / "runs").rglob("*") if path.is_file()} == {trace, text}
    assert str(trace.relative_to(tmp_path)) in done.stdout and "ms per step" in done.stdout
    # wgan_gp takes five D steps for one G step: its cohort is the largest.
    assert "gradient_penalty.py: " in text.read_text() and "aten::" in text.read_text()
    names = [event["name"] for event in json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]]
    assert sum(name.startswith("ProfilerStep") for name in names) == 20


def test_a_suite_without_a_cell_to_train_is_said(tmp_path: Path) -> None:
    text = SUITE.replace("[{mlp: {width: 8, depth: 1}}]", "[dcgan]")  # makes no points
    (tmp_path / "suite.yaml").write_text(text)
    command = [sys.executable, "-m", "ganbench", "run", "suite.yaml", "--profile"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "nothing to profile" in done.stderr
