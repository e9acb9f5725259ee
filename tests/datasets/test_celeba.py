from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench import datasets
from ganbench.datasets import celeba, pixels

PARTITIONS = (0, 0, 1, 2, 0, 2, 1)  # train, validation and test, mixed


def jpeg(number: int, size: tuple[int, int] = (178, 218)) -> bytes:
    coarse = np.random.RandomState(number).randint(0, 256, (7, 6, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def trust(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Take the files of a folder for the published ones."""
    monkeypatch.setattr(celeba, "FILES", {n: hashlib.md5((folder / n).read_bytes()).hexdigest() for n in celeba.FILES})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set in the form of the published one, packed, whose files are taken for the published ones."""
    folder = tmp_path / "data" / "celeba"
    folder.mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(1, 8)]
    rows = [f"{name} {number}" for name, number in zip(names, PARTITIONS, strict=True)]
    (folder / celeba.PARTITION).write_text("\n".join(rows) + "\n")
    with zipfile.ZipFile(folder / celeba.ARCHIVE, "w") as archive:
        for number, name in enumerate(names, start=1):
            archive.writestr(f"img_align_celeba/{name}", jpeg(number))
    trust(monkeypatch, folder)
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


def unpack(root: Path) -> Path:
    with zipfile.ZipFile(root / "celeba" / celeba.ARCHIVE) as archive:
        archive.extractall(root / "celeba")
    return root / "celeba" / "img_align_celeba"


def test_faces_are_cropped_at_the_centre_and_averaged_down(root: Path):
    source = datasets.create("celeba", side=32)
    assert (source.shape, source.classes, source.missing(root)) == ((3, 32, 32), None, None)
    for split, numbers in (("train", (1, 2, 5)), ("test", (4, 6))):
        found = source.load(root, split)
        whole = [np.asarray(Image.open(io.BytesIO(jpeg(number)))) for number in numbers]
        faces = np.stack([picture[20:198].transpose(2, 0, 1) for picture in whole])
        assert faces.shape[1:] == (3, 178, 178)
        assert np.array_equal(found.samples, pixels.average_down(faces, 32))
        assert found.labels is None


def test_the_folder_that_torchvision_unpacks_gives_the_same_without_the_archive(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packed = datasets.create("celeba", side=40).load(root, "train").samples
    unpack(root)
    (root / "celeba" / celeba.ARCHIVE).unlink()
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "other"))
    source = datasets.create("celeba", side=40)
    assert source.missing(root) is None
    assert np.array_equal(source.load(root, "train").samples, packed)


def test_faces_are_decoded_once_for_each_side(root: Path, monkeypatch: pytest.MonkeyPatch):
    datasets.create("celeba", side=32).prepare(root)
    datasets.create("celeba", side=33).prepare(root)
    monkeypatch.setattr(celeba, "decode", lambda *_: pytest.fail("decoded again"))
    for side in (32, 33):
        assert datasets.create("celeba", side=side).load(root, "test").samples.shape == (2, 3, side, side)


def test_broken_absent_and_other_pictures_are_all_named(root: Path):
    folder = unpack(root)
    (folder / "000001.jpg").write_bytes(jpeg(1)[:500])
    (folder / "000002.jpg").unlink()
    (folder / "000005.jpg").write_bytes(jpeg(5, size=(1024, 1024)))
    with pytest.raises(ValueError, match="3 pictures cannot be read") as error:
        datasets.create("celeba").prepare(root)
    assert all(name in str(error.value) for name in ("000001.jpg", "000002.jpg", "000005.jpg: 1024 x 1024"))


@pytest.mark.parametrize("name", celeba.FILES)
def test_a_file_that_is_not_the_published_one_is_refused(name: str, root: Path):
    with (root / "celeba" / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ValueError, match=rf"not the published ones.*\n.*{name}"):
        datasets.create("celeba").prepare(root)


def test_what_is_missing_is_said(tmp_path: Path):
    source = datasets.create("celeba")
    assert "1.4 GB" in source.missing(tmp_path)
    with pytest.raises(FileNotFoundError, match="would be downloaded"):
        source.load(tmp_path, "train")


def test_a_download_that_fails_says_what_to_put_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision.datasets import utils

    def refuse(place: str, folder: Path, name: str, checksum: str) -> None:
        raise RuntimeError("too many users have viewed or downloaded this file recently")

    monkeypatch.setattr(utils, "download_file_from_google_drive", refuse)
    with pytest.raises(RuntimeError, match="too many users") as error:
        datasets.create("celeba").prepare(tmp_path)
    for told in (str(tmp_path / "celeba"), celeba.ARCHIVE, celeba.PARTITION, *celeba.FILES.values(), "1.4 GB"):
        assert told in str(error.value)


def test_only_what_is_not_there_is_fetched(root: Path, monkeypatch: pytest.MonkeyPatch):
    from torchvision.datasets import utils

    folder, fetched = root / "celeba", []
    content = (folder / celeba.PARTITION).read_bytes()
    (folder / celeba.PARTITION).unlink()

    def fetch(place: str, folder: Path, name: str, checksum: str) -> None:
        fetched.append(name)
        (folder / name).write_bytes(content)

    monkeypatch.setattr(utils, "download_file_from_google_drive", fetch)
    source = datasets.create("celeba")
    source.prepare(root)
    assert source.load(root, "test").samples.shape == (2, 3, 64, 64)
    assert fetched == [celeba.PARTITION]


def test_the_checksums_are_those_of_torchvision():
    from torchvision.datasets import CelebA

    theirs = {name: checksum for _, checksum, name in CelebA.file_list}
    assert {name: theirs[name] for name in celeba.FILES} == celeba.FILES
    assert CelebA.base_folder == "celeba"


@pytest.mark.parametrize("side", [31, 129])
def test_sides_that_are_not_offered_are_refused(side: int):
    with pytest.raises(ValueError, match="side of celeba"):
        datasets.create("celeba", side=side)
