"""A D that also tells the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ganbench.plugins import NonNegative, Shape
from ganbench.techniques import register
from ganbench.techniques.conditioning import cross_entropy, number_of, one_hot, unlabelled, vector_critic

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganbench.plugins import Architecture, Noise


@register("auxiliary_classifier")
@dataclass(frozen=True)
class AuxiliaryClassifier:
    """Auxiliary classifier GAN (Odena et al. 2017, arXiv:1610.09585, eq. 2 and 3).

    G: [z, y] -> x, y one-hot. D: x -> a logit and the class logits l(x), one network with one last layer. With
    CE(x, y) = -log softmax(l(x))_y,

    added to L_D:  d_weight * (E CE(x, y) + E CE(G(z, y), y))
    added to L_G:  g_weight * E CE(G(z, y), y)

    with the labels of the real batch for both. d_on_fake=False leaves the second term of L_D out. TF-GAN has both
    terms; StudioGAN has the real one alone. Odena draws the labels of fakes uniformly.
    """

    d_weight: NonNegative = 1.0
    g_weight: NonNegative = 1.0
    d_on_fake: bool = True

    critic: ClassVar[str] = "vector"
    needs_labels: ClassVar[bool] = True
    version: ClassVar[int] = 1

    def refusal(self, shape: Shape, batch_size: int, classes: int | None) -> str | None:
        """Refuse datasets without classes."""
        return unlabelled(classes)

    def code_size(self, classes: int | None) -> int:
        """Return one number per class."""
        return number_of(classes)

    def codes(self, labels: Tensor | None, classes: int | None, batch: int, noise: Noise) -> Tensor:
        """Return the labels one-hot."""
        return one_hot(labels, classes)

    def discriminator(self, architecture: Architecture, shape: Shape, classes: int | None) -> nn.Module:
        """Build D: samples to `(batch, 1 + classes)`; it is not shown the code."""
        from ganbench.techniques.conditioned import Unaware

        return Unaware(vector_critic(architecture, shape, 1 + number_of(classes)))

    def d_term(self, real: Tensor, fake: Tensor, codes: Tensor) -> Tensor:
        """Return the cross-entropy of the class logits of real and of fake samples, weighted."""
        term = cross_entropy(real, codes)
        return self.d_weight * (term + cross_entropy(fake, codes) if self.d_on_fake else term)

    def g_term(self, fake: Tensor, codes: Tensor) -> Tensor:
        """Return the cross-entropy of the class logits of fake samples, weighted."""
        return self.g_weight * cross_entropy(fake, codes)
