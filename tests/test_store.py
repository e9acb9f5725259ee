"""The store: what is written comes back, half-written cells are not read, and nothing is unpickled."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store import Store, StoreError

STATUS = Status("completed", 10, train_seconds=1.5, snapshot_steps=(5, 10), provenance={"torch": "2"})


def test_training_and_scores_come_back_as_they_were(tmp_path: Path) -> None:
    store = Store(tmp_path)
    trace = [{"step": 1.0, "d_loss": 0.5}, {"step": 2.0, "d_loss": math.nan}]
    flat = torch.arange(6, dtype=torch.float32)
    store.write_training("k", {"seed": 0}, STATUS, trace, {"10": flat})
    assert store.status("k") == STATUS
    assert store.cell("k") == {"seed": 0}
    assert store.trace("k") == [{"step": 1.0, "d_loss": 0.5}, {"step": 2.0, "d_loss": None}]
    assert torch.equal(store.snapshot("k", 10), flat)
    scores = Scores("p", {"samples": 3}, {"fid": "lower"}, ({"step": 10, "fid": 1.25},), {}, 2.0)
    store.write_scores("k", "e", scores, np.zeros((2, 2), dtype=np.float32))
    assert store.scores("k", "e") == scores
    assert store.samples("k", "e").shape == (2, 2)
    assert store.pictures("k", "e") is None
    assert store.scores("k", "other") is None


def test_pictures_come_back_and_are_written_before_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, scores = Store(tmp_path), Scores("p", {}, {}, ())
    folder = tmp_path / "cells" / "k" / "scores" / "e"
    store.write_scores("k", "e", scores, None, {"steps": np.arange(2), "by_step": np.zeros((2, 3), dtype=np.uint8)})
    found = store.pictures("k", "e")
    assert found["steps"].tolist() == [0, 1] and found["by_step"].shape == (2, 3)
    before = (folder / "pictures.npz").read_bytes()
    (folder / "scores.json").unlink()
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if Path(target).name == "scores.json":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write_scores("k", "e", scores, None, found)
    assert (folder / "pictures.npz").read_bytes() == before and not store.scored("k", "e")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10])
def test_damaged_pictures_are_told_by_their_file(tmp_path: Path, content: bytes) -> None:
    store = Store(tmp_path)
    store.write_scores("k", "e", Scores("p", {}, {}, ()), None, {"steps": np.arange(2)})
    (tmp_path / "cells" / "k" / "scores" / "e" / "pictures.npz").write_bytes(content)
    with pytest.raises(StoreError, match=r"pictures\.npz cannot be read .*; delete its folder"):
        store.pictures("k", "e")


def test_files_are_strict_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_scores("k", "e", Scores("p", {}, {}, ({"step": 1, "fid": math.inf},)), None)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (tmp_path / "cells" / "k" / "scores" / "e" / "scores.json").read_text()
    assert json.loads(text, parse_constant=refuse)["rows"][0]["fid"] is None


def test_a_cell_without_a_status_is_not_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_training("k", {}, STATUS, [], {"5": torch.zeros(2)})
    (tmp_path / "cells" / "k" / "status.json").unlink()
    assert store.status("k") is None
    store.write_training("k", {}, STATUS)
    assert store.status("k") == STATUS
    assert store.snapshot_steps("k") == []


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.write_suite(SuiteRecord("s", (), source="old"))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.write_suite(SuiteRecord("s", (), source="new"))
    assert store.suite("s").source == "old"
    assert [path.name for path in (tmp_path / "suites").iterdir()] == ["s.json"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_training("k", {}, STATUS)
    (tmp_path / "cells" / "k" / "status.json").write_text("{")
    with pytest.raises(StoreError, match=r"status\.json is not valid JSON"):
        store.status("k")


def test_suites_are_listed_the_latest_first(tmp_path: Path) -> None:
    import os

    store = Store(tmp_path)
    row = Listed("k", "e", "hinge", "mlp", "ring8", 3, {"g_lr": 1e-4}, ("g_lr",))
    for age, name in enumerate(("young", "old")):
        store.write_suite(SuiteRecord(name, (row,)))
        os.utime(tmp_path / "suites" / f"{name}.json", (1000 - age, 1000 - age))
    assert store.suites() == ["young", "old"]
    assert store.suite("old").listed == (row,)
    assert store.suite("none") is None


def test_a_status_of_before_energy_was_metered_still_loads(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_training("k", {}, STATUS)
    path = tmp_path / "cells" / "k" / "status.json"
    found = json.loads(path.read_text())
    assert found.pop("energy_joules", "lacking") is None
    path.write_text(json.dumps(found))
    assert store.status("k") == STATUS and STATUS.energy_joules is None


def test_a_file_of_another_version_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_training("k", {}, STATUS)
    path = tmp_path / "cells" / "k" / "status.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": "good"}))
    with pytest.raises(StoreError, match=r"status\.json was written by another version of ganbench .*mood"):
        store.status("k")
