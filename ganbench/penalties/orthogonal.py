"""Orthogonal regularisation of weights, as BigGAN has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.penalties import register
from ganbench.penalties.weights import weight_matrices
from ganbench.plugins import NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Parameters


@register("orthogonal")
@dataclass(frozen=True)
class Orthogonal:
    """Orthogonal regularisation without the diagonal (Brock et al. 2019, arXiv:1809.11096, equation 3).

    weight * sum over W of ||(W W^T) * (1 - I)||_F^2

    W is a weight as stored, its first dimension by all others: (outputs, inputs times kernel), or (inputs,
    outputs times kernel) in a transposed convolution. So what is to be orthogonal are the filters of different
    outputs, of whatever length. The paper writes W^T W because its kernels have the outputs last. The gradient
    that its PyTorch code adds, 2 weight ((W W^T) * (1 - I)) W, is half of this term's: their 1e-4 is 5e-5 here.
    Biases and the scales of norm layers are left alone. The paper regularises G (`on`).
    """

    weight: NonNegative = 1e-4
    on: Literal["d", "g", "both"] = "g"

    per_cell: ClassVar[tuple[str, ...]] = ("weight",)
    version: ClassVar[int] = 1

    def of_weights(self, parameters: Parameters) -> Tensor:
        """Return the penalty `(cells,)` of parameters `(cells, *shape)`."""
        import torch

        total = torch.zeros_like(next(iter(parameters.values())).flatten(1)[:, 0])
        for _, matrix in weight_matrices(parameters):
            matrix = matrix.contiguous()  # a view's product takes another kernel, by its place in the cohort
            products = matrix @ matrix.mT
            lengths = torch.diag_embed(products.diagonal(dim1=1, dim2=2))
            total = total + (products - lengths).square().sum((1, 2))
        return self.weight * total
