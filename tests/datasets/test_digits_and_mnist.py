from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganbench import datasets


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
