"""Spectral normalisation of D's weights, for all cells at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.penalties import register
from ganbench.plugins import Count

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Noise, Parameters

# As many as torch's parametrisation takes, so that the first step already sees a good estimate.
WARM_UP = 15


@register("spectral_norm")
@dataclass(frozen=True)
class SpectralNorm:
    """Spectral normalisation of D (Miyato et al. 2018, arXiv:1802.05957, algorithm 1).

    W_SN = W / sigma(W),  sigma(W) = u^T W v
    u <- W v / ||W v||,  v <- W^T u / ||W^T u||, `iterations` times before each D step

    W is the weight of a linear or convolutional layer as a matrix (outputs, inputs times kernel); biases and
    the scales of norm layers stay as they are. u and v are constants of the gradient, W in sigma is not. The
    same numbers as torch.nn.utils.parametrizations.spectral_norm, which does not run under vmap.
    """

    iterations: Count = 1

    version: ClassVar[int] = 1

    def start(self, parameters: Parameters, noise: Noise) -> dict[str, Tensor]:
        """Draw u for each weight, and warm the vectors up."""
        state = {f"{name}.u": noise.normal((weight.shape[1],)) for name, weight in _weights(parameters)}
        return _power_iteration(parameters, state, WARM_UP)

    def advance(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return u and v after `iterations` more steps."""
        return _power_iteration(parameters, state, self.iterations)

    def normalised(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters with every weight divided by its largest singular value."""
        result = dict(parameters)
        for name, weight in _weights(parameters):
            product = _times(weight.flatten(2), state[f"{name}.v"])
            sigma = (state[f"{name}.u"] * product).sum(-1)
            result[name] = weight / sigma.reshape(-1, *(1,) * (weight.ndim - 1))
        return result


def _weights(parameters: Parameters) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in parameters.items():
        if name.rpartition(".")[2] == "weight" and tensor.ndim >= 3:
            yield name, tensor


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _power_iteration(parameters: Parameters, state: dict[str, Tensor], iterations: int) -> dict[str, Tensor]:
    from torch.nn.functional import normalize

    result: dict[str, Tensor] = {}
    for name, weight in _weights(parameters):
        matrix = weight.detach().flatten(2)
        u = state[f"{name}.u"]
        v = state[f"{name}.v"] if f"{name}.v" in state else normalize(_times(matrix.mT, u), dim=-1)
        for _ in range(iterations):
            u = normalize(_times(matrix, v), dim=-1)
            v = normalize(_times(matrix.mT, u), dim=-1)
        result |= {f"{name}.u": u, f"{name}.v": v}
    return result
