"""`ganbench sample` as its user meets it: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.store import Store


def invoke(*arguments: object):
    words = [*map(str, arguments), "--device", "cpu"]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200", "TERM": "dumb"})


def sample(*arguments: object) -> str:
    done = invoke("sample", *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*arguments: object) -> str:
    done = invoke("sample", *arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


def rows(path: Path) -> np.ndarray:
    with np.load(path) as archive:
        return archive["arr_0"]


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_the_samples_are_those_that_were_scored(trained, tmp_path: Path) -> None:
    for name, count in ((("hinge", "digits"), 160), (("told", "ring8"), 120)):
        out = tmp_path / f"{name[1]}.npz"
        sample(trained.cells[name], "-o", out, "--count", count)
        kept = Store(trained.root).samples(trained.cells[name].name, trained.scores[name].parent.name)
        drawn = rows(out)
        assert len(drawn) == count
        drawn = drawn.transpose(0, 3, 1, 2) if drawn.ndim == 4 else drawn
        assert np.array_equal(drawn[: len(kept)], kept)


def test_a_grid_shows_the_samples_as_they_are(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "digits"]
    said = sample(cell, "-o", tmp_path / "grid.png", "--count", 4)
    assert "4 samples of G step 20, seed 3" in said and "grid.png" in said
    sample(cell, "-o", tmp_path / "same.npz", "--count", 4)
    grid = pixels(tmp_path / "grid.png")
    factor = grid.shape[0] // 17
    assert grid.shape == (17 * factor, 17 * factor)
    small = grid[::factor, ::factor]
    tiles = [small[top : top + 8, left : left + 8] for top in (0, 9) for left in (0, 9)]
    assert np.array_equal(np.stack(tiles), rows(tmp_path / "same.npz")[..., 0])


def test_a_folder_gets_one_picture_per_sample_and_no_others(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "digits"]
    sample(cell, "-o", tmp_path / "pictures", "--count", 12)
    sample(cell, "-o", tmp_path / "same.npy", "--count", 12)
    files = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in files] == [f"{place:02}.png" for place in range(12)]
    assert np.array_equal(np.stack([pixels(path) for path in files]), np.load(tmp_path / "same.npy")[..., 0])
    assert "not an empty folder" in refused(cell, "-o", tmp_path / "pictures")


def test_without_a_place_a_grid_or_folder_named_after_the_cell_is_left_here(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cell = trained.cells["hinge", "digits"]
    sample(cell)
    sample(cell, "--folder", "--step", 10, "--count", 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"samples-{cell.name[:8]}-{end}" for end in ("10", "20.png")
    ]


def test_points_are_written_as_a_table_an_array_or_a_scatter(trained, tmp_path: Path) -> None:
    cell = trained.cells["told", "ring8"]
    for out in ("points.csv", "points.npz", "points.png"):
        sample(cell, "-o", tmp_path / out, "--count", 20)
    table = np.genfromtxt(tmp_path / "points.csv", delimiter=",", names=True)
    assert table.dtype.names == ("x0", "x1", "label")
    points = rows(tmp_path / "points.npz")
    assert points.dtype == np.float32
    assert np.array_equal(np.stack([table["x0"], table["x1"]], axis=1).astype(np.float32), points)
    assert list(table["label"]) == [place % 8 for place in range(20)]
    assert pixels(tmp_path / "points.png").shape == (512, 512)
    assert "points are no pictures" in refused(cell, "-o", tmp_path / "folder")


def test_one_class_can_be_asked_for(trained, tmp_path: Path) -> None:
    cell = trained.cells["told", "digits"]
    sample(cell, "-o", tmp_path / "sevens.npz", "--count", 40, "--label", 7)
    sample(cell, "-o", tmp_path / "all.npz", "--count", 40)
    with np.load(tmp_path / "sevens.npz") as sevens, np.load(tmp_path / "all.npz") as every:
        assert set(sevens["labels"]) == {7}
        assert list(every["labels"]) == [place % 10 for place in range(40)]
        # the same latents: where 7 was the turn, the pictures are the same
        same = [np.array_equal(a, b) for a, b in zip(sevens["arr_0"], every["arr_0"], strict=True)]
    assert all(same[7::10])
    assert not all(same)
    assert "the classes are 0 to 9" in refused(cell, "--label", 10)
    assert "is not told a class" in refused(trained.cells["hinge", "digits"], "--label", 1)


def test_seed_and_step_change_the_samples_and_repeat(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "ring8"]
    drawn = []
    for place, options in enumerate(((), (), ("--seed", 3), ("--seed", 4), ("--step", 10))):
        sample(cell, "-o", tmp_path / f"{place}.npz", "--count", 30, *options)
        drawn.append(rows(tmp_path / f"{place}.npz"))
    assert np.array_equal(drawn[0], drawn[1]) and np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[3]) and not np.array_equal(drawn[0], drawn[4])


def test_other_tensors_beside_the_generators_are_ignored(trained, tmp_path: Path) -> None:
    cell = tmp_path / "moved"
    shutil.copytree(trained.cells["hinge", "ring8"], cell)
    tensors = load_file(cell / "snapshots.safetensors")
    save_file({**tensors, "d/20": torch.zeros(5), "d/30": torch.zeros(5)}, cell / "snapshots.safetensors")
    sample(cell, "-o", tmp_path / "a.npz", "--count", 30)
    sample(trained.cells["hinge", "ring8"], "-o", tmp_path / "b.npz", "--count", 30)
    assert np.array_equal(rows(tmp_path / "a.npz"), rows(tmp_path / "b.npz"))
    assert "(steps: 10, 20)" in refused(cell, "--step", 30)


def test_what_is_no_checkpoint_is_told_with_those_that_there_are(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "ring8"]
    for near in (cell.parent / cell.name[:6], trained.root, trained.root / "cells"):
        said = refused(near)
        assert "is no checkpoint" in said and "on ring8, seed 3)" in said
    assert f"has {cell.name} (hinge on ring8, seed 3)" in refused(cell.with_name(cell.name[:-1] + "x"))
    assert "there is no such folder" in refused(tmp_path / "none")
    empty = tmp_path / "failed"
    empty.mkdir()
    shutil.copy(cell / "cell.json", empty)
    (empty / "status.json").write_text(json.dumps({"outcome": "failed", "step": 0, "reason": "ValueError: no"}))
    assert "holds no generator: its training failed at G step 0 (ValueError: no)" in refused(empty)


def test_a_generator_that_does_not_fit_its_description_is_refused(trained, tmp_path: Path) -> None:
    cell = tmp_path / "cut"
    shutil.copytree(trained.cells["hinge", "ring8"], cell)
    for size in (7, 7000):
        save_file({"20": torch.zeros(size)}, cell / "snapshots.safetensors")
        assert f"has {size} parameters" in refused(cell)
    (cell / "snapshots.safetensors").write_bytes(b"nothing")
    assert "cannot be read" in refused(cell)


def test_unknown_forms_are_refused_before_anything_is_written(trained, tmp_path: Path) -> None:
    cell = trained.cells["hinge", "digits"]
    cases = [
        (("-o", tmp_path / "a.gif"), "unknown suffix '.gif' (allowed: .png"),
        (("-o", tmp_path / "a.csv"), "pictures are no table"),
        (("-o", tmp_path / "a.npz", "--grid"), "a grid is a .png"),
        (("--count", 0), "--count"),
        (("--dataset", "digit"), "did you mean 'digits'?"),
    ]
    for options, said in cases:
        assert said in refused(cell, *options), options
    assert list(tmp_path.iterdir()) == []


def test_help_teaches_by_example() -> None:
    shown = CliRunner().invoke(app, ["sample", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    for text in ("ganbench sample runs/cells/", "-o grid.png", "--label", "arr_0"):
        assert text in shown
