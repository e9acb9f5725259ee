"""Stores of several machines become one: complete, safe to repeat, and open about what does not fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from ganbench import joining
from ganbench.cli import app
from ganbench.locks import alone
from ganbench.merging import merge
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting import write_report
from ganbench.store import CHECKPOINT, Store, StoreError

EVALUATION = "e" * 16
PROTOCOL = {"extractor": {"name": "identity"}, "samples": 2000}


def row(seed: int, objective: str = "hinge", **changes: object) -> Listed:
    key = f"{objective.encode().hex()[:8]:0<8}{seed:08x}"
    return replace(Listed(key, EVALUATION, objective, "mlp", "ring8", seed, {"g_steps": 20}), **changes)


def suite(*rows: Listed, **changes: object) -> SuiteRecord:
    about = {"ring8": {"shape": [2], "headline": "fid"}}
    names = {listed.objective: {"d_steps": 1, "formula": listed.objective} for listed in rows}
    return replace(SuiteRecord("losses", rows, datasets=about, objectives=names), **changes)


def status(seed: int = 0, **changes: object) -> Status:
    return replace(Status("completed", 20, g_updates=20, train_seconds=1.0 + seed, snapshot_steps=(10, 20)), **changes)


def train(store: Store, listed: Listed, how: Status | None = None, loss: float = 0.5) -> None:
    flats = {"10": torch.zeros(3), "20": torch.ones(3)}
    store.write_training(listed.key, {"seed": listed.seed}, how or status(), [{"step": 20, "d_loss": loss}], flats)


def score(store: Store, listed: Listed, fid: float = 4.0, protocol: dict[str, object] | None = None) -> None:
    told = protocol or PROTOCOL
    scores = Scores(f"p{told['samples']}", told, {"fid": "lower"}, ({"step": 10, "fid": 9.0}, {"step": 20, "fid": fid}))
    pictures = {"steps": np.array([10, 20])}
    store.write_scores(listed.key, listed.evaluation_key, scores, np.zeros((4, 2), np.float32), pictures)


def machine(root: Path, *rows: Listed, **changes: object) -> Store:
    store = Store(root)
    for listed in rows:
        if not listed.skipped:
            train(store, listed)
            score(store, listed, 4.0 + listed.seed)
    store.write_suite(suite(*rows, **changes))
    return store


def content(store: Store) -> dict[str, bytes]:
    return {
        str(path.relative_to(store.root)): path.read_bytes()
        for path in sorted(store.root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_halves_merge_into_the_report_of_the_whole(tmp_path: Path) -> None:
    rows = [row(seed, objective) for objective in ("hinge", "wgan") for seed in range(4)]
    skipped = row(0, "none", key="", evaluation_key="", skipped="needs pictures")
    whole = machine(tmp_path / "whole", *rows, skipped)
    first, second = machine(tmp_path / "a", *rows[:5], skipped), machine(tmp_path / "b", *rows[4:], skipped)
    into = Store(tmp_path / "all")
    merged = merge([first, second], into)
    assert merged.added == {str(first.root): 5, str(second.root): 3} and merged.conflicts == merged.notes == []
    assert content(into).keys() == content(whole).keys()
    for store, name in ((whole, "one"), (into, "other")):
        write_report(store, "losses", tmp_path / name)
    tables = [pd.read_csv(tmp_path / name / "cells.csv", dtype=str) for name in ("one", "other")]
    pd.testing.assert_frame_equal(*(table.sort_values(["objective", "seed"], ignore_index=True) for table in tables))
    once = content(into)
    assert merge([first, second], into).added == {str(first.root): 0, str(second.root): 0}
    assert content(into) == once


@pytest.mark.parametrize("target", ["a", "b", "c"])
def test_other_numbers_are_told_and_the_first_stay(tmp_path: Path, target: str) -> None:
    first, second = machine(tmp_path / "a", row(0), row(1)), machine(tmp_path / "b", row(0), row(1))
    score(second, row(1), fid=5.5)
    done = CliRunner().invoke(app, ["merge", str(first.root), str(second.root), "--into", str(tmp_path / target)])
    assert done.exit_code == 1
    kept, left = (("b", 5.5), ("a", 5.0)) if target == "b" else (("a", 5.0), ("b", 5.5))
    (told,) = [line for line in done.output.splitlines() if "fid" in line]
    assert told.startswith(f"hinge · ring8 · 1 ({row(1).key}): fid is {kept[1]} in {tmp_path / kept[0]}")
    assert f"{left[1]} in {tmp_path / left[0]}; what {tmp_path / kept[0]} has stays" in told
    assert Store(tmp_path / target).scores(row(1).key, EVALUATION).rows[-1]["fid"] == kept[1]


def test_results_that_differ_in_cost_alone_are_the_same(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "a", row(0)), machine(tmp_path / "b", row(0))
    train(second, row(0), status(7, provenance={"cpu": "another"}))
    score(second, row(0))
    before = content(first)
    merged = merge([second], first)
    assert merged.conflicts == [] and content(first) == before


def test_a_cell_without_a_result_makes_way_for_one_and_not_the_other_way_round(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "a", row(0), row(1)), machine(tmp_path / "b", row(0), row(1))
    first.write_training(row(0).key, {"seed": 0}, Status("failed", 0, "out of memory"))
    second.write_training(row(1).key, {"seed": 1}, Status("timed_out", 7))
    merged = merge([second], first)
    assert merged.notes == [
        f"hinge · ring8 · 0 ({row(0).key}): failed in {first.root}, and made way for what {second.root} has"
    ]
    assert first.status(row(0).key) == second.status(row(0).key) and first.scores(row(0).key, EVALUATION) is not None
    assert first.status(row(1).key).outcome == "completed" and merged.conflicts == []


def test_scores_and_snapshots_that_a_cell_lacks_are_added(tmp_path: Path) -> None:
    full, pulled = machine(tmp_path / "a", row(0)), machine(tmp_path / "b", row(0))
    train(pulled, row(0), status(snapshot_steps=()))
    (pulled.cell_folder(row(0).key) / "snapshots.safetensors").unlink()
    score(pulled, replace(row(0), evaluation_key="f" * 16), fid=3.0)
    assert merge([full], pulled).added == {str(full.root): 1}
    assert pulled.snapshot_steps(row(0).key) == [10, 20] and pulled.status(row(0).key) == full.status(row(0).key)
    assert {path.name for path in (pulled.cell_folder(row(0).key) / "scores").iterdir()} == {EVALUATION, "f" * 16}
    assert torch.equal(pulled.snapshot(row(0).key, 20), torch.ones(3))


def test_what_tuning_came_to_goes_with_its_suite(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "a", row(0)), machine(tmp_path / "b", row(1))
    second.write_tuning("losses", {"version": 1, "studies": []})
    into = Store(tmp_path / "c")
    assert merge([first, second], into).conflicts == []
    assert into.tuning("losses") == {"version": 1, "studies": []}
    first.write_tuning("losses", {"version": 2})
    assert [told.split(";")[1] for told in merge([first], into).conflicts] == [f" what {into.root} has stays"]
    (tmp_path / "b" / "tuning" / "losses.json").write_text("{")
    assert any("what tuning came to stays where it is" in told for told in merge([second], into).notes)
    assert into.tuning("losses") == {"version": 1, "studies": []}


def test_what_is_half_written_is_no_cell(tmp_path: Path) -> None:
    source = machine(tmp_path / "a", row(0), row(1), row(2))
    (source.cell_folder(row(1).key) / "status.json").unlink()
    (source.cell_folder(row(1).key) / CHECKPOINT).write_bytes(b"in training")
    (source.cell_folder(row(2).key) / "scores" / EVALUATION / "scores.json").unlink()
    into = Store(tmp_path / "all")
    assert merge([source], into).added == {str(source.root): 2}
    assert not into.cell_folder(row(1).key).exists()
    assert into.status(row(2).key) is not None and into.scores(row(2).key, EVALUATION) is None
    score(source, row(2))
    assert merge([source], into).added == {str(source.root): 1}
    assert into.scores(row(2).key, EVALUATION) is not None


@pytest.mark.parametrize("file", ["trace.jsonl", "samples.npy", "pictures.npz", "scores.json"])
def test_an_interrupted_merge_leaves_no_half_cell_and_can_be_run_again(
    tmp_path: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, into = machine(tmp_path / "a", row(0), row(1)), Store(tmp_path / "all")
    plain, copied = joining._copy, []

    def copy(path: Path, target: Path) -> None:
        copied.append(path)
        if path.name == file and row(1).key in path.parts:
            raise KeyboardInterrupt
        plain(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(joining, "_copy", copy)
        with pytest.raises(KeyboardInterrupt):
            merge([source], into)
    assert into.status(row(0).key) is not None and into.status(row(1).key) is None
    assert into.suites() == []
    merge([source], into)
    assert content(into) == content(source)


def test_a_cell_that_is_trained_anew_while_it_is_copied_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, into = machine(tmp_path / "a", row(0)), Store(tmp_path / "all")
    plain = joining._copy

    def copy(path: Path, target: Path) -> None:
        plain(path, target)
        if path.name == "trace.jsonl":
            train(source, row(0), status(g_updates=21), loss=0.7)

    monkeypatch.setattr(joining, "_copy", copy)
    assert merge([source], into).added == {str(source.root): 0}
    assert into.status(row(0).key) is None


def test_other_protocols_are_named_with_what_differs(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "a", row(0)), machine(tmp_path / "b", row(1))
    score(second, row(1), protocol={**PROTOCOL, "samples": 500})
    merged = merge([first, second], Store(tmp_path / "all"))
    assert merged.conflicts == []
    (told,) = merged.notes
    assert told.startswith("ring8 is scored under other protocols: samples is 2000 in ")
    assert f"{first.root} and 500 in {second.root}" in told and "extractor" not in told


def test_two_cells_of_one_name_are_told_with_what_differs(tmp_path: Path) -> None:
    first, second = machine(tmp_path / "a", row(0)), machine(tmp_path / "b", row(0, key="1" * 16))
    for store, listed, margin in ((first, row(0), 1.0), (second, row(0, key="1" * 16), 2.0)):
        store.write_training(listed.key, {"objective": {"loss": {"parameters": {"margin": margin}}}}, status())
    merged = merge([first, second], into := Store(tmp_path / "all"))
    assert "hinge on ring8 is not the same in both: objective loss parameters margin is 1.0 in" in merged.notes[0]
    assert [listed.key for listed in into.suite("losses").listed] == [row(0).key, "1" * 16]


def test_a_merge_waits_for_the_run_that_has_the_store(tmp_path: Path) -> None:
    source, into, waiting = machine(tmp_path / "a", row(0)), Store(tmp_path / "all"), Event()
    thread = Thread(target=merge, args=([source], into, waiting.set))
    with alone(into.root / "run"):
        thread.start()
        assert waiting.wait(30)
        assert not (into.root / "cells").exists()
    thread.join(30)
    assert into.status(row(0).key) is not None


def test_stores_without_results_and_links_are_refused(tmp_path: Path) -> None:
    source = machine(tmp_path / "a", row(0))
    done = CliRunner().invoke(app, ["merge", str(source.root), str(tmp_path / "none"), "-o", str(tmp_path / "all")])
    assert done.exit_code == 2 and f"{tmp_path / 'none'} holds no results" in done.output
    assert not (tmp_path / "all").exists() and not (tmp_path / "none").exists()
    (tmp_path / "secret").write_text("{}")
    samples = source.cell_folder(row(0).key) / "scores" / EVALUATION / "samples.npy"
    samples.unlink()
    samples.symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError, match=r"samples\.npy is a link"):
        merge([source], Store(tmp_path / "all"))
    assert Store(tmp_path / "all").status(row(0).key) is None
