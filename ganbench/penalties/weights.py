"""Which of a network's parameters are weights that multiply: what penalties on weights are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Parameters


def weight_matrices(parameters: Parameters) -> Iterator[tuple[str, Tensor]]:
    """Yield each weight of a linear or convolutional layer as matrices `(cells, rows, columns)`.

    The rows are the weight's first dimension as stored, the columns all its others. Biases and the scales of norm
    layers have one dimension beside that of the cells, and are left out.
    """
    for name, tensor in parameters.items():
        if name.rpartition(".")[2] == "weight" and tensor.ndim >= 3:
            yield name, tensor.flatten(2)
