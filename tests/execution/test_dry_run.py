"""A small part of benchmarks/orchestration.py: cells that sleep, driven and heard as `ganbench run` does it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from ganbench.store import Store


def test_cells_that_sleep_are_driven_through_the_slots_and_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    orchestration = importlib.import_module("orchestration")
    monkeypatch.setattr(orchestration, "COMPANY", 2)
    suite = tmp_path / "suite.yaml"
    suite.write_text("{objectives: [hinge, minimax], datasets: [ring8], seeds: 3}")
    kept = Store(tmp_path / "dry")
    wall, core = orchestration.driven(orchestration.planned(suite), kept, 3)
    assert 0 < core < wall
    stored = [kept.status(key) for key in kept.keys()]  # noqa: SIM118 - a store is no dict
    assert len(stored) == 6
    assert {status.outcome for status in stored if status is not None} == {"completed"}
