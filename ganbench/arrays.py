"""Named arrays in one file: the same bytes whenever the same arrays are written, and read as if anybody had made it."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST, BYTES = 64, 2**26  # arrays of a file, and what all of them may take in memory
KINDS = "biufU"  # of numpy's dtypes: numbers and text


def packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Return the content of a compressed .npz file, which holds no time of writing."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read the arrays of an .npz file, read-only; nothing is unpickled, and no more is unpacked than 64 MiB.

    ValueError where it holds anything else.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            if len(members) > MOST or sum(member.file_size for member in members) > BYTES:
                raise ValueError(f"it holds more than {MOST} arrays or {BYTES >> 20} MiB")
            return {member.filename.removesuffix(".npy"): _array(_content(file, member)) for member in members}
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds at what nobody wrote on purpose
        raise ValueError(str(error) or type(error).__name__) from None


def _content(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack as many bytes as there are said to be: what is packed may be a thousand times as long."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is packed in a way that is not numpy's")
    with file.open(member) as inside:
        return inside.read(member.file_size)


def _array(content: bytes) -> NDArray[np.generic]:
    """Read one array; ValueError where its bytes are not those that its head says."""
    import numpy as np
    from numpy.lib import format as npy

    file = io.BytesIO(content)
    head = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, fortran, dtype = head[npy.read_magic(file)](file)
    rest = len(content) - file.tell()
    if dtype.kind not in KINDS:
        raise ValueError(f"an array of {dtype} is neither numbers nor text")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != rest:
        raise ValueError(f"an array of shape {shape} has {rest} bytes")
    found: NDArray[np.generic] = np.frombuffer(content, dtype, offset=file.tell())
    return found.reshape(shape, order="F" if fortran else "C")
