"""No password of a tracking URI is written or said anywhere."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.records import Listed, Status, SuiteRecord
from ganbench.sent import hidden, shown
from ganbench.store import Store

SECRET = "hunter2-correct"
SUITE = """
objectives: [hinge]
datasets: [dirac]
train: {g_steps: 20}
"""


def closed_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("uri", "safe"),
    [
        ("http://me:pa/ss#wo?rd@host:5000/x", "http://me:***@host:5000/x"),
        ("http://me:p@ss@host", "http://me:***@host"),
        ("http://host:5000/path@2", "http://host:5000/path@2"),
        ("http://host/x?token=abc&y=1", "http://host/x?token=***&y=1"),
        ("postgresql://db/x?user=me&password=abc", "postgresql://db/x?user=me&password=***"),
        ("http://me:secret@[broken", "http://me:***@[broken"),
    ],
)
def test_a_uri_is_shown_without_its_secrets_however_it_is_written(uri: str, safe: str) -> None:
    assert shown(uri) == safe


@pytest.mark.parametrize(
    "said",
    [
        "no such host: http://me:pa%40ss@host/api",
        "login of me with pa@ss refused",
        "quoted pa%40ss",
        "cannot open http://me:pa%40ss@host",
    ],
)
def test_an_error_is_told_without_the_password_in_any_form(said: str) -> None:
    assert not {"pa@ss", "pa%40ss"} & set(hidden(said, "http://me:pa%40ss@host").replace("/", " ").split())
    assert "pa%40ss" not in hidden(said, "http://me:pa%40ss@host")
    assert hidden(said, None) == said


def test_words_stay_where_the_password_is_a_short_one() -> None:
    assert hidden("a server at http://me:a@host is away", "http://me:a@host") == (
        "a server at http://me:***@host is away"
    )


def _everything_in(folder: Path) -> bytes:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


@pytest.mark.parametrize(
    "uri",
    [
        f"nonsense://me:{SECRET}@127.0.0.1/x",
        f"http://me:{SECRET}@[127.0.0.1",
        f"postgresql+nodriver://me:{SECRET}@127.0.0.1:9/x",
        f"http://me:{SECRET}/@127.0.0.1:9",
    ],
)
def test_a_uri_that_cannot_be_used_is_told_without_its_password(uri: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.write_training("k", {"seed": 0}, Status("completed", 1))
    store.write_suite(SuiteRecord("s", (Listed("k", "e", "hinge", "mlp", "ring8", 0, {}),)))
    done = CliRunner().invoke(app, ["track", str(store.root)], env={"MLFLOW_TRACKING_URI": uri})
    assert (done.exit_code, "1 cell is unsent" in done.output) == (1, True)
    assert "me:***@" in done.output
    assert SECRET not in done.output
    assert SECRET.encode() not in _everything_in(tmp_path)


@pytest.mark.slow  # a whole run, since every part of it could write the URI down
def test_a_run_leaves_no_password_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:{SECRET}@127.0.0.1:{closed_port()}")
    done = CliRunner().invoke(app, ["run", "suite.yaml", "--device", "cpu", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "me:***@127.0.0.1" in done.output
    heard = capfd.readouterr()
    assert SECRET not in done.output + heard.out + heard.err
    assert (tmp_path / "reports" / "suite" / "index.html").exists()
    assert SECRET.encode() not in _everything_in(tmp_path)
