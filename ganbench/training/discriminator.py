"""D as an objective sees it: what it says of samples, with the numbers that a loss reads set apart from the others.

And as its penalties see it: one number per sample, and how that changes with the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from ganbench.training.players import Player
from ganbench.training.precision import Precision

Says = tuple[Tensor, Tensor]


class Discriminator:
    """Every cell's D, without its parameters."""

    def __init__(self, player: Player, scalar: bool, precision: Precision) -> None:
        """Take the player, whether the loss reads one logit per sample, and the arithmetic."""
        self._player, self._scalar, self._precision = player, scalar, precision

    def __call__(
        self,
        used: Mapping[str, Tensor],
        samples: Tensor,
        codes: Tensor | None,
        exact: bool = False,
        twice: bool = False,
    ) -> Says:
        """Return what D says of samples: what the loss reads, and the auxiliary numbers `(cells, batch, n)`.

        `used` are the parameters of its forward pass; `twice` allows gradients to be differentiated again, `exact`
        that as well, in full float32 whatever the precision.
        """
        with self._precision.networks(exact):
            inputs = (samples,) if codes is None else (samples, codes)
            said = self._player(used, *inputs, twice=twice or exact)
        return self._told(said, codes)

    def of_both(
        self, used: Mapping[str, Tensor], real: Tensor, fake: Tensor, codes: Tensor | None, twice: bool = False
    ) -> tuple[Says, Says]:
        """Return what D says of real samples and of fake ones, each seen without the others."""
        if codes is not None:
            return self(used, real, codes, twice=twice), self(used, fake, codes, twice=twice)
        with self._precision.networks():
            r, f = self._player.each(used, real, fake, twice=twice)
        return self._told(r, None), self._told(f, None)

    def gradient(self, used: Mapping[str, Tensor], samples: Tensor) -> Tensor | None:
        """Return the gradient of each logit for its sample, in full precision, differentiable in the parameters.

        None where autograd is to find it.
        """
        with self._precision.networks(exact=True):
            return self._player.gradient(used, samples) if self._scalar and not samples.requires_grad else None

    def _told(self, said: Tensor, codes: Tensor | None) -> Says:
        said = said.to(self._precision.dtype)
        if codes is not None:
            said = said.flatten(2)
            return said[..., 0], said[..., 1:]
        said = said.unsqueeze(-1) if said.ndim == 2 else said.flatten(2)
        return (said.squeeze(-1) if self._scalar else said), said[..., :0]


@dataclass(frozen=True)
class Critic:
    """One logit per sample, for penalties at samples of their own; in full precision.

    `logits` makes one number of what D says. `twice`: the gradients of a penalty are going to be differentiated.
    """

    says: Discriminator
    used: Mapping[str, Tensor]
    codes: Tensor | None
    logits: Callable[[Tensor], Tensor]
    twice: bool

    def __call__(self, samples: Tensor) -> Tensor:
        """Return the logits `(cells, batch)` of samples `(cells, batch, *shape)`."""
        return self.logits(self.says(self.used, samples, self.codes, exact=True)[0])

    def gradient(self, samples: Tensor) -> Tensor | None:
        """Return each logit's gradient for its sample, differentiable in D's parameters; None: autograd knows it."""
        return self.says.gradient(self.used, samples) if self.codes is None and not self.twice else None
