"""What every test shares: one thread, a cache that is not the user's, and the real data where it lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slow tests: at the end, no process waits long for another."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
