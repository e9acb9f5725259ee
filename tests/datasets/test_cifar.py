from __future__ import annotations

import hashlib
import pickle
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ganbench import datasets
from ganbench.datasets import cifar

KINDS = {
    "cifar10": ("cifar-10-batches-py", "CIFAR10", "labels"),
    "cifar100": ("cifar-100-python", "CIFAR100", "fine_labels"),
}


def text(value: str) -> bytes:
    return b"U" + bytes([len(value)]) + value.encode()


def array(values: NDArray[np.uint8]) -> bytes:
    """Pickle an array as numpy did under Python 2, with byte strings throughout."""
    shape = b"".join(b"M" + struct.pack("<H", size) for size in values.shape)
    kind = (
        b"cnumpy\ndtype\n("
        + text("u1")
        + b"K\x00K\x01tR(K\x03"
        + text("|")
        + b"NNNJ"
        + b"\xff" * 4
        + b"J"
        + b"\xff" * 4
    )
    raw = b"T" + struct.pack("<i", values.nbytes) + values.tobytes()
    made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + text("b") + b"tR"
    return made + b"(K\x01(" + shape + b"t" + kind + b"K\x00tb" + b"\x89" + raw + b"tb"


def batch(pictures: NDArray[np.uint8], labels: NDArray[np.int64], key: str) -> bytes:
    """Write a batch as the published files are: protocol 2 of Python 2, a dictionary with byte strings as keys."""
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    named = b"](" + b"".join(text(f"{index}.png") for index in range(len(labels))) + b"e"
    pairs = text("batch_label") + text("a batch") + text(key) + listed + text("data") + array(pictures)
    return b"\x80\x02}(" + pairs + text("filenames") + named + b"u."


def content(name: str, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    stream = np.random.RandomState(seed)
    return stream.randint(0, 256, (20, 3072)).astype(np.uint8), stream.randint(0, int(name[5:]), 20)


def trust(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> None:
    """Take the files of a folder for the published ones."""
    files = getattr(cifar, name.upper())
    own = {
        split: {file: hashlib.md5((folder / file).read_bytes()).hexdigest() for file in checksums}
        for split, checksums in files.items()
    }
    monkeypatch.setattr(cifar, name.upper(), own)


@pytest.fixture(params=KINDS)
def small(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """A small set in the form of the published one, whose files are taken for the published ones."""
    name = request.param
    folder, _, key = KINDS[name]
    (tmp_path / folder).mkdir()
    files = [file for checksums in getattr(cifar, name.upper()).values() for file in checksums]
    for seed, file in enumerate(files):
        (tmp_path / folder / file).write_bytes(batch(*content(name, seed), key))
    trust(monkeypatch, name, tmp_path / folder)
    return name, tmp_path


def test_both_splits_are_read_in_order(small: tuple[str, Path]):
    name, root = small
    source = datasets.create(name)
    assert source.missing(root) is None
    source.prepare(root)
    train, test = source.load(root, "train"), source.load(root, "test")
    batches = 5 if name == "cifar10" else 1
    for split, seeds in ((train, range(batches)), (test, [batches])):
        pictures, labels = (np.concatenate(parts) for parts in zip(*(content(name, s) for s in seeds), strict=True))
        assert split.samples.dtype == np.uint8 and split.samples.shape[1:] == source.shape
        np.testing.assert_array_equal(split.samples.reshape(len(labels), -1), pictures)
        np.testing.assert_array_equal(split.labels, labels)
        assert split.labels.dtype == np.int64


def test_what_is_read_is_what_torchvision_reads(small: tuple[str, Path], monkeypatch: pytest.MonkeyPatch):
    import torchvision

    name, root = small
    theirs = getattr(torchvision.datasets, KINDS[name][1])
    monkeypatch.setattr(theirs, "_check_integrity", lambda *_: True)
    monkeypatch.setattr(theirs, "_load_meta", lambda *_: None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy of how Python 2 wrote the type, in plain pickle
        expected = theirs(root, train=False)
    split = datasets.create(name).load(root, "test")
    np.testing.assert_array_equal(split.samples.transpose(0, 2, 3, 1), expected.data)
    assert split.labels.tolist() == expected.targets


def test_the_checksums_are_those_of_torchvision():
    import torchvision

    for name, (folder, theirs, _) in KINDS.items():
        kind = getattr(torchvision.datasets, theirs)
        files = getattr(cifar, name.upper())
        assert kind.base_folder == folder
        assert dict(kind.train_list) == files["train"]
        assert dict(kind.test_list) == files["test"]


def test_a_file_that_is_not_the_published_one_is_refused_before_it_is_read(small: tuple[str, Path]):
    name, root = small
    file = next(iter(getattr(cifar, name.upper())["train"]))
    path = root / KINDS[name][0] / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(99) + b".")
    source = datasets.create(name)
    for read in (lambda: source.prepare(root), lambda: source.load(root, "train")):
        with pytest.raises(ValueError, match=rf"not the published ones.*\n.*{file}"):
            read()


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_a_pickle_that_holds_code_is_not_run_even_with_the_right_checksum(
    small: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name, root = small
    folder = root / KINDS[name][0]
    file = next(iter(getattr(cifar, name.upper())["test"]))
    (folder / file).write_bytes(pickle.dumps({"data": Trap(tmp_path / "ran")}, protocol=2))
    trust(monkeypatch, name, folder)
    with pytest.raises(pickle.UnpicklingError, match="refused to load"):
        datasets.create(name).load(root, "test")
    assert not (tmp_path / "ran").exists()


def test_what_is_missing_is_said_and_fetched_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import torchvision

    for name, (folder, theirs, _) in KINDS.items():
        source = datasets.create(name)
        said = source.missing(tmp_path)
        assert "MB" in said and str(tmp_path / folder) in said
        with pytest.raises(FileNotFoundError, match="would be downloaded"):
            source.load(tmp_path, "test")

        def refuse(root: Path, download: bool) -> None:
            raise RuntimeError(f"asked for {root}, {download}")

        monkeypatch.setattr(torchvision.datasets, theirs, refuse)
        with pytest.raises(RuntimeError, match=f"asked for {tmp_path}, True"):
            source.prepare(tmp_path)
