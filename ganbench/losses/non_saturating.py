"""The non-saturating loss, with the discriminator's targets as parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from ganbench.losses import register
from ganbench.losses.softplus import softplus, softplus_of_minus

if TYPE_CHECKING:
    from torch import Tensor

Probability = Annotated[float, Ge(0), Le(1)]


@register("non_saturating")
@dataclass(frozen=True)
class NonSaturating:
    """Non-saturating loss, also "modified minimax" (Goodfellow et al. 2014, arXiv:1406.2661, section 3).

    L_D = E[ce(D(x), real_label)] + E[ce(D(G(z)), fake_label)]
    L_G = E[sp(-D(G(z)))]
    where ce(u, t) = t sp(-u) + (1 - t) sp(u) is the cross-entropy of a logit u with a target t,
    and sp(u) = log(1 + exp(u)).

    real_label and fake_label are targets for D alone: real_label=0.9 is the one-sided label smoothing of
    Salimans et al. 2016 (arXiv:1606.03498). G always aims at 1. There is no factor 1/2 on L_D. Where real and
    fake cannot be told apart, L_D = 2 log 2 (twice the entropy of the mean target).
    """

    real_label: Probability = 1.0
    fake_label: Probability = 0.0

    needs_real: ClassVar[bool] = False
    family: ClassVar[str] = "logistic"
    source: ClassVar[str] = "Goodfellow et al. 2014, arXiv:1406.2661"
    version: ClassVar[int] = 1

    @property
    def divergence(self) -> str:
        """What D bounds and what G follows (Arjovsky and Bottou 2017, arXiv:1701.04862, theorem 2.5)."""
        if (self.real_label, self.fake_label) == (1, 0):
            return "Jensen-Shannon (D's lower bound); G: KL(fake, real) - 2 Jensen-Shannon"
        return "an f-divergence near Jensen-Shannon's (D's lower bound)"

    @property
    def equilibrium(self) -> float:
        """The value of L_D when real and fake cannot be told apart."""
        mean = (self.real_label + self.fake_label) / 2
        return -2 * sum(p * math.log(p) for p in (mean, 1 - mean) if p > 0)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""
        return _cross_entropy(real, self.real_label) + _cross_entropy(fake, self.fake_label)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of fake samples."""
        return softplus_of_minus(fake).mean(-1)

    def posterior(self, logits: Tensor) -> Tensor:
        """p_real / (p_real + p_fake) from sigmoid(D), at D's best their mean of real_label and fake_label.

        ValueError where the labels are equal: D's best is then the same for every sample.
        """
        if self.real_label == self.fake_label:
            raise ValueError("real_label and fake_label are equal: D at its best does not tell samples apart")
        return ((logits.sigmoid() - self.fake_label) / (self.real_label - self.fake_label)).clamp(0, 1)


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    # Targets of 0 and 1 leave one term: the other would cost as much and add nothing.
    if target == 1:
        return softplus_of_minus(logits).mean(-1)
    if target == 0:
        return softplus(logits).mean(-1)
    return (target * softplus_of_minus(logits) + (1 - target) * softplus(logits)).mean(-1)
