"""Real samples that are too many for their device: they stay in a file, and are read ahead of the steps."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganbench.training.streams import Blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Streamed:
    """Stands where a tensor of all samples would: the same shape, length and rows, read when they are asked for."""

    def __init__(self, samples: NDArray[Any], device: torch.device) -> None:
        """Take the samples `(n, *shape)`, usually mapped from a file, and the device on which they are wanted."""
        self._samples = samples
        self.device, self.is_cuda = device, device.type == "cuda"
        self.shape = torch.Size(samples.shape)

    def __len__(self) -> int:
        """Count the samples."""
        return len(self._samples)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Read rows, any shape of positions, to the device."""
        read = torch.from_numpy(self._samples[rows.cpu().numpy()])
        if self.is_cuda:
            # From pinned memory the copy runs beside the kernels of the step before.
            return read.pin_memory().to(self.device, non_blocking=True)
        return read


class ReadAhead:
    """Reads what a stream of positions draws at the next step while the step before it is taken."""

    def __init__(self, data: Streamed, rows: Blocks) -> None:
        """Take the samples and the stream, which nobody else may draw from."""
        self._data, self._rows = data, rows
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="read ahead")
        self._coming: tuple[int, Future[Tensor]] | None = None

    def at(self, step: int) -> Tensor:
        """Return the samples of a step, `(cells, updates, batch, *shape)`, and start to read those of the next."""
        expected = self._coming is not None and self._coming[0] == step
        now = self._coming[1] if self._coming and expected else self._reader.submit(self._read, step)
        found = now.result()
        self._coming = step + 1, self._reader.submit(self._read, step + 1)
        return found

    def _read(self, step: int) -> Tensor:
        return self._data[self._rows.at(step)]
