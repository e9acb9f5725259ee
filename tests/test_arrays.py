"""Arrays in one file: the same bytes twice, and of a file that anybody may have made what it says or a ValueError."""

from __future__ import annotations

import io
import pickle
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ganbench.arrays import BYTES, MOST, packed, unpacked

ARRAYS = {
    "steps": np.arange(3),
    "by_step": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "surface": np.asfortranarray(np.linspace(0, 1, 6, dtype=np.float16).reshape(2, 3)),
    "bandwidth": np.array(0.5),
    "absent": np.array(["surface: D was not kept", "ü"]),
    "none": np.empty((0, 2), dtype=np.float32),
}


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


def head(described: str) -> bytes:
    text = described.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zipped(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_arrays_come_back_as_they_were_and_numpy_reads_them_too(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(packed(ARRAYS))
    found = unpacked(path)
    assert list(found) == list(ARRAYS)
    with np.load(path, allow_pickle=False) as plain:
        for name, array in ARRAYS.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape
            assert np.array_equal(found[name], array) and np.array_equal(plain[name], array)


def test_the_bytes_do_not_depend_on_when_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before = packed(ARRAYS)
    then = time.gmtime(2e9)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda seconds=0.0: then)  # noqa: ARG005 - as it is called
    assert packed(ARRAYS) == before


def test_objects_are_neither_written_nor_unpickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickle"):
        packed({"a": np.array([{}], dtype=object)})

    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    path = zipped(tmp_path / "a.npz", {"a.npy": npy(np.array([Bomb()], dtype=object), pickled=True)})
    with pytest.raises(ValueError, match="neither numbers nor text"):
        unpacked(path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="zip"):
        unpacked(path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (head("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}\n") + b"\0" * 8, "has 8 bytes"),
        (head("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}\n") + b"\0" * 8, "has 8 bytes"),
        (head("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1)}\n") + b"\0" * 8, "has 8 bytes"),
        (head("{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}\n") + b"\0" * 8, "neither numbers nor text"),
        (head("{'descr': [('a', 'O')], 'fortran_order': False, 'shape': (1,)}\n") + b"\0" * 8, "neither"),
        (head("__import__('os').getcwd()"), "."),
        (head("(" * 5000), "."),
        (b"", "."),
        (b"\x93NUMPY\x09\x00", "."),
        (npy(np.arange(4))[:-1], "has 31 bytes"),
        (npy(np.arange(4)) + b"\0", "has 33 bytes"),
    ],
)
def test_heads_that_lie_are_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        unpacked(zipped(tmp_path / "a.npz", {"a.npy": content}))


def test_a_file_that_unpacks_to_more_than_it_may_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "large.npz", {"a.npy": npy(np.zeros(BYTES + 1, dtype=np.uint8))})
    assert path.stat().st_size < BYTES / 500
    many = zipped(tmp_path / "many.npz", {f"{i}.npy": npy(np.zeros(1)) for i in range(MOST + 1)})
    opened: list[object] = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *given: opened.append(given))
    for refused in (path, many):
        with pytest.raises(ValueError, match="more than 64 arrays or 64 MiB"):
            unpacked(refused)
    assert not opened


def test_a_file_that_says_it_is_shorter_than_it_is_is_read_no_further(tmp_path: Path) -> None:
    whole, said = npy(np.zeros(2**24, dtype=np.uint8)), struct.pack("<I", 2**10)
    path = zipped(tmp_path / "a.npz", {"a.npy": whole})
    content = path.read_bytes()
    assert content.count(struct.pack("<I", len(whole))) == 2  # in the member's own head, and in the list at the end
    path.write_bytes(content.replace(struct.pack("<I", len(whole)), said))
    with pytest.raises(ValueError, match=r"CRC|has \d+ bytes"):
        unpacked(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_numpy_never_packs_is_not_unpacked(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ValueError, match="not numpy's"):
        unpacked(zipped(tmp_path / "a.npz", {"a.npy": npy(np.zeros(3))}, kind))


def test_any_damage_is_a_value_error_or_a_whole_array(tmp_path: Path) -> None:
    path, content, draw = tmp_path / "a.npz", packed(ARRAYS), np.random.RandomState(0)
    refused = 0
    for _ in range(300):
        harmed = bytearray(content)
        for place in draw.randint(0, len(harmed), 3):
            harmed[place] = draw.randint(256)
        path.write_bytes(bytes(harmed[: draw.randint(len(harmed) // 2, len(harmed) + 1)]))
        try:
            assert all(isinstance(array, np.ndarray) for array in unpacked(path).values())
        except ValueError:
            refused += 1
    assert refused > 200
