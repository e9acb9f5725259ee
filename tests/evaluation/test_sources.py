"""Samples made elsewhere: what is read from folders and arrays, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.evaluation.sources import from_array, read_array, read_pictures
from ganbench.suite.errors import SuiteError

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)


def save(folder: Path, pixels: np.ndarray, *names: str) -> None:
    for place, image in enumerate(pixels):
        path = folder / (names[place] if names else f"{place:02}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0) if len(image) == 3 else image[0]).save(path)


def test_pictures_are_read_as_they_are_in_the_order_of_their_paths(tmp_path: Path) -> None:
    save(tmp_path, PIXELS[:4], "b/1.png", "a/2.bmp", "c.png", ".hidden/d.png")
    (tmp_path / "notes.txt").write_text("no picture")
    found = read_pictures(tmp_path, (3, 8, 8), False, None)
    assert np.array_equal(found.samples.numpy(), PIXELS[[1, 0, 2]])
    assert found.origin == {"kind": "pictures", "path": str(tmp_path), "count": 3}
    assert found.resize == ""


def test_the_dataset_says_whether_pictures_are_grey(tmp_path: Path) -> None:
    save(tmp_path, PIXELS[:2, :1])
    assert np.array_equal(read_pictures(tmp_path, (1, 8, 8), False, None).samples.numpy(), PIXELS[:2, :1])
    coloured = read_pictures(tmp_path, (3, 8, 8), False, None).samples.numpy()
    assert np.array_equal(coloured, PIXELS[:2, :1].repeat(3, axis=1))


def test_a_part_of_a_source_is_always_the_same_and_in_no_order_of_names(tmp_path: Path) -> None:
    save(tmp_path, PIXELS)
    first, second = (read_pictures(tmp_path, (3, 8, 8), False, 5).samples.numpy() for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, PIXELS[:5])
    assert np.array_equal(from_array(PIXELS, (3, 8, 8), 5, "array").samples.numpy(), first)
    with pytest.raises(SuiteError, match="has 12 samples, and --samples asks for 13"):
        read_pictures(tmp_path, (3, 8, 8), False, 13)


def test_pictures_of_another_size_are_named_and_resized_when_asked(tmp_path: Path) -> None:
    save(tmp_path, PIXELS[:2])
    Image.fromarray(PIXELS[0].transpose(1, 2, 0)).resize((16, 20)).save(tmp_path / "odd.png")
    with pytest.raises(SuiteError, match=r"1 of 3 pictures are not 8 x 8 .*odd\.png \(16 x 20\).*--resize"):
        read_pictures(tmp_path, (3, 8, 8), False, None)
    found = read_pictures(tmp_path, (3, 8, 8), True, None)
    assert found.samples.shape == (3, 3, 8, 8)
    assert "Lanczos" in found.resize
    assert np.array_equal(found.samples[:2].numpy(), PIXELS[:2])
    (tmp_path / "odd.png").unlink()
    assert read_pictures(tmp_path, (3, 8, 8), True, None).resize == ""


def test_folders_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"no pictures \(\.bmp, .*\) in it or below"):
        read_pictures(tmp_path, (3, 8, 8), False, None)
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(SuiteError, match=r"1 pictures cannot be read:\n.*broken\.png"):
        read_pictures(tmp_path, (3, 8, 8), False, None)
    with pytest.raises(SuiteError, match=r"cannot be compared with .* shape \(2,\)"):
        read_pictures(tmp_path, (2,), False, None)


@pytest.mark.parametrize(
    ("rows", "shape", "layout"),
    [
        (PIXELS, (3, 8, 8), "(n, channels, height, width)"),
        (PIXELS.transpose(0, 2, 3, 1), (3, 8, 8), "(n, height, width, channels)"),
        (PIXELS[:, :1], (1, 8, 8), "(n, channels, height, width)"),
        (PIXELS[:, :1].transpose(0, 2, 3, 1), (1, 8, 8), "(n, height, width, channels)"),
        (PIXELS[:, 0], (1, 8, 8), "(n, height, width)"),
    ],
)
def test_the_layout_of_an_array_follows_from_the_shape(rows: np.ndarray, shape: tuple[int, ...], layout: str) -> None:
    found = from_array(rows, shape, None, "array")
    assert found.samples.dtype == torch.uint8
    assert np.array_equal(found.samples.numpy(), PIXELS[:, : shape[0]])
    assert found.origin["layout"] == layout


def test_where_all_dimensions_are_equal_channels_come_first() -> None:
    rows = PIXELS[:, :, :3, :3]
    assert np.array_equal(from_array(rows, (3, 3, 3), None, "array").samples.numpy(), rows)


def test_points_become_single_precision() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    found = from_array(points, (2,), None, "array").samples
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), points.astype(np.float32))


@pytest.mark.parametrize(
    ("rows", "shape", "said"),
    [
        (PIXELS / 255, (3, 8, 8), r"type float64, and uint8 .* \(\(x \+ 1\) / 2 \* 255"),
        (PIXELS[:, :, :7], (3, 8, 8), r"shape \(12, 3, 7, 8\).*\(n, 3, 8, 8\) or \(n, 8, 8, 3\)"),
        (np.zeros((5, 2), dtype=int), (2,), "type int64, and floats"),
        (np.zeros((5, 3)), (2,), r"shape \(5, 3\).*\(n, 2\)"),
        (np.float64(3.0), (2,), r"shape \(\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(rows: np.ndarray, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(SuiteError, match=rf"^mine: .*{said}"):
        from_array(rows, shape, None, "mine")


def test_arrays_are_found_in_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez(tmp_path / "one.npz", images=PIXELS)
    np.savez(tmp_path / "two.npz", PIXELS, np.zeros(12))
    np.savez(tmp_path / "named.npz", images=PIXELS, labels=np.zeros(12))
    for name, key in (("a.npy", None), ("one.npz", None), ("two.npz", None), ("named.npz", "images")):
        found = read_array(tmp_path / name, (3, 8, 8), key, None)
        assert np.array_equal(found.samples.numpy(), PIXELS), name


def test_files_that_are_no_arrays_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "named.npz", images=PIXELS, labels=np.zeros(12))
    with pytest.raises(SuiteError, match=r"2 arrays \(images, labels\); name one with --key"):
        read_array(tmp_path / "named.npz", (3, 8, 8), None, None)
    with pytest.raises(SuiteError, match="did you mean 'images'"):
        read_array(tmp_path / "named.npz", (3, 8, 8), "image", None)
    np.save(tmp_path / "a.npy", PIXELS)
    with pytest.raises(SuiteError, match=r"--key names an array of an \.npz"):
        read_array(tmp_path / "a.npy", (3, 8, 8), "images", None)
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    for name in ("pickled.npy", "broken.npz"):
        with pytest.raises(SuiteError, match="cannot be read as an array"):
            read_array(tmp_path / name, (3, 8, 8), None, None)
