"""`ganbench doctor` as its user meets it: lines, what they advise, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.doctor import devices
from ganbench.execution.messages import Message

FACTS = {"threads": 1, "cuda": None, "seen": 0, "warned": "", "mps": False, "free": None}
SUITE = "objectives: [hinge]\ndatasets: [DATASET]\ntrain: {g_steps: 20}\n"


def ganbench(*arguments: str):
    return CliRunner().invoke(app, ["doctor", *arguments], env={"COLUMNS": "60", "TERM": "dumb"})


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in; workers answer at once (that they do is tested beside the check itself)."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    done = Message("done", text=json.dumps(FACTS))
    monkeypatch.setattr(devices, "answered", lambda used: dict.fromkeys(used, done))
    return tmp_path


def suite(place: Path, dataset: str) -> str:
    (place / "suite.yaml").write_text(SUITE.replace("DATASET", dataset))
    return "suite.yaml"


def test_a_machine_in_order_ends_with_zero_and_nothing_is_written(place: Path) -> None:
    done = ganbench(suite(place, "ring8"), "--device", "cpu")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    for what in (
        "python",
        "packages",
        "cpu",
        "worker on cpu",
        "data ring8",
        "store folder",
        "disk of the store",
        "mlflow",
    ):
        assert sum(line.startswith(f"ok      {what} ") for line in lines) == 1, what
    assert lines[-1].endswith("0 problems")
    assert len(lines) == sum(int(word) for word in lines[-1].split() if word.isdecimal()) + 1
    assert [path.name for path in place.iterdir()] == ["suite.yaml"]


def test_a_problem_ends_with_one_and_stands_on_one_line_with_what_to_do(place: Path) -> None:
    done = ganbench(suite(place, "cifar10"), "--data", str(place / "none"))
    assert done.exit_code == 1
    line = next(line for line in done.output.splitlines() if line.startswith("problem data cifar10"))
    assert "CIFAR-10 (170 MB" in line
    assert "-> `ganbench fetch`" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "gpu"), "--device: unknown device 'gpu'"),
        (("no.yaml",), "no.yaml: cannot be read"),
        (("broken.yaml",), "broken.yaml:1: unknown objective 'hing'; did you mean 'hinge'?"),
    ],
)
def test_bad_input_ends_with_two_before_anything_is_looked_at(place: Path, arguments, message: str) -> None:
    (place / "broken.yaml").write_text("objectives: [hing]\ndatasets: [ring8]\n")
    done = ganbench(*arguments)
    assert done.exit_code == 2
    assert done.output.startswith(message)


def test_a_check_that_breaks_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(used):
        raise RuntimeError("no driver answers")

    monkeypatch.setattr(devices, "answered", broken)
    done = ganbench()
    assert done.exit_code == 1
    assert "problem devices                could not be checked (RuntimeError: no driver answers)" in done.output
    assert "store folder" in done.output
