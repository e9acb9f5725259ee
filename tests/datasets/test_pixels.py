from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.datasets import pixels


def noise(count: int, side: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, 3, side, side)).astype(np.uint8)


@pytest.mark.parametrize(("old", "new"), [(96, 48), (96, 32), (96, 64), (178, 64), (178, 128), (12, 12)])
def test_a_new_pixel_is_the_average_over_its_own_area(old: int, new: int):
    pictures = noise(3, old)
    # every pixel repeated `new` times and then averaged in blocks of `old`: exact for any two sides
    expected = torch.from_numpy(pictures).double()
    for axis in (2, 3):
        expected = expected.repeat_interleave(new, dim=axis).unfold(axis, old, old).mean(-1)
    found = pixels.average_down(pictures, new)
    assert found.dtype == np.uint8 and found.shape == (3, 3, new, new)
    assert np.abs(found - expected.numpy()).max() <= 0.5 + 1e-4  # rounded to the nearest
    assert found.mean() == pytest.approx(pictures.mean(), abs=0.1)


def test_batches_make_no_difference():
    pictures = noise(pixels.BATCH + 3, 6)
    found = pixels.average_down(pictures, 4)
    assert np.array_equal(found[-5:], pixels.average_down(pictures[-5:], 4))


def test_pictures_are_never_enlarged():
    with pytest.raises(ValueError, match="side 6 cannot be averaged to 8"):
        pixels.average_down(noise(1, 6), 8)


def test_what_fails_while_it_is_kept_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "kept" / "pixels.npy"
    pixels.keep(path, noise(2, 4))
    assert np.array_equal(np.load(path), noise(2, 4))

    def full(file: object, *_: object, **__: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="No space"):
        pixels.keep(path, noise(3, 4))
    monkeypatch.undo()
    assert np.array_equal(np.load(path), noise(2, 4))
    assert [each.name for each in path.parent.iterdir()] == ["pixels.npy"]
