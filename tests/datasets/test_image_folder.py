from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench import datasets
from ganbench.datasets import pictures


def save(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (20, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def two_classes(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for index in range(10):
        save(folder / "dark" / f"{index}.png", (index, 0, 0))
        save(folder / "light" / f"{index}.png", (200 + index, 255, 255))
    return folder


def test_class_folders_become_labels_and_a_tenth_is_held_out(two_classes: Path, tmp_path: Path):
    source = datasets.create("image_folder", path=str(two_classes), side=8)
    assert (source.shape, source.classes, source.missing(tmp_path)) == ((3, 8, 8), 2, None)
    train, test = source.load(tmp_path, "train"), source.load(tmp_path, "test")
    assert (train.samples.shape, test.samples.shape) == ((18, 3, 8, 8), (2, 3, 8, 8))
    for split in (train, test):
        assert np.array_equal(split.samples[:, 1, 0, 0] == 255, split.labels == 1)
    again = datasets.create("image_folder", path=str(two_classes), side=8).load(tmp_path, "test")
    assert np.array_equal(again.samples, test.samples)


def test_train_and_test_folders_are_kept_and_must_have_the_same_classes(two_classes: Path, tmp_path: Path):
    split = tmp_path / "split"
    split.mkdir()
    two_classes.rename(split / "train")
    save(split / "test" / "dark" / "a.png", (1, 1, 1))
    save(split / "test" / "light" / "a.png", (250, 255, 255))
    source = datasets.create("image_folder", path=str(split), grey=True)
    assert source.load(tmp_path, "train").samples.shape == (20, 1, 32, 32)
    assert source.load(tmp_path, "test").labels.tolist() == [0, 1]
    save(split / "test" / "extra" / "a.png", (0, 0, 0))
    with pytest.raises(ValueError, match="differ: extra"):
        source.prepare(tmp_path)


def test_loose_pictures_have_no_labels(tmp_path: Path):
    for index in range(3):
        save(tmp_path / "loose" / f"{index}.jpg", (index, 0, 0))
    source = datasets.create("image_folder", path=str(tmp_path / "loose"))
    assert source.classes is None
    assert source.load(tmp_path, "train").labels is None
    assert len(source.load(tmp_path, "test").samples) == 1


def test_the_centre_of_the_shorter_side_is_kept(tmp_path: Path):
    wide = np.zeros((4, 12, 3), dtype=np.uint8)
    wide[:, 4:8] = 255
    (tmp_path / "wide").mkdir()
    Image.fromarray(wide).save(tmp_path / "wide" / "a.png")
    assert pictures.decode_all([tmp_path / "wide" / "a.png"], 4, grey=True).min() == 255


def test_without_a_crop_the_whole_picture_is_squashed(tmp_path: Path):
    wide = np.zeros((4, 12, 3), dtype=np.uint8)
    wide[:, 4:8] = 255
    for index in range(2):
        (tmp_path / "wide").mkdir(exist_ok=True)
        Image.fromarray(wide).save(tmp_path / "wide" / f"{index}.png")
    cropped, squashed = (
        datasets.create("image_folder", path=str(tmp_path / "wide"), side=4, crop=crop) for crop in ("centre", "none")
    )
    assert cropped.load(tmp_path, "train").samples.min() == 255
    columns = squashed.load(tmp_path, "train").samples[0, 0, 0]
    assert columns[0] == columns[3] < 30
    assert columns[1] == columns[2] > 130
    with pytest.raises(ValueError, match="crop of image_folder"):
        datasets.create("image_folder", path=".", crop="top")


def test_flip_adds_the_mirror_images_to_the_train_split_alone(two_classes: Path, tmp_path: Path):
    stream = np.random.RandomState(0)
    for path in two_classes.rglob("*.png"):
        Image.fromarray(stream.randint(0, 256, (9, 9, 3)).astype(np.uint8)).save(path)
    plain, flipped = (datasets.create("image_folder", path=str(two_classes), side=9, flip=f) for f in (False, True))
    before, after = plain.load(tmp_path, "train"), flipped.load(tmp_path, "train")
    assert np.array_equal(after.samples[:18], before.samples)
    assert np.array_equal(after.samples[18:], before.samples[..., ::-1])
    assert np.array_equal(after.labels, np.concatenate([before.labels, before.labels]))
    assert np.array_equal(flipped.load(tmp_path, "test").samples, plain.load(tmp_path, "test").samples)


def test_pixels_are_decoded_once(two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = datasets.create("image_folder", path=str(two_classes), side=7)
    source.prepare(tmp_path)
    monkeypatch.setattr(pictures, "decode_all", lambda *_: pytest.fail("decoded again"))
    assert source.load(tmp_path, "train").samples.shape == (18, 3, 7, 7)


def test_every_broken_picture_is_named_at_prepare(two_classes: Path, tmp_path: Path):
    (two_classes / "dark" / "empty.jpg").write_bytes(b"")
    (two_classes / "light" / "text.png").write_text("no picture")
    whole = (two_classes / "light" / "0.png").read_bytes()
    (two_classes / "light" / "cut.png").write_bytes(whole[:50])
    save(two_classes / "dark" / "half.jpg", (9, 9, 9), size=(200, 200))
    jpeg = (two_classes / "dark" / "half.jpg").read_bytes()
    (two_classes / "dark" / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    source = datasets.create("image_folder", path=str(two_classes), side=9)
    for read in (lambda: source.prepare(tmp_path), lambda: source.load(tmp_path, "train")):
        with pytest.raises(ValueError, match="4 pictures cannot be read") as error:
            read()
        assert all(name in str(error.value) for name in ("empty.jpg", "text.png", "cut.png", "half.jpg"))


def test_the_fingerprint_follows_the_content_and_not_the_place(two_classes: Path, tmp_path: Path):
    before = datasets.create("image_folder", path=str(two_classes)).fingerprint(tmp_path)
    moved = two_classes.rename(tmp_path / "moved")
    source = datasets.create("image_folder", path=str(moved))
    assert source.fingerprint(tmp_path) == before
    save(moved / "dark" / "0.png", (9, 9, 9), size=(40, 40))
    assert source.fingerprint(tmp_path) != before


def test_what_is_wrong_with_a_folder_is_said(two_classes: Path, tmp_path: Path):
    absent = datasets.create("image_folder", path=str(tmp_path / "nowhere"))
    assert "no folder" in absent.missing(tmp_path)
    assert absent.classes is None
    (tmp_path / "bare").mkdir()
    assert "no pictures" in datasets.create("image_folder", path=str(tmp_path / "bare")).missing(tmp_path)
    save(two_classes / "stray.png", (0, 0, 0))
    with pytest.raises(ValueError, match="both pictures and class folders"):
        datasets.create("image_folder", path=str(two_classes)).prepare(tmp_path)


def test_the_home_folder_is_expanded_and_the_path_stays_out_of_the_key(
    two_classes: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(two_classes.parent))
    part = datasets.registry.part("image_folder", {"path": "~/pictures"})
    assert part.create().folder == two_classes
    assert "path" not in part.as_json()["parameters"]


def test_real_pictures_of_cifar(cifar_folder: Path, tmp_path: Path):
    source = datasets.create("image_folder", path=str(cifar_folder))
    train, test = source.load(tmp_path, "train"), source.load(tmp_path, "test")
    assert source.classes == 10
    assert (train.samples.shape, test.samples.shape) == ((5000, 3, 32, 32), (1000, 3, 32, 32))
    assert np.bincount(train.labels).tolist() == [500] * 10
    assert 100 < train.samples.mean() < 140
