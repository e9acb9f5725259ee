"""Recipes that give G a code beside its latent, and have D read it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

from annotated_types import Ge

from ganbench.objectives import Objective, loss, register, technique
from ganbench.plugins import Count, NonNegative


@register("acgan")
@dataclass(frozen=True)
class Acgan:
    """ACGAN (Odena et al. 2017, arXiv:1610.09585): D also names the class, of real and of fake samples.

    L_D = E[sp(-D(x))] + E[sp(D(G(z, y)))] + d_weight (E[CE(x, y)] + E[CE(G(z, y), y)])
    L_G = E[sp(-D(G(z, y)))] + g_weight E[CE(G(z, y), y)]
    with CE(x, y) = -log softmax(l(x))_y, l the class logits beside D's logit.

    The paper's G maximises L_C - L_S, which saturates; the usual non-saturating form is taken here.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Odena et al. 2017, arXiv:1610.09585"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 100}
    )
    divergence: ClassVar[str] = "Jensen-Shannon (D's lower bound) and the cross-entropy of the classes"
    d_weight: NonNegative = 1.0
    g_weight: NonNegative = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        classes = technique("auxiliary_classifier", d_weight=self.d_weight, g_weight=self.g_weight)
        return Objective(loss("non_saturating"), d_steps=self.d_steps, techniques=(classes,))


@register("infogan")
@dataclass(frozen=True)
class Infogan:
    """InfoGAN (Chen et al. 2016, arXiv:1606.03657): D reads back the code c from which G made a sample.

    L_D = E[sp(-D(x))] + E[sp(D(G(z, c)))] + weight I
    L_G = E[sp(-D(G(z, c)))] + weight I
    I = E[-log q(k | G(z, c))] + 1/2 E[||g - mu(G(z, c))||^2]
    with c = (k, g), k one of `categories`, g ~ N(0, 1) in `gaussian` numbers; up to a constant, -I is a
    lower bound of the mutual information of c and G(z, c).

    No labels are used. On MNIST the paper's g is U(-1, 1); the settings are those of the authors' code
    for it.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Chen et al. 2016, arXiv:1606.03657"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {
            "optimiser": "adam",
            "g_lr": 1e-3,
            "d_lr": 2e-4,
            "betas": (0.5, 0.999),
            "batch_size": 128,
            "latent_size": 62,
            "latent": "uniform",
        }
    )
    divergence: ClassVar[str] = "Jensen-Shannon less the mutual information of code and sample (lower bounds)"
    categories: Annotated[int, Ge(0)] = 10
    gaussian: Annotated[int, Ge(0)] = 2
    weight: NonNegative = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        code = technique("mutual_information", categories=self.categories, gaussian=self.gaussian, weight=self.weight)
        return Objective(loss("non_saturating"), d_steps=self.d_steps, techniques=(code,))
