"""What every test shares: one thread, a cache of its own, and the real data where it lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_thread_and_own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Keep the user's cache untouched, and the numbers independent of how many cores are free."""
    import torch

    torch.set_num_threads(1)
    before = os.environ.get("GANBENCH_CACHE")
    os.environ["GANBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
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
    """An empty MLflow database to copy, made once: its migrations take seconds."""
    from ganbench.store import Listed, Status, Store, SuiteRecord
    from ganbench.tracking import Tracker

    empty = Store(tmp_path_factory.mktemp("fresh"))
    empty.write_training("0" * 16, {}, Status("failed", 0))
    row = Listed("0" * 16, "e" * 16, "hinge", "mlp", "ring8", 0, {})
    Tracker(empty, SuiteRecord("first", (row,)), None).sync()
    return empty.root / "mlflow.db"
