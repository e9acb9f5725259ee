"""Spectral normalisation of a player's weights, for all cells at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.penalties import register
from ganbench.penalties.weights import weight_matrices
from ganbench.plugins import Count

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise, Parameters

# As many as torch's parametrisation takes, so that the first step already sees a good estimate.
WARM_UP = 15


@register("spectral_norm")
@dataclass(frozen=True)
class SpectralNorm:
    """Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957, algorithm 1).

    W_SN = W / sigma(W),  sigma(W) = u^T W v
    u <- W v / ||W v||,  v <- W^T u / ||W^T u||, `iterations` times before each step of the player

    W is the weight of a linear or convolutional layer as a matrix (outputs, inputs times kernel); biases and
    the scales of norm layers stay as they are. u and v are constants of the gradient, W in sigma is not. The
    same numbers as torch.nn.utils.parametrizations.spectral_norm, which does not run under vmap.

    `on` says whose weights: D's as in the paper, G's, or both players' (Zhang et al. 2019, arXiv:1805.08318). A
    transposed convolution, as G has them, stores its inputs first, and there the matrix is (inputs, outputs times
    kernel), where torch's has (outputs, inputs times kernel): another matrix, with another norm.
    """

    iterations: Count = 1
    on: Literal["d", "g", "both"] = "d"

    version: ClassVar[int] = 1

    def start(self, parameters: Parameters, noise: Noise) -> dict[str, Tensor]:
        """Draw u for each weight, and warm the vectors up."""
        state = {f"{name}.u": noise.normal((matrix.shape[1],)) for name, matrix in weight_matrices(parameters)}
        return _power_iteration(parameters, state, WARM_UP)

    def advance(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return u and v after `iterations` more steps."""
        return _power_iteration(parameters, state, self.iterations)

    def normalised(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters with every weight divided by its largest singular value."""
        result = dict(parameters)
        for name, matrix in weight_matrices(parameters):
            sigma = (state[f"{name}.u"] * _times(matrix, state[f"{name}.v"])).sum(-1)
            result[name] = parameters[name] / sigma.reshape(-1, *(1,) * (parameters[name].ndim - 1))
        return result


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _power_iteration(parameters: Parameters, state: dict[str, Tensor], iterations: int) -> dict[str, Tensor]:
    from torch.nn.functional import normalize

    result: dict[str, Tensor] = {}
    for name, weight in weight_matrices(parameters):
        matrix = weight.detach()
        u = state[f"{name}.u"]
        v = state[f"{name}.v"] if f"{name}.v" in state else normalize(_times(matrix.mT, u), dim=-1)
        for _ in range(iterations):
            u = normalize(_times(matrix, v), dim=-1)
            v = normalize(_times(matrix.mT, u), dim=-1)
        result |= {f"{name}.u": u, f"{name}.v": v}
    return result
