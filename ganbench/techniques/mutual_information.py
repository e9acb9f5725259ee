"""Codes that D must be able to read back from the sample, without any labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge

from ganbench.plugins import NonNegative, Shape
from ganbench.techniques import register
from ganbench.techniques.conditioning import cross_entropy, vector_critic

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganbench.plugins import Architecture, Noise


@register("mutual_information")
@dataclass(frozen=True)
class MutualInformation:
    """InfoGAN (Chen et al. 2016, arXiv:1606.03657, eq. 5 and 6).

    G: [z, c] -> x, c = [k one-hot, k ~ U{1..categories}; g ~ N(0, I), `gaussian` numbers]. D: x -> a logit, the
    logits of q(k|x) and the means mu(x) of q(g|x) = N(mu(x), I), one network with one last layer. Added to both
    players' losses, on fakes only,

    weight * (E[-log q(k|G(z, c))] + 1/2 E||g - mu(G(z, c))||^2)

    which is the negative of the bound on I(c; G(z, c)), up to its constant. The paper's q(g|x) has a learned variance
    and its g on MNIST is U(-1, 1); here the variance is one. TF-GAN averages over the codes where this sums, and
    weighs by 1. categories=0 or gaussian=0 leaves that part out.
    """

    categories: Annotated[int, Ge(0)] = 10
    gaussian: Annotated[int, Ge(0)] = 2
    weight: NonNegative = 1.0

    critic: ClassVar[str] = "vector"
    needs_labels: ClassVar[bool] = False
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Refuse codes that tell nothing."""
        if self.categories == 1:
            raise ValueError("a code of one category tells nothing; take 0 for none, or 2 and more")
        if not self.categories and not self.gaussian:
            raise ValueError("there is no code to read with neither categories nor gaussian")

    def code_size(self, classes: int | None) -> int:
        """Return the numbers of both parts of a code, whatever the dataset's classes."""
        return self.categories + self.gaussian

    def codes(self, labels: Tensor | None, classes: int | None, batch: int, noise: Noise) -> Tensor:
        """Draw the codes; labels are not looked at."""
        import torch

        parts = []
        if self.categories:
            drawn = noise.uniform((batch,))
            chosen = (drawn * self.categories).long()
            parts.append(torch.nn.functional.one_hot(chosen, self.categories).to(drawn.dtype))
        if self.gaussian:
            parts.append(noise.normal((batch, self.gaussian)))
        return torch.cat(parts, dim=-1)

    def discriminator(self, architecture: Architecture, shape: Shape, classes: int | None) -> nn.Module:
        """Build D: samples to `(batch, 1 + categories + gaussian)`; it is not shown the code."""
        from ganbench.techniques.conditioned import Unaware

        return Unaware(vector_critic(architecture, shape, 1 + self.code_size(classes)))

    def d_term(self, real: Tensor, fake: Tensor, codes: Tensor) -> Tensor:
        """Return what reading the codes back from fakes costs, weighted."""
        return self.g_term(fake, codes)

    def g_term(self, fake: Tensor, codes: Tensor) -> Tensor:
        """Return what reading the codes back from fakes costs, weighted."""
        apart = (codes[..., self.categories :] - fake[..., self.categories :]).square().sum(-1).mean(-1) / 2
        if not self.categories:
            return self.weight * apart
        return self.weight * (cross_entropy(fake[..., : self.categories], codes[..., : self.categories]) + apart)
