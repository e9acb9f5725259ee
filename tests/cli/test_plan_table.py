"""The table of `ganbench plan`: a line per objective, a column per dataset, cells by state."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.cli.plan import show_plan
from ganbench.planning import Options, make_plan
from ganbench.records import Scores, Status
from ganbench.store import Store

SUITE = """
name: table
objectives: [hinge, minimax]
datasets: [ring8, grid25, digits]
architectures: {default: dcgan, grid25: mlp}
seeds: 3
exclude: [{objective: minimax, dataset: digits}, {objective: minimax, dataset: grid25, seed: 0}]
"""


def test_a_plan_for_slurm_takes_what_its_jobs_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    asked = ["plan", str(path), "--store", str(tmp_path / "runs"), "--slurm", "parallel=3"]
    done = CliRunner().invoke(app, [*asked, "--executor", "slurm"])
    assert done.exit_code == 0 and "on 3 workers (Slurm CPU)" in done.output
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 2 and "--slurm parallel=3: is for --executor slurm" in done.output


def test_the_table_counts_what_is_done_skipped_or_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = tmp_path / "suite.yaml", Store(tmp_path / "runs")
    path.write_text(SUITE)
    for entry in make_plan(path, Options(store.root, only=("objective=hinge", "dataset=grid25", "seed=1,2"))).entries:
        cell, scoring = entry.planned.cell, entry.planned.scoring
        assert cell is not None
        assert scoring is not None
        store.write_training(cell.key, cell.as_json(), Status("completed", 5000, snapshot_steps=scoring.steps))
        store.write_scores(cell.key, scoring.key, Scores("p", {}, {}, ()), None)
    show_plan(make_plan(path, Options(store.root, workers=1)))
    told = capsys.readouterr().out.splitlines()
    table = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told if line.startswith("│")]
    assert table == [
        ["hinge", "skipped", "2/3 done", "0/3 done"],
        ["minimax", "skipped", "0/2 done", "-"],
    ]
    assert "6 to train, 2 done, 6 skipped" in told


def test_failed_cells_are_kept_unless_they_are_to_be_tried_again(tmp_path: Path) -> None:
    path, store = tmp_path / "suite.yaml", Store(tmp_path / "runs")
    path.write_text("{objectives: [hinge], datasets: [ring8], seeds: 3}")
    failed, slow, _ = make_plan(path, Options(store.root)).entries
    for entry, outcome in ((failed, "failed"), (slow, "timed_out")):
        assert entry.planned.cell is not None
        store.write_training(entry.planned.cell.key, entry.planned.cell.as_json(), Status(outcome, 5))  # type: ignore[arg-type]
    asked = ["plan", str(path), "--store", str(store.root)]
    kept = CliRunner().invoke(app, asked).output
    assert "1 to train, 1 to score, 1 done" in kept and "1 cells failed earlier" in kept
    again = CliRunner().invoke(app, [*asked, "--retry-failed"]).output
    assert "3 to train" in again and "2 of those to train failed or timed out earlier" in again
    assert "kept as they are" not in again
