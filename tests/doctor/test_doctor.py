"""What a doctor says of machines, data and stores, each broken in one way."""

from __future__ import annotations

import errno
import fcntl
import importlib.metadata
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganbench.doctor import devices, disk, installed, supplies, tracked
from ganbench.doctor import store as stored
from ganbench.doctor.finding import Finding, checked, sized
from ganbench.needs import named
from ganbench.records import Listed, Status, SuiteRecord
from ganbench.store import CHECKPOINT, Store
from ganbench.suite.load import load_suite
from ganbench.suite.plan import expand

KEY = "0123456789abcdef"
SUITE = """
objectives: [hinge, non_saturating]
datasets: [digits, ring8]
architectures: {ring8: {mlp: {width: 8, depth: 1}}, default: {dcgan: {width: 8}}}
seeds: 2
train: {g_steps: 20, batch_size: 16, latent_size: 8}
evaluate: {samples: 160, reference: 300, every: 10}
"""


def said(findings, what: str) -> Finding:
    found = [finding for finding in findings if finding.what == what]
    assert len(found) == 1, list(findings)
    return found[0]


def levels(findings) -> set[str]:
    return {finding.level for finding in findings}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "runs")
    for key in (KEY, "b", "c"):
        store.write_training(key, {"seed": 0}, Status("completed", 10), [{"step": 1.0}], {"10": torch.zeros(3)})
    store.write_suite(SuiteRecord("s", (Listed(KEY, "e", "hinge", "mlp", "ring8", 0, {}),)))
    return store


def planned(tmp_path: Path, text: str = SUITE):
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    return expand(load_suite(path), tmp_path / "data", tmp_path / "cache").planned


def test_a_check_that_breaks_is_a_finding_and_keeps_what_it_found() -> None:
    def check():
        yield Finding("a", "ok", "well")
        raise RuntimeError("the driver\nis gone")

    assert list(checked("b", check)) == [
        Finding("a", "ok", "well"),
        Finding("b", "problem", "could not be checked (RuntimeError: the driver is gone)"),
    ]


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1500, "2 kB"), (91e6, "91 MB"), (4.56e9, "4.6 GB")])
def test_bytes_are_written_for_people(count: float, text: str) -> None:
    assert sized(count) == text


def test_a_store_in_order_is_ok(store: Store) -> None:
    found = list(stored.store(store))
    assert levels(found) == {"ok"}
    assert said(found, "store").said == "3 trained cells; suites: s"


def test_a_store_that_is_not_there_yet_is_ok_and_stays_away(tmp_path: Path) -> None:
    (found,) = stored.store(Store(tmp_path / "a" / "runs"))
    assert (found.level, list(tmp_path.iterdir())) == ("ok", [])


def test_a_look_leaves_the_store_as_it_was(store: Store) -> None:
    before = sorted(store.root.rglob("*"))
    list(stored.store(store))
    assert sorted(store.root.rglob("*")) == before


def test_what_is_wrong_in_a_store_is_named_with_a_way_out(store: Store, tmp_path: Path) -> None:
    (store.cell_folder("b") / "status.json").write_text('{"outcome": ')
    (store.cell_folder("c") / "snapshots.safetensors").write_bytes(b"\xff" * 20)
    (store.cell_folder("c") / ".trace.jsonl.ab12cd_9").touch()
    (store.root / ".run.lock").touch()
    (store.root / "suites" / "bad.json").write_text("[1]")
    for key, name in (("d", CHECKPOINT), ("e", "cell.json")):
        store.cell_folder(key).mkdir()
        shutil.copy(store.cell_folder(KEY) / ("snapshots.safetensors" if name == CHECKPOINT else name), tmp_path / "x")
        (tmp_path / "x").rename(store.cell_folder(key) / name)
    store.cell_folder("f").symlink_to(tmp_path)
    found = list(stored.store(store))
    damaged = [finding.said for finding in found if finding.what == "damaged"]
    assert [name for told in damaged for name in ("b/status", "c/snapshots", "bad.json") if name in told] == [
        "b/status",
        "c/snapshots",
        "bad.json",
    ]
    assert said(found, "checkpoints").said == "1 unfinished cells with a checkpoint: d"
    assert said(found, "half cells").said == "1 half-written cells: e"
    assert said(found, "leftovers").said.endswith("cells/c/.trace.jsonl.ab12cd_9")
    assert "cells/f" in said(found, "links").said
    assert all(finding.advice for finding in found if finding.level != "ok")


def test_a_folder_that_cannot_be_written_is_a_problem(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stored.tempfile, "NamedTemporaryFile", full)
    found = said(stored.store(store), "store folder")
    assert (found.level, "No space left" in found.said) == ("problem", True)


def test_a_file_where_the_store_should_be_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    assert levels(stored.store(Store(tmp_path / "runs" / "more"))) == {"problem"}


def test_a_file_system_without_locks_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    found = said(stored.store(store), "store lock")
    assert found.level == "note"
    assert "No locks available" in found.said
    assert "NFS" in found.said


def test_databases_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    assert tracked.database(path).level == "ok"
    assert not path.exists()
    path.write_bytes(b"no database at all" * 100)
    assert "is damaged" in tracked.database(path).said
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    assert "something else" in tracked.database(path).said
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE experiments (name)")
    assert tracked.database(path).level == "ok"


def test_a_database_that_is_being_written_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mlflow.db"
    monkeypatch.setattr(tracked, "PATIENCE", 0.01)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("CREATE TABLE experiments (name)")
    writer.execute("BEGIN EXCLUSIVE")
    assert tracked.database(path).level == "note"
    writer.close()


def test_a_server_that_is_away_is_a_problem_without_its_password(tmp_path: Path) -> None:
    (found,) = tracked.tracking(Store(tmp_path), "http://me:hunter2-correct@127.0.0.1:9")
    assert (found.level, "refused" in found.said, "ganbench track" in found.advice) == ("problem", True, True)
    assert "hunter2" not in str(found)


FACTS = {"cuda": "13.2", "seen": 1, "warned": "", "threads": 1, "mps": False, "free": None}


@pytest.mark.parametrize(
    ("listed", "newest", "facts", "visible", "level", "word"),
    [
        (1, 13020, FACTS, None, "ok", "sees 1"),
        (1, 12080, {**FACTS, "seen": 0}, None, "problem", "the driver is too old"),
        (1, 13020, {**FACTS, "seen": 0, "warned": "CUDA unknown error"}, None, "problem", "CUDA unknown error"),
        (1, 13020, {**FACTS, "cuda": None, "seen": 0}, None, "problem", "built without CUDA"),
        (4, 13020, {**FACTS, "seen": 2}, "0,1", "note", "CUDA_VISIBLE_DEVICES is '0,1'"),
        (4, 13020, {**FACTS, "seen": 1}, "0,7", "problem", "CUDA_VISIBLE_DEVICES is '0,7'"),
        (4, 13020, {**FACTS, "seen": 0}, "", "note", "CUDA_VISIBLE_DEVICES is ''"),
        (1, 13020, {}, None, "note", "could not be asked"),
    ],
)
def test_driver_and_torch_are_held_against_each_other(
    listed: int, newest: int, facts: dict, visible: str | None, level: str, word: str, monkeypatch
) -> None:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = devices.compared(listed, "580.1", newest, facts)
    assert found.level == level
    assert word in found.said


@pytest.mark.parametrize(
    ("text", "cores"), [("200000 100000\n", 2.0), ("50000 100000", 0.5), ("max 100000", None), ("?", None)]
)
def test_a_quota_of_cores_is_read(text: str, cores: float | None, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert devices.quota(tmp_path / "cpu.max") == cores
    assert devices.quota(tmp_path / "no file") is None


@pytest.mark.long
def test_a_worker_is_tried_on_each_device_and_a_wrong_device_told() -> None:
    found = devices.answered(["cpu", "meta"])
    assert found["cpu"].kind == "done"
    assert (found["meta"].kind, "meta" in found["meta"].text) == ("error", True)
    late = devices.answered(["cpu"], patience=0.01)["cpu"]
    assert (late.kind, late.text) == ("died", "it did not answer within 0.01 s")


def test_versions_outside_the_bounds_are_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    assert said(installed.versions(), "packages").said.endswith("are within their bounds")

    def version(package: str) -> str:
        if package == "jinja2":
            raise importlib.metadata.PackageNotFoundError(package)
        return "2.0.0" if package == "mlflow" else real(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = list(installed.versions())
    old, absent = said(found, "mlflow"), said(found, "jinja2")
    assert (old.level, "2.0.0 is outside" in old.said, old.advice.startswith("pip install 'mlflow")) == (
        "problem",
        True,
        True,
    )
    assert (absent.level, absent.advice.startswith("pip install 'jinja2")) == ("problem", True)
    monkeypatch.setattr(installed.platform, "python_version", lambda: "3.9.1")
    assert said(installed.versions(), "python").level == "problem"


def scontrol(monkeypatch: pytest.MonkeyPatch, folder: Path, does: str) -> None:
    """Put a `scontrol` on the PATH that does this."""
    (program := folder / "scontrol").write_text(
        f"#!/bin/sh\nPATH=/usr/bin:/bin\n{does.replace('sleep', 'exec sleep')}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_executors_are_there_or_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installed, "version", lambda _: "1")
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/sbatch")
    scontrol(monkeypatch, tmp_path, "echo 'Slurmctld(primary) at here is UP'")
    assert levels(installed.executors()) == {"ok"}
    scontrol(monkeypatch, tmp_path, "echo 'Slurmctld(primary) at here is DOWN'; exit 1")
    silent = said(installed.executors(), "slurm")
    assert silent.level == "note" and "no controller answers (Slurmctld(primary) at here is DOWN)" in silent.said
    scontrol(monkeypatch, tmp_path, "echo 'scontrol: error: Could not load a configuration' >&2; exit 1")
    assert "Could not load a configuration" in said(installed.executors(), "slurm").said
    scontrol(monkeypatch, tmp_path, "sleep 60")
    monkeypatch.setattr(installed, "SECONDS", 0.1)
    assert "did not answer" in said(installed.executors(), "slurm").said
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "login node" in said(installed.executors(), "slurm").advice
    monkeypatch.setattr(installed, "version", lambda _: None)
    found = list(installed.executors())
    assert [finding.advice for finding in found] == ["pip install 'ganbench[ray]'", "pip install 'ganbench[slurm]'"]
    assert levels(found) == {"note"}


def test_data_of_a_suite_that_is_missing_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "none"))
    needs = [named("mnist"), named("digits")]
    found = list(supplies.data(needs, tmp_path / "none", tmp_path))
    assert [finding.level for finding in found] == ["problem", "problem", "ok"]
    assert "ganbench fetch" in said(found, "data mnist").advice
    (both, absent) = list(supplies.data(None, tmp_path / "none", tmp_path))[1:]
    assert (both.level, "digits" in both.said, absent.level, "mnist" in absent.said) == ("ok", True, "note", True)


def test_data_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    for split in ("train", "t10k"):
        for content in ("images-idx3", "labels-idx1"):
            (raw / f"{split}-{content}-ubyte").mkdir(parents=True)
    found = said(supplies.data([named("mnist")], tmp_path, tmp_path), "data mnist")
    assert (found.level, bool(found.advice)) == ("problem", True)


def test_weights_that_are_not_the_published_ones_are_a_problem(tmp_path: Path) -> None:
    need = named("inception")
    (path,) = need.extractor.create().files(need.dataset, tmp_path, tmp_path)
    assert "would be downloaded" in said(supplies.weights([need], tmp_path, tmp_path), "extractor inception").said
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a download")
    found = said(supplies.weights([need], tmp_path, tmp_path), "extractor inception")
    assert (found.level, "not what was published" in found.said) == ("problem", True)


def test_parameters_are_counted_for_the_disk(tmp_path: Path) -> None:
    rows = [row for row in planned(tmp_path) if row.dataset.label == "ring8" and row.objective.label == "hinge"]
    cell = rows[0].cell
    assert cell is not None
    assert disk._parameters(cell) == (8 * 8 + 8 + 8 * 2 + 2, 2 * 8 + 8 + 8 + 1)


def test_a_disk_too_small_for_the_suite_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, store = planned(tmp_path), Store(tmp_path / "runs")
    wanted = disk.estimate(disk.left(rows, store))
    for free, level in ((wanted // 2, "problem"), (wanted + 1, "problem"), (10**12, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        found = said(disk.disk(rows, store, tmp_path, tmp_path), "disk of the store")
        assert found.level == level
        assert f"about {sized(wanted)}" in found.said


def test_a_damaged_store_still_has_an_estimate(tmp_path: Path) -> None:
    rows, store = planned(tmp_path), Store(tmp_path / "runs")
    whole = disk.left(rows, store)
    store.cell_folder(whole[0][0].key).mkdir(parents=True)
    (store.cell_folder(whole[0][0].key) / "status.json").write_text("{")
    assert [cell.key for cell, _ in disk.left(rows, store)] == [cell.key for cell, _ in whole]
