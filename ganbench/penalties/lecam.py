"""LeCam regularisation, which anchors D's logits to their own past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Lt

from ganbench.penalties import register
from ganbench.plugins import NonNegative

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Memory


@register("lecam")
@dataclass(frozen=True)
class LeCam:
    """LeCam regularisation (Tseng et al. 2021, arXiv:2104.03310, equation 4).

    weight * (E[max(0, D(x) - a_F)^2] + E[max(0, a_R - D(G(z)))^2])
    a <- decay a + (1 - decay) E[D], a_R on real and a_F on fake samples, after each D step

    weight, decay and start are those of the authors' code for CIFAR. As there, the anchors are the last batch's
    means until `start_at` D steps are done, and the penalty is 0 so long (with start_at=0: at the first step, which
    has no past). The authors' code counts G steps, and brings the anchors up to date before the penalty looks at
    them; here the penalty compares with the past alone.
    """

    weight: NonNegative = 0.3
    decay: Annotated[float, Ge(0), Lt(1)] = 0.99
    start_at: Annotated[int, Ge(0)] = 1000

    per_cell: ClassVar[tuple[str, ...]] = ("weight",)
    version: ClassVar[int] = 1

    def start(self, like: Tensor) -> Memory:
        """Begin with no past: the numbers of no D step."""
        import torch

        return {name: torch.zeros_like(like) for name in ("ema_real", "ema_fake", "steps")}

    def remember(self, memory: Memory, real: Tensor, fake: Tensor) -> Memory:
        """Move the anchors towards the means of this D step's logits."""
        begun = self._begun(memory)
        means = {"ema_real": real.detach().mean(-1), "ema_fake": fake.detach().mean(-1)}
        anchors = {
            name: (self.decay * memory[name] + (1 - self.decay) * mean).where(begun, mean)
            for name, mean in means.items()
        }
        return {**anchors, "steps": memory["steps"] + 1}

    def on_logits(self, real: Tensor, fake: Tensor, memory: Memory) -> Tensor:
        """Return the penalty `(cells,)` from logits `(cells, batch)`."""
        above = (real - memory["ema_fake"].unsqueeze(-1)).relu().square().mean(-1)
        below = (memory["ema_real"].unsqueeze(-1) - fake).relu().square().mean(-1)
        return self.weight * (above + below).where(self._begun(memory), 0.0)

    def _begun(self, memory: Memory) -> Tensor:
        return memory["steps"] >= max(self.start_at, 1)
