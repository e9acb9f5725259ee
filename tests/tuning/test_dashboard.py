"""optuna-dashboard opens the journal of a search, while it may still be going on."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVE = "import sys; from optuna_dashboard._cli import main; sys.argv[0] = 'optuna-dashboard'; main()"


@contextmanager
def dashboard(journal: Path) -> Iterator[str]:
    """Serve a journal as its command does; the block has the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(journal), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--server", "wsgiref"]
    log = journal.parent / "dashboard.log"
    with log.open("wb") as told:
        server = subprocess.Popen(command, cwd=journal.parent, env=dict(os.environ), stdout=told, stderr=told)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and server.poll() is None:
            try:
                asked(f"http://127.0.0.1:{port}", "studies")
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise AssertionError(log.read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def asked(address: str, what: str):
    with urllib.request.urlopen(f"{address}/api/{what}", timeout=20) as answer:
        return json.load(answer)


@pytest.mark.cluster  # starts a server
@pytest.mark.skipif(
    importlib.util.find_spec("optuna_dashboard") is None, reason="needs a package: pip install optuna-dashboard"
)
def test_the_dashboard_shows_trials_settings_values_and_which_are_infeasible(bench, alone_text):
    text = alone_text.replace("  trials:", "  objective: [fid_final, cost]\n  trials:")
    text = text.replace("g_lr: {log: [1e-4, 1e-1]}", "g_lr: {choice: [1.0e-3, 1.0e+30]}")
    (finding,) = bench.tune(text, sampler="random", seed=1, trials=4).findings
    assert 0 < finding.infeasible < 4
    with dashboard(bench.folder / "runs" / "studies" / "suite.journal") as address:
        (study,) = asked(address, "studies")["study_summaries"]
        assert study["study_name"] == "suite: minimax / ring8 / mlp(width=8, depth=1)"
        assert study["directions"] == ["minimize", "minimize"]
        shown = asked(address, f"studies/{study['study_id']}")["trials"]
    assert [trial["number"] for trial in shown] == [0, 1, 2, 3]
    for trial, tried in zip(shown, finding.tried, strict=True):
        settings = {each["name"]: float(each["param_external_value"]) for each in trial["params"]}
        assert settings == pytest.approx(dict(tried.settings))
        if tried.feasible:
            assert trial["state"] == "Complete" and trial["values"] == pytest.approx(list(tried.means))
            assert trial["constraints"] == [0.0]
        else:
            assert trial["state"] == "Pruned" and trial["constraints"] == [1.0]
        told = {each["key"]: json.loads(each["value"]) for each in trial["user_attrs"]}
        assert told["ganbench.scores"] == list(tried.scores) and told["ganbench.lost"] == list(tried.lost)
