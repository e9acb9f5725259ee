"""Provenance: the commit is this code's own, or none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import ganbench
from ganbench.execution.provenance import commit, provenance


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *names, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def pretend(monkeypatch: pytest.MonkeyPatch, installed: Path, direct_url: str | None) -> None:
    class Distribution:
        def read_text(self, name: str) -> str | None:
            return direct_url if name == "direct_url.json" else None

    monkeypatch.setattr(ganbench, "__file__", str(installed / "__init__.py"))
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Distribution() if name else None)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "ganbench").mkdir(parents=True)
    (folder / "ganbench" / "__init__.py").write_text("x = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


def test_a_checkout_gives_its_commit_and_says_when_files_differ(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, checkout / "ganbench", None)
    head = git(checkout, "rev-parse", "--short=12", "HEAD")
    assert commit() == head
    (checkout / "ganbench" / "__init__.py").write_text("x = 2\n")
    assert commit() == f"{head}+changes"


def test_an_installation_beside_someone_elses_repository_does_not_take_its_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = checkout / ".venv" / "ganbench"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("y = 1\n")
    pretend(monkeypatch, installed, None)
    assert commit() == ""


def test_an_installation_from_a_checkout_has_its_commit_while_the_files_are_the_same(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site" / "ganbench"
    shutil.copytree(checkout / "ganbench", installed)
    pretend(monkeypatch, installed, f'{{"url": "{checkout.as_uri()}", "dir_info": {{}}}}')
    assert commit() == git(checkout, "rev-parse", "--short=12", "HEAD")
    (installed / "__init__.py").write_text("x = 3\n")
    assert commit() == ""


def test_an_installation_from_version_control_knows_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path, '{"url": "x", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}')
    assert commit() == "0123456789ab"


def test_versions_and_the_machine_are_named() -> None:
    found = provenance()
    assert found["ganbench"] == ganbench.__version__
    assert found["torch"][0].isdigit()
    assert int(found["cores"]) >= 1
