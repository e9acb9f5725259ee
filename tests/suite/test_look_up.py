"""What is asked of the disk when a plan is looked up in a store: counts, since durations depend on the machine."""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path

import pytest

from ganbench.records import Scores, Status
from ganbench.store import CHECKPOINT, Store, StoreError
from ganbench.suite.cohorts import Entry, look_up
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Planned, expand


@pytest.fixture
def rows(tmp_path: Path) -> tuple[Planned, ...]:
    path = tmp_path / "suite.yaml"
    path.write_text("objectives: [hinge, minimax]\ndatasets: [ring8]\nseeds: 20\ntrain: {g_steps: 100}\n")
    return expand(load_suite(path), tmp_path / "data", tmp_path / "cache").planned


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the questions to the file system, by the name of what is asked about."""
    seen: Counter[str] = Counter()

    def counted(module: object, name: str) -> None:
        real = getattr(module, name)

        def wrapped(path: object, *more: object, **named: object) -> object:
            seen[Path(str(path)).name] += 1
            return real(path, *more, **named)

        monkeypatch.setattr(module, name, wrapped)

    for name in ("stat", "listdir", "scandir"):
        counted(os, name)
    counted(io, "open")
    monkeypatch.setattr("builtins.open", io.open)
    return seen


def finish(store: Store, row: Planned) -> None:
    assert row.cell is not None
    assert row.scoring is not None
    status = Status("completed", 100, snapshot_steps=row.scoring.steps)
    store.write_training(row.cell.key, row.cell.as_json(), status)
    store.write_scores(row.cell.key, row.scoring.key, Scores("p", {}, {}, ()), None)


def states(entries: list[Entry]) -> Counter[str]:
    return Counter(entry.state for entry in entries)


def test_an_empty_store_is_looked_at_once(tmp_path: Path, rows: tuple[Planned, ...], asked: Counter[str]) -> None:
    assert states(look_up(rows, Store(tmp_path / "runs"))) == {"to train": 40}
    assert asked == {"cells": 1}


def test_only_cells_that_are_there_are_read_and_no_scores(
    tmp_path: Path, rows: tuple[Planned, ...], asked: Counter[str]
) -> None:
    store = Store(tmp_path / "runs")
    for row in rows[:3]:
        finish(store, row)
    asked.clear()
    assert states(look_up(rows, store)) == {"to train": 37, "done": 3}
    assert asked == {"cells": 1, "status.json": 3, "scores.json": 3}


def test_a_cell_with_a_folder_and_no_status_is_to_train(tmp_path: Path, rows: tuple[Planned, ...]) -> None:
    store, cell = Store(tmp_path / "runs"), rows[0].cell
    assert cell is not None
    store.cell_folder(cell.key).mkdir(parents=True)
    (store.cell_folder(cell.key) / CHECKPOINT).write_bytes(b"damaged")
    (entry, *_) = look_up(rows, store)
    assert (entry.state, entry.step) == ("to train", 0)


def test_a_store_that_is_no_folder_is_told(tmp_path: Path, rows: tuple[Planned, ...]) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StoreError, match=r"runs.cells cannot be read \(Not a directory\)"):
        look_up(rows, Store(tmp_path / "runs"))
