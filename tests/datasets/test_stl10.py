from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from ganbench import datasets
from ganbench.datasets import pixels, stl10

COUNTS = {"train": 12, "test": 7, "unlabeled": 5}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in the form of the published one, whose files are taken for the published ones."""
    folder = tmp_path / "data" / "stl10_binary"
    folder.mkdir(parents=True)
    stream = np.random.RandomState(0)
    for name, count in COUNTS.items():
        stream.randint(0, 256, (count, 3, 96, 96)).astype(np.uint8).tofile(folder / f"{name}_X.bin")
        if name != "unlabeled":
            stream.randint(1, 11, count).astype(np.uint8).tofile(folder / f"{name}_y.bin")
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    monkeypatch.setattr(stl10, "FILES", {name: sums[name] for name in stl10.FILES})
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_read_is_what_torchvision_reads(split: str, root: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision.datasets import STL10

    monkeypatch.setattr(STL10, "_check_integrity", lambda *_: True)
    read, expected = datasets.create("stl10", side=96).load(root, split), STL10(root, split)
    np.testing.assert_array_equal(read.samples, expected.data)
    np.testing.assert_array_equal(read.labels, expected.labels)
    assert read.labels.dtype == np.int64


def test_the_unlabelled_pictures_follow_and_take_the_labels_away(root: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision.datasets import STL10

    monkeypatch.setattr(STL10, "_check_integrity", lambda *_: True)
    source = datasets.create("stl10", side=96, unlabelled=True)
    train, test = source.load(root, "train"), source.load(root, "test")
    np.testing.assert_array_equal(train.samples, STL10(root, "train+unlabeled").data)
    assert source.classes is train.labels is test.labels is None
    assert len(test.samples) == COUNTS["test"]


@pytest.mark.parametrize("side", [64, 48, 32])
def test_pictures_are_averaged_down(side: int, root: Path):
    source = datasets.create("stl10", side=side)
    whole = datasets.create("stl10", side=96).load(root, "test")
    small = source.load(root, "test")
    assert small.samples.shape == (COUNTS["test"], *source.shape) == (COUNTS["test"], 3, side, side)
    assert np.array_equal(small.samples, pixels.average_down(whole.samples, side))
    assert np.array_equal(small.labels, whole.labels)


def test_pixels_are_averaged_once(root: Path, monkeypatch: pytest.MonkeyPatch):
    source = datasets.create("stl10")
    source.prepare(root)
    monkeypatch.setattr(pixels, "average_down", lambda *_: pytest.fail("averaged again"))
    assert source.load(root, "train").samples.shape == (COUNTS["train"], 3, 48, 48)


@pytest.mark.parametrize("name", ["train_X.bin", "test_y.bin"])
def test_a_file_that_is_not_the_published_one_is_refused(name: str, root: Path):
    path = root / "stl10_binary" / name
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ValueError, match=rf"not the published ones.*\n.*{name}"):
        datasets.create("stl10").prepare(root)


def test_labels_that_were_altered_later_are_refused(root: Path):
    source = datasets.create("stl10")
    source.prepare(root)
    path = root / "stl10_binary" / "test_y.bin"
    path.write_bytes(path.read_bytes()[::-1] + b"\1")
    with pytest.raises(ValueError, match="not the published ones"):
        source.load(root, "test")


def test_what_is_missing_is_said_and_only_what_is_read_is_needed(root: Path, tmp_path: Path):
    assert "2.6 GB" in datasets.create("stl10").missing(tmp_path)
    with pytest.raises(FileNotFoundError, match="would be downloaded"):
        datasets.create("stl10").load(tmp_path, "train")
    (root / "stl10_binary" / "unlabeled_X.bin").unlink()
    assert datasets.create("stl10").missing(root) is None
    assert "2.6 GB" in datasets.create("stl10", unlabelled=True).missing(root)


def test_what_is_missing_is_fetched_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import torchvision

    def refuse(root: Path, download: bool) -> None:
        raise RuntimeError(f"asked for {root}, {download}")

    monkeypatch.setattr(torchvision.datasets, "STL10", refuse)
    with pytest.raises(RuntimeError, match=f"asked for {tmp_path}, True"):
        datasets.create("stl10").prepare(tmp_path)


def test_the_checksums_are_those_of_torchvision():
    from torchvision.datasets import STL10

    assert dict((*STL10.train_list, *STL10.test_list)) == stl10.FILES
    assert STL10.base_folder == "stl10_binary"
