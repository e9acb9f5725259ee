"""A store that somebody else made: nothing of it runs, nothing outside it is read or changed, what is wrong is told."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ganbench.checkpoints import StoredCheckpoints, step_of
from ganbench.cli import app
from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.sent import Result, remember
from ganbench.store import CHECKPOINT, Store, StoreError
from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite

STATUS = Status("completed", 10, snapshot_steps=(10,))
KEY = "0123456789abcdef"
LISTED = Listed(KEY, "e", "hinge", "mlp", "ring8", 0, {})
OUTSIDE = ["../x", "..", "/etc", "a/b", "", ".", "a\0b", "a" * 300, "k\n", 7, None]


def ganbench(*arguments: str):
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "runs")
    store.write_training(KEY, {"seed": 0}, STATUS, [{"step": 1.0}], {"10": torch.zeros(3)})
    store.write_suite(SuiteRecord("s", (LISTED,)))
    return store


@pytest.mark.parametrize("key", OUTSIDE)
def test_no_key_leads_out_of_the_store(store: Store, key) -> None:
    for read in (store.cell_folder, store.status, store.trace, lambda key: store.scores(KEY, key)):
        with pytest.raises(StoreError, match="no key"):
            read(key)
    with pytest.raises(StoreError, match="no key"):
        store.discard([key])


def test_a_list_of_cells_that_points_outside_makes_no_report(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "status.json").write_text('{"outcome": "completed", "step": 1}')
    listing = store.root / "suites" / "s.json"
    listing.write_text(listing.read_text().replace(KEY, "../../secret"))
    done = ganbench("report", str(store.root), "-o", str(tmp_path / "out"))
    assert (done.exit_code, "'../../secret' is no key" in done.output) == (2, True)


def test_the_name_of_a_suite_is_that_of_its_file(store: Store) -> None:
    listing = store.root / "suites" / "s.json"
    listing.write_text(listing.read_text().replace('"name": "s"', '"name": "../../s"'))
    assert store.suite("s").name == "s"


@pytest.mark.parametrize("name", ["../x", "/x", "a\0b", "x" * 101, "con", "Aux.yaml", "a.", "", ".x", "a\n"])
def test_a_suite_is_named_like_a_plain_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(f"name: {json.dumps(name)}\nobjectives: [hinge]\ndatasets: [ring8]\n")
    with pytest.raises(SuiteError, match=r"suite\.yaml:1: name: "):
        load_suite(path)


def test_a_suite_makes_no_object_of_a_yaml_tag(tmp_path: Path) -> None:
    path, touched = tmp_path / "suite.yaml", tmp_path / "touched"
    tag = f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{touched}']]"
    path.write_text(f"name: {tag}\nobjectives: [hinge]\ndatasets: [ring8]\n")
    with pytest.raises(SuiteError):
        load_suite(path)
    assert ganbench("run", str(path), "--plan").exit_code == 2
    assert not touched.exists()


def test_a_plugin_file_that_a_store_names_is_not_run(store: Store, tmp_path: Path) -> None:
    plugin, touched = tmp_path / "evil.py", tmp_path / "touched"
    plugin.write_text(f"import pathlib\npathlib.Path({str(touched)!r}).touch()\n")
    part = {"name": "mine", "version": "1+abc", "parameters": {}}
    cell = {"objective": {"loss": part, "penalties": []}, "architecture": part, "dataset": part, "train": {}, "seed": 0}
    store.write_training(KEY, cell, STATUS, [{"step": 1.0}], {"10": torch.zeros(3)})
    store.write_suite(SuiteRecord("s", (LISTED,), plugins=(str(plugin),)))
    folder = str(store.cell_folder(KEY))
    assert ganbench("report", str(store.root), "-o", str(tmp_path / "out")).exit_code == 0
    for verb in (("sample", folder, "-o", str(tmp_path / "x.png")), ("evaluate", folder)):
        done = ganbench(*verb)
        assert done.exit_code == 2
        assert f"--plugin FILE loads one (the suites of this store name {plugin})" in done.output
    assert not touched.exists()
    assert ganbench("sample", folder, "--plugin", str(plugin)).exit_code == 2
    assert touched.exists()


class Bomb:
    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self):
        return Path.touch, (self.touched,)


def test_nothing_is_unpickled(store: Store, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    store.write_scores(KEY, "e", Scores("p", {}, {}, ()), np.zeros((2, 2), dtype=np.float32))
    bomb = np.array([Bomb(touched)], dtype=object)
    np.save(store.cell_folder(KEY) / "scores" / "e" / "samples.npy", bomb, allow_pickle=True)
    with (store.cell_folder(KEY) / "scores" / "e" / "pictures.npz").open("wb") as file:
        np.savez_compressed(file, allow_pickle=True, steps=bomb)
    for name in ("snapshots.safetensors", CHECKPOINT):
        (store.cell_folder(KEY) / name).write_bytes(pickle.dumps(Bomb(touched)))
    for read in (
        lambda: store.samples(KEY, "e"),
        lambda: store.pictures(KEY, "e"),
        lambda: store.snapshot_steps(KEY),
        lambda: store.snapshot(KEY, 10),
        lambda: store.d_snapshot(KEY, 10),
    ):
        with pytest.raises(StoreError, match="cannot be read"):
            read()
    assert step_of(store, KEY) == 0
    assert not touched.exists()


def _head(of: object, length: int | None = None, rest: bytes = b"") -> bytes:
    text = of if isinstance(of, bytes) else json.dumps(of).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + rest


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        _head({}, length=2**63),
        _head({}, length=99_000_000),
        _head(b"[" * 10_000),
        _head({"10": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        _head({"10": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, rest=b"\0" * 8),
        _head({"__metadata__": {"step": 5}}),
    ],
)
def test_damaged_tensors_are_told_by_their_file(store: Store, content: bytes) -> None:
    for name in ("snapshots.safetensors", CHECKPOINT):
        (store.cell_folder(KEY) / name).write_bytes(content)
    with pytest.raises(StoreError, match=r"snapshots\.safetensors cannot be read"):
        store.snapshot(KEY, 10)
    assert step_of(store, KEY) == 0


@pytest.mark.parametrize("step", ["-5", "many", "nan", ""])
def test_a_checkpoint_of_no_step_is_none(store: Store, step: str) -> None:
    (store.cell_folder(KEY) / CHECKPOINT).write_bytes(_head({"__metadata__": {"step": step}}))
    assert step_of(store, KEY) == 0


@pytest.mark.parametrize("content", [b"[1]", b"\xff\xfe", b'{"a": ', b"[" * 100_000, b"null"])
def test_damaged_json_is_told_by_its_file(store: Store, content: bytes) -> None:
    folder = store.cell_folder(KEY)
    (folder / "status.json").write_bytes(content)
    (folder / "trace.jsonl").write_bytes(b'{"step": 1}\n' + content)
    (store.root / "suites" / "s.json").write_bytes(content)
    for read, name in (
        (lambda: store.status(KEY), "status.json"),
        (lambda: store.trace(KEY), "trace.jsonl"),
        (lambda: store.suite("s"), r"s\.json"),
    ):
        with pytest.raises(StoreError, match=name):
            read()


@pytest.mark.parametrize("listed", [7, [7], [{"key": 1}], {"a": 1}])
def test_a_list_of_something_else_is_told(store: Store, listed: object) -> None:
    (store.root / "suites" / "s.json").write_text(json.dumps({"name": "s", "listed": listed}))
    with pytest.raises(StoreError, match=r"s\.json"):
        store.suite("s")


@pytest.fixture
def elsewhere(store: Store, tmp_path: Path) -> Path:
    """The folder of the only cell, moved out of the store, with a link in its place and another inside it."""
    place, precious = tmp_path / "elsewhere", tmp_path / "precious"
    store.cell_folder(KEY).rename(place)
    store.cell_folder(KEY).symlink_to(place)
    precious.mkdir()
    (precious / "file").touch()
    (place / "inside").symlink_to(precious)
    return place


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_link_is_read_and_what_it_points_to_stays(store: Store, elsewhere: Path) -> None:
    before = _names(elsewhere)
    assert store.status(KEY) == STATUS
    with pytest.raises(StoreError, match="is a link"):
        store.write_scores(KEY, "e", Scores("p", {}, {}, ()), None)
    store.discard([KEY])
    assert not store.cell_folder(KEY).exists()
    assert _names(elsewhere) == before


def test_training_again_replaces_a_link_and_not_what_it_points_to(store: Store, elsewhere: Path) -> None:
    before = {path.name: path.read_bytes() for path in elsewhere.iterdir() if path.is_file()}
    kept = StoredCheckpoints(store, [KEY], resumes=False)
    kept.write([{"step": torch.tensor(4)}])
    assert step_of(store, KEY) == 4
    store.write_training(KEY, {"seed": 1}, STATUS)
    assert not store.cell_folder(KEY).is_symlink()
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir() if path.is_file()} == before


def test_links_inside_a_cell_are_removed_as_links(store: Store, elsewhere: Path, tmp_path: Path) -> None:
    store.cell_folder(KEY).unlink()
    elsewhere.rename(store.cell_folder(KEY))
    store.discard([KEY])
    assert not store.cell_folder(KEY).exists()
    assert _names(tmp_path / "precious") == ["file"]


def test_nothing_is_discarded_where_all_cells_are_a_link(store: Store, tmp_path: Path) -> None:
    (store.root / "cells").rename(tmp_path / "cells")
    (store.root / "cells").symlink_to(tmp_path / "cells")
    with pytest.raises(StoreError, match="is a link"):
        store.discard([KEY])
    assert store.status(KEY) == STATUS


def test_marks_are_not_written_through_a_link(store: Store, tmp_path: Path) -> None:
    suite, result, profile = store.suite("s"), Result(LISTED, STATUS, None), tmp_path / "profile"
    remember(store, suite, None, result, "run")
    (marks,) = (store.root / "tracking").iterdir()
    profile.write_text("as it was")
    marks.unlink()
    marks.symlink_to(profile)
    with pytest.raises(OSError, match="symbolic"):
        remember(store, suite, None, result, "run")
    assert profile.read_text() == "as it was"
