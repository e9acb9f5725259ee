"""D as an objective sees it: what it says of samples, with the numbers that a loss reads set apart from the others."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ganbench.training.players import Player
from ganbench.training.precision import Precision

Says = tuple[Tensor, Tensor]


class Discriminator:
    """Every cell's D, without its parameters."""

    def __init__(self, player: Player, scalar: bool, precision: Precision) -> None:
        """Take the player, whether the loss reads one logit per sample, and the arithmetic."""
        self._player, self._scalar, self._precision = player, scalar, precision

    def __call__(self, used: Mapping[str, Tensor], samples: Tensor, codes: Tensor | None, exact: bool = False) -> Says:
        """Return what D says of samples: what the loss reads, and the auxiliary numbers `(cells, batch, n)`.

        `used` are the parameters of its forward pass; `exact` asks for full float32 whatever the precision.
        """
        with self._precision.networks(exact):
            inputs = (samples,) if codes is None else (samples, codes)
            said = self._player(used, *inputs).to(self._precision.dtype)
        if codes is not None:
            said = said.flatten(2)
            return said[..., 0], said[..., 1:]
        said = said.unsqueeze(-1) if said.ndim == 2 else said.flatten(2)
        return (said.squeeze(-1) if self._scalar else said), said[..., :0]
