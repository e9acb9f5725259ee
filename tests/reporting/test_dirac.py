"""The Dirac GAN's section: paths from the trace, eigenvalues from the store, and nothing without such cells."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting import write_report
from ganbench.reporting.dirac import endings, portrait
from ganbench.reporting.frame import load
from ganbench.reporting.ranking import rankings
from ganbench.reporting.wording import MINUS, NOTHING
from ganbench.store import Store


def facts(name: str, *values: complex) -> dict[str, float]:
    return {
        f"{name}_{part}_{place}": number
        for place, value in enumerate(values, start=1)
        for part, number in (("real", value.real), ("imaginary", value.imag))
    }


def spiral(shrink: float) -> list[dict[str, float]]:
    """Turn by .1 and shrink by a factor at each of 100 steps, from radius 2."""
    places = [(step, 2 * shrink**step, 0.1 * step) for step in range(101)]
    return [
        {"step": float(step), "d_loss": 1.0, "theta": r * math.cos(turn), "psi": r * math.sin(turn)}
        for step, r, turn in places
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "runs")
    pair = (-0.15 + 0.477j, -0.15 - 0.477j)
    cells = {
        "circles": (spiral(1.0), {**facts("eigenvalue", 0.5j, -0.5j), **facts("theory", 0.5j, -0.5j)}),
        "converges": (spiral(0.9), {**facts("eigenvalue", *pair), **facts("theory", *pair)}),
        "kinked": (spiral(0.999), {}),
    }
    listed = []
    for name, (trace, known) in cells.items():
        found.write_training(name, {}, Status("completed", 100, g_updates=100, facts=known), trace)
        scores = Scores("p", {}, {"fid": "lower"}, ({"step": 100, "fid": trace[-1]["theta"] ** 2},))
        found.write_scores(name, "e", scores, None)
        listed.append(Listed(name, "e", name, "dirac", "dirac", 0, {"g_steps": 100}))
    datasets = {"dirac": {"shape": [1], "classes": None, "headline": "fid"}}
    found.write_suite(SuiteRecord("d", tuple(listed), datasets=datasets, objectives={name: {} for name in cells}))
    return found


def test_endings_tell_who_converged_and_what_theory_says(store: Store) -> None:
    frame = load(store)
    (ranking,) = rankings(frame)
    found = {one.contender: one for one in endings(frame, ranking)}
    assert {name: one.converged for name, one in found.items()} == {
        "circles": False,
        "converges": True,
        "kinked": False,
    }
    assert found["circles"].radius == pytest.approx(2)
    assert found["converges"].radius == pytest.approx(2 * 0.9**100)
    assert found["converges"].eigenvalues == found["converges"].theory == (-0.15 + 0.477j, -0.15 - 0.477j)
    assert found["kinked"].eigenvalues == ()


def test_the_report_draws_paths_and_eigenvalues_and_writes_them_down(store: Store, tmp_path: Path) -> None:
    out = write_report(store, "d", tmp_path / "report").parent
    page = (out / "index.html").read_text()
    assert "Convergence" in page and "ψ" in page and "Eigenvalues of the gradient field" in page
    text = (out / "report.md").read_text()
    pair = f"{MINUS}0.150 ± 0.477i"
    assert f"| converges | 5.31e{MINUS}05 | yes | {pair} | {pair} |" in text
    assert "| circles | 2 | no | ± 0.500i | ± 0.500i |" in text
    assert f"| kinked | 1.81 | no | {NOTHING} | {NOTHING} |" in text
    told = json.loads((out / "summary.json").read_text())["datasets"]["dirac"]["dirac"]
    assert told["converges"]["eigenvalues"] == [[-0.15, 0.477], [-0.15, -0.477]]


def test_a_suite_without_dirac_cells_has_no_such_section(builder) -> None:
    builder.add("hinge", "ring8", 0)
    frame = load(builder.write())
    (ranking,) = rankings(frame)
    assert portrait(frame, ranking) is None
    assert endings(frame, ranking) == []
