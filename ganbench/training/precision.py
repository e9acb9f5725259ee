"""The arithmetic of a cell's training: what the networks compute in, and what penalties always do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

FULL_FLOAT32 = "highest"
TF32 = "high"


class Precision:
    """The arithmetic that the setting `train.precision` stands for, on one device.

    float32 and float64 are what they say. With bf16 the networks' products and convolutions run in bfloat16 (torch's
    autocast), while weights, losses, penalties and optimisers stay in float32. With tf32 a GPU rounds the factors
    of float32 products to 10 bits of mantissa; a CPU has no such mode, and computes in float32.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        """Take the setting and the device."""
        self.dtype = torch.float64 if name == "float64" else torch.float32
        self._device, self._half, self._tf32 = device.type, name == "bf16", name == "tf32"

    @contextmanager
    def session(self) -> Iterator[None]:
        """Use this arithmetic for float32 products on a GPU, and give the process its own back at the end."""
        before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        self._allow_tf32(self._tf32)
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before[0])
            torch.backends.cudnn.allow_tf32 = before[1]

    def networks(self, exact: bool = False) -> AbstractContextManager[None]:
        """Run a network: as the setting says, or `exact`, in full float32, as penalties do."""
        return self._rounded(exact) if self._half or self._tf32 else nullcontext()

    @contextmanager
    def _rounded(self, exact: bool) -> Iterator[None]:
        if self._tf32:
            self._allow_tf32(not exact)
        try:
            with torch.autocast(self._device, torch.bfloat16, enabled=self._half and not exact):
                yield
        finally:
            if self._tf32:
                self._allow_tf32(True)

    def _allow_tf32(self, allowed: bool) -> None:
        torch.set_float32_matmul_precision(TF32 if allowed else FULL_FLOAT32)
        torch.backends.cudnn.allow_tf32 = allowed
