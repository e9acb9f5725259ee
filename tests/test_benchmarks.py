"""Every benchmark is one command that still runs: each at its smallest, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALLEST = {
    "cohorts": ("--only mlp32 --rounds 1 --seconds .02", "of the best"),
    "coverage": ("--quick --only datasets", "false alarms"),
    "evaluation": ("--rounds 1", "FID of 2048 features"),
    "gpu": ("--only toy --seconds .02", "launches"),
    "job": ("--scripts 2 --loop 1 --rounds 1", "(b) / (c)"),
    "launches": ("hinge --cells 2", "launches per step"),
    "losses": ("", "all losses / one forward pass"),
    "memory": ("--only toy", "of needed"),
    "orchestration": ("--only plan", "pack into cohorts"),
    "report": ("--cells 24 --records 20", "page"),
    "scoring": ("--rounds 1", "scoring / (scoring + training)"),
    "speed": ("--only lone-mlp --rounds 1 --seconds .05", "lone-mlp"),
    "startup": ("--rounds 1 --cohorts 1", "a cohort that trains for"),
    "tracking": ("--cells 8 --rounds 1 --seconds .2", "cells"),
    "tuning": ("--help", "repetitions"),  # tests/tuning/test_benchmark.py has it in little
}


def test_every_command_of_the_readme_is_tried_here() -> None:
    told = re.findall(r"^\| `python benchmarks/(\w+)\.py", (BENCHMARKS / "README.md").read_text(), re.MULTILINE)
    scripts = {path.stem for path in BENCHMARKS.glob("*.py") if "__main__" in path.read_text()}
    assert sorted(told) == sorted(SMALLEST) == sorted(scripts)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_and_says_what_it_measured(name: str, request: pytest.FixtureRequest) -> None:
    if name == "evaluation":
        request.getfixturevalue("mnist_root")
    given, said = SMALLEST[name]
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *given.split()]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout
