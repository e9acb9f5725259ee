"""G and D that are told the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ganbench.plugins import Count, Shape
from ganbench.techniques import register
from ganbench.techniques.conditioning import number_of, one_hot, unlabelled, vector_critic

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganbench.plugins import Architecture, Noise


@register("conditional")
@dataclass(frozen=True)
class Conditional:
    """Conditional GAN: both players see the label y, one-hot (Mirza and Osindero 2014, arXiv:1411.1784).

    G: [z, y] -> x. D, by `kind`:
    "projection":     D(x, y) = w.phi(x) + b + (E y).phi(x) (Miyato and Koyama 2018, arXiv:1802.05637, eq. 3), phi =
                      leaky ReLU .2 of the architecture's vector critic with as many `features`
    "concatenation":  D([x, y]), the label as constant channels of an image, as further numbers of a point

    The loss is the objective's own, on D(x, y) and D(G(z, y), y) with the labels of the real batch for both. Mirza
    and Osindero give image and label hidden layers of their own before they are joined; Miyato and Koyama take phi
    before the last layer and normalise E with the rest, which spectral_norm does here too. `features` counts for
    "projection" only. TF-GAN's condition_tensor adds a projection of the label to a feature map instead.
    """

    kind: Literal["projection", "concatenation"] = "projection"
    features: Count = 64

    needs_labels: ClassVar[bool] = True
    version: ClassVar[int] = 1

    @property
    def critic(self) -> str:
        """What D is built from: a vector critic, or a plain one with more channels."""
        return "vector" if self.kind == "projection" else "scalar"

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
        """Build D: samples and codes to logits `(batch, 1)`."""
        from ganbench.techniques.conditioned import Concatenated, Projected

        if self.kind == "concatenation":
            return Concatenated(architecture.discriminator((shape[0] + number_of(classes), *shape[1:])))
        body = vector_critic(architecture, shape, self.features)
        return Projected(body, self.features, number_of(classes))

    def d_term(self, real: Tensor, fake: Tensor, codes: Tensor) -> Tensor:
        """Return zeros: D says nothing beside its logit."""
        return fake.new_zeros(fake.shape[:-2])

    def g_term(self, fake: Tensor, codes: Tensor) -> Tensor:
        """Return zeros: D says nothing beside its logit."""
        return fake.new_zeros(fake.shape[:-2])
