from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ganbench import datasets
from ganbench.datasets import idx

Writer = Callable[..., Path]
ALIKE = [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST"), ("kmnist", "KMNIST")]


@pytest.mark.parametrize(("name", "folder"), ALIKE)
@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_read_is_what_torchvision_reads(name: str, folder: str, split: str, small_mnist: Writer):
    import torchvision

    root = small_mnist(folder)
    source = datasets.create(name)
    read, expected = source.load(root, split), getattr(torchvision.datasets, folder)(root, split == "train")
    np.testing.assert_array_equal(read.samples[:, 0, 2:-2, 2:-2], expected.data.numpy())
    np.testing.assert_array_equal(read.labels, expected.targets.numpy())
    assert read.samples.shape[1:] == source.shape == (1, 32, 32)
    assert read.samples[:, :, :2].max() == read.samples[..., -2:].max() == 0
    assert datasets.create(name, side=28).load(root, split).samples.shape[1:] == (1, 28, 28)


@pytest.mark.parametrize(("name", "folder"), ALIKE)
def test_what_is_missing_is_said_with_size_and_place(name: str, folder: str, tmp_path: Path):
    source = datasets.create(name)
    said = source.missing(tmp_path)
    assert "MB" in said and str(tmp_path / folder / "raw") in said
    with pytest.raises(FileNotFoundError, match="would be downloaded"):
        source.load(tmp_path, "train")


@pytest.mark.parametrize(("name", "folder"), ALIKE)
def test_what_is_missing_is_fetched_by_torchvision_and_only_then(
    name: str, folder: str, small_mnist: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import torchvision

    asked = []
    monkeypatch.setattr(torchvision.datasets, folder, lambda root, download: asked.append((root, download)))
    source = datasets.create(name)
    source.prepare(tmp_path / "empty")
    assert asked == [(tmp_path / "empty", True)]
    source.prepare(small_mnist(folder))
    assert len(asked) == 1


def test_datasets_that_share_files_fetch_them_once_when_they_are_prepared_side_by_side(
    small_mnist: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import torchvision

    source, asked = small_mnist(), []

    def fetch(root: Path, download: bool) -> None:
        asked.append(root)
        time.sleep(0.1)  # long enough for the others to come
        shutil.copytree(source / "MNIST", root / "MNIST")

    monkeypatch.setattr(torchvision.datasets, "MNIST", fetch)
    parts = [datasets.create("mnist"), datasets.create("mnist", side=28), datasets.create("stacked_mnist")]
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(lambda part: part.prepare(tmp_path / "shared"), parts))
    assert asked == [tmp_path / "shared"]


def test_preparing_and_reading_what_is_there_imports_neither_torch_nor_torchvision(small_mnist: Writer):
    root = small_mnist("FashionMNIST")
    code = (
        "import sys; from pathlib import Path; from ganbench import datasets\n"
        f"source, root = datasets.create('fashion_mnist'), Path({str(root)!r})\n"
        "source.prepare(root); source.load(root, 'test')\n"
        "print([name for name in ('sklearn', 'torchvision', 'torch', 'scipy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_pictures_and_labels_of_different_number_are_refused(small_mnist: Writer):
    root = small_mnist()
    raw = root / "MNIST" / "raw"
    (raw / "t10k-labels-idx1-ubyte").write_bytes((raw / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(ValueError, match="400 labels"):
        datasets.create("mnist").load(root, "test")


def test_a_file_cut_short_is_refused(small_mnist: Writer):
    root = small_mnist()
    path = root / "MNIST" / "raw" / idx.FILES[0]
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=idx.FILES[0]):
        datasets.create("mnist").load(root, "train")
