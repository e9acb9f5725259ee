"""What every test shares: one thread, a cache that is not the user's, and the real data where it lies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have every process start with slow tests of its own: at the end, none waits long for another.

    Each gets a run of neighbours to begin with; those of a file, which may share what is dear to make, stay together.
    """
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    slow = [item for item in items if item.get_closest_marker("slow")]
    fast = [item for item in items if not item.get_closest_marker("slow")]
    files = list(dict.fromkeys(item.path for item in slow))
    items[:] = [
        item
        for process in range(processes)
        for item in [one for one in slow if files.index(one.path) % processes == process]
        + fast[len(fast) * process // processes : len(fast) * (process + 1) // processes]
    ]


@pytest.fixture(scope="session", autouse=True)
def _one_thread_and_own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Keep the user's cache untouched, and the numbers independent of how many cores are free."""
    import torch

    torch.set_num_threads(1)
    before = os.environ.get("GANBENCH_CACHE")
    folder = tmp_path_factory.getbasetemp()
    # One for all processes that pytest runs tests in: what is in it, such as classifiers, is made by one of them.
    cache = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "cache"
    os.environ["GANBENCH_CACHE"] = str(cache)
    yield
    if before is None:
        del os.environ["GANBENCH_CACHE"]
    else:
        os.environ["GANBENCH_CACHE"] = before


@pytest.fixture(scope="session")
def mnist_root() -> Path:
    """The folder that holds the real MNIST, or a skip that says how to get it."""
    from ganbench.paths import data_root

    root = data_root()
    if not (root / "MNIST" / "raw" / "train-images-idx3-ubyte").exists():
        pytest.skip(f"no MNIST under {root}: set GANBENCH_DATA to a folder with MNIST/raw")
    return root


@pytest.fixture(scope="session")
def cifar_folder() -> Path:
    """A folder of real CIFAR-10 pictures by class, or a skip that says how to get it."""
    from ganbench.paths import data_root

    folder = data_root() / "cifar10-jpeg"
    if not folder.exists():
        pytest.skip(f"no cifar10-jpeg under {folder.parent}: set GANBENCH_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database to copy, made once: MLflow's imports take seconds."""
    from ganbench.records import Listed, Status, SuiteRecord
    from ganbench.store import Store
    from ganbench.tracking import Tracker

    empty = Store(tmp_path_factory.mktemp("fresh"))
    empty.write_training("0" * 16, {}, Status("failed", 0))
    row = Listed("0" * 16, "e" * 16, "hinge", "mlp", "ring8", 0, {})
    Tracker(empty, SuiteRecord("first", (row,)), None).sync()
    return empty.root / "mlflow.db"


@pytest.fixture
def mlflow_server() -> Callable[[str, Path], AbstractContextManager[str]]:
    """Start `mlflow server` on a database, with artifacts in a folder; the block has its URI."""
    return _serving


@contextmanager
def _serving(database: str, folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--artifacts-destination", str(folder), "--serve-artifacts"]
    # Its job runner is a third process that nothing here needs.
    less = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **less}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        uri = f"http://127.0.0.1:{port}"
        if not _answers(uri, server, 150):
            pytest.skip(f"the MLflow server did not start: {(folder / 'server.log').read_text()[-500:]}")
        yield uri
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _answers(uri: str, server: subprocess.Popen[bytes], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{uri}/health", timeout=5):
                return True
        except OSError:
            time.sleep(0.2)
    return False
