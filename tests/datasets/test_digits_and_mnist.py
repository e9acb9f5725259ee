from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganbench import datasets
from ganbench.datasets import digits, idx


def test_digits_are_all_there_split_by_class_and_without_overlap(tmp_path: Path):
    source = datasets.create("digits")
    train, test = source.load(tmp_path, "train"), source.load(tmp_path, "test")
    assert (len(train.samples), len(test.samples)) == (1442, 355)
    assert train.samples.shape[1:] == source.shape == (1, 8, 8)
    assert train.samples.dtype == np.uint8
    assert (train.samples.min(), train.samples.max()) == (0, 255)
    for split in (train, test):
        assert np.bincount(split.labels) / len(split.labels) == pytest.approx([0.1] * 10, abs=0.01)
    assert np.array_equal(source.load(tmp_path, "test").samples, test.samples)


def test_digits_are_those_that_scikit_learn_gives():
    from sklearn.datasets import load_digits

    pixels, labels = digits._read()
    bunch = load_digits()
    np.testing.assert_array_equal(pixels, bunch.images)
    np.testing.assert_array_equal(labels, bunch.target)


def test_real_pictures_are_read_without_the_libraries_that_ship_them(mnist_root: Path):
    code = (
        "import sys; from pathlib import Path; from ganbench import datasets\n"
        f"for name in ('digits', 'mnist'): datasets.create(name).load(Path({str(mnist_root)!r}), 'test')\n"
        "print([name for name in ('sklearn', 'torchvision', 'torch', 'scipy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("split", ["train", "test"])
def test_mnist_is_what_torchvision_reads(split: str, mnist_root: Path):
    from torchvision.datasets import MNIST

    read, expected = datasets.create("mnist", side=28).load(mnist_root, split), MNIST(mnist_root, split == "train")
    np.testing.assert_array_equal(read.samples[:, 0], expected.data.numpy())
    np.testing.assert_array_equal(read.labels, expected.targets.numpy())


def test_a_file_that_is_not_mnist_is_said(tmp_path: Path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in idx.FILES:
        (raw / name).write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match="IDX"):
        datasets.create("mnist").load(tmp_path, "test")


def test_mnist_says_what_is_missing_and_never_downloads_in_load(tmp_path: Path):
    source = datasets.create("mnist")
    assert "12 MB" in source.missing(tmp_path)
    with pytest.raises(FileNotFoundError, match="would be downloaded"):
        source.load(tmp_path, "train")


def test_mnist_is_padded_with_black_from_28_to_32(mnist_root: Path):
    wide = datasets.create("mnist")
    narrow = datasets.create("mnist", side=28)
    assert wide.missing(mnist_root) is None
    wide.prepare(mnist_root)  # the folder may be read-only: there is nothing to fetch
    padded, original = wide.load(mnist_root, "test"), narrow.load(mnist_root, "test")
    assert padded.samples.shape == (10_000, 1, 32, 32)
    assert original.samples.shape == (10_000, *narrow.shape)
    assert np.array_equal(padded.samples[:, :, 2:-2, 2:-2], original.samples)
    assert padded.samples[:, :, :2].max() == 0
    assert padded.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_mnist_refuses_other_sides():
    with pytest.raises(ValueError, match="side of mnist"):
        datasets.create("mnist", side=64)
