"""The residual connection."""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """Two networks side by side on the same inputs: y = skip(x) + main(x)."""

    def __init__(self, main: nn.Module, skip: nn.Module | None = None) -> None:
        """Take both branches; without a skip the inputs themselves are added."""
        super().__init__()
        self.main, self.skip = main, nn.Identity() if skip is None else skip

    def forward(self, inputs: Tensor) -> Tensor:
        """Return `skip(inputs) + main(inputs)`."""
        skipped, changed = self.skip(inputs), self.main(inputs)
        summed: Tensor = skipped + changed
        return summed
