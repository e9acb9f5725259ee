"""The command line as its user meets it: help, lists, errors and exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app

HEAVY = ("torch", "mlflow", "optuna", "pandas", "torchvision", "sklearn")
SUITE = "objectives: [hinge, wgan_gp]\ndatasets: [ring8]\nseeds: 2\n"


def ganbench(*arguments: str):
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


@pytest.mark.parametrize(
    "verb",
    [
        ("--help",),
        ("list",),
        ("show", "wgan_gp"),
        ("plan", "SUITE"),
        ("run", "SUITE", "--plan"),
        ("data",),
        ("data", "SUITE"),
        ("doctor", "--help"),
        ("fetch", "ring8", "identity"),
    ],
)
def test_verbs_that_only_look_import_nothing_heavy(verb: tuple[str, ...], suite: Path) -> None:
    arguments = [str(suite) if word == "SUITE" else word for word in verb]
    code = (
        "import sys\n"
        "from ganbench.cli import main\n"
        f"sys.argv = ['ganbench', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=suite.parent, check=True)
    assert done.stdout.splitlines()[-1] == "heavy: []", done.stdout


def test_help_teaches_the_verbs() -> None:
    shown = ganbench("--help").output
    verbs = (
        "run",
        "plan",
        "tune",
        "fetch",
        "data",
        "doctor",
        "list",
        "show",
        "report",
        "status",
        "track",
        "pull",
        "merge",
        "compare",
    )
    for verb in verbs:
        assert verb in shown
    run_help = ganbench("run", "--help").output
    for option in ("--only", "--seeds", "--set", "--store", "--report", "--no-report", "--workers", "--device"):
        assert option in run_help
    assert "one per GPU" in run_help


def test_the_module_is_the_command(suite: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "ganbench", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ganbench("--version").output.strip()


def test_list_shows_every_kind_and_show_gives_equations_source_and_defaults() -> None:
    everything = ganbench("list").output
    for word in ("objectives", "losses", "penalties", "architectures", "datasets", "metrics", "extractors", "r3gan"):
        assert word in everything
    shown = ganbench("show", "wgan_gp").output
    for word in ("1704.00028", "L_D =", "weight", "10.0", "d_steps", "5"):
        assert word in shown
    wrong = ganbench("show", "wgan_pg")
    assert wrong.exit_code == 2
    assert "did you mean 'wgan_gp'?" in wrong.output
    assert ganbench("list", "loss").exit_code == 2


def test_plan_counts_cells_and_writes_nothing(suite: Path) -> None:
    before = sorted(suite.parent.rglob("*"))
    done = ganbench("plan", str(suite), "--store", str(suite.parent / "runs"), "--seeds", "3")
    assert done.exit_code == 0, done.output
    assert "6 cells" in done.output
    assert "6 to train" in done.output
    assert sorted(suite.parent.rglob("*")) == before


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_broken_suite_ends_with_two_and_no_traceback(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("objectives: [hing]\ndatasets: [ring8]\nseed: 3\n")
    done = ganbench(verb, str(path), "--store", str(tmp_path / "runs"))
    assert done.exit_code == 2
    assert f"{path}:1: unknown objective 'hing'; did you mean 'hinge'?" in done.output
    assert f"{path}:3: unknown key 'seed'" in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--device", "gpu"), "unknown device 'gpu'"),
        (("--only", "objective=nothing"), "unknown objective 'nothing'"),
        (("--set", "train.speed=3"), "unknown setting 'train.speed'"),
        (("--seeds", "0"), "--seeds"),
    ],
)
def test_wrong_options_end_with_two(arguments: tuple[str, ...], message: str, suite: Path) -> None:
    done = ganbench("plan", str(suite), *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_store_without_results_is_said(tmp_path: Path) -> None:
    for verb in ("report", "track"):
        done = ganbench(verb, str(tmp_path))
        assert done.exit_code == 2
        assert "holds no results" in done.output


def test_fresh_discards_nothing_without_being_told_to(suite: Path) -> None:
    from ganbench.planning import Options, make_plan
    from ganbench.records import Status
    from ganbench.store import Store

    store = Store(suite.parent / "runs")
    cell = make_plan(suite, Options(store.root)).entries[0].planned.cell
    assert cell is not None
    store.write_training(cell.key, cell.as_json(), Status("completed", 5000))
    done = ganbench("run", str(suite), "--store", str(store.root), "--fresh")
    assert done.exit_code == 2
    assert "--yes" in done.output
    assert store.status(cell.key) == Status("completed", 5000)
