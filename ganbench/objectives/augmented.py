"""Recipes that show D augmented samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from ganbench.objectives import Objective, loss, penalty, register, technique
from ganbench.plugins import Count, NonNegative, Positive

# Those of SNDCGAN, on which both consistency papers build.
SNDCGAN: Mapping[str, object] = MappingProxyType(
    {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.5, 0.999), "batch_size": 64}
)


@register("diffaug_gan")
@dataclass(frozen=True)
class DiffaugGan:
    """DiffAugment (Zhao et al. 2020, arXiv:2006.10738): D never sees a sample that is not augmented.

    L_D = E[max(0, 1 - D(T(x)))] + E[max(0, 1 + D(T(G(z))))]
    L_G = -E[D(T(G(z)))]
    T: random colours, translation and cutout, differentiable, in both players' steps

    For images only. The settings are those of the authors' code for CIFAR-10, on BigGAN, which leaves
    the colours out and takes four D steps; one is the default here, at its rivals' cost.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Zhao et al. 2020, arXiv:2006.10738"
    recommended: ClassVar[Mapping[str, object]] = MappingProxyType(
        {"optimiser": "adam", "g_lr": 2e-4, "d_lr": 2e-4, "betas": (0.0, 0.999), "batch_size": 50, "d_steps": 4}
    )
    color: bool = True
    translation: bool = True
    cutout: bool = True
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        shown = technique("diff_augment", color=self.color, translation=self.translation, cutout=self.cutout)
        return Objective(loss("hinge"), d_steps=self.d_steps, techniques=(shown,))


@register("bcr_gan")
@dataclass(frozen=True)
class BcrGan:
    """Balanced consistency (Zhao et al. 2020, arXiv:2002.04724): D is to say of T(x) what it says of x.

    L_D = E[sp(-D(x))] + E[sp(D(G(z)))] + real E[(D(x) - D(T(x)))^2] + fake E[(D(G(z)) - D(T(G(z))))^2]
    L_G = E[sp(-D(G(z)))]
    W <- W / sigma(W) for every weight of D
    T: an image mirrored and shifted, a point moved a little

    fake=0 is CR-GAN (Zhang et al. 2020, arXiv:1910.12027). flip=False where a mirrored image means
    another thing, as with digits.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Zhao et al. 2020, arXiv:2002.04724"
    recommended: ClassVar[Mapping[str, object]] = SNDCGAN
    real: NonNegative = 10.0
    fake: NonNegative = 10.0
    flip: bool = True
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        balanced = penalty("consistency", real=self.real, fake=self.fake, flip=self.flip)
        return Objective(loss("non_saturating"), (penalty("spectral_norm"), balanced), self.d_steps)


@register("icr_gan")
@dataclass(frozen=True)
class IcrGan:
    """Improved consistency, ICR-GAN (Zhao et al. 2020, arXiv:2002.04724): bcr_gan, and D calm in z.

    L_D = that of bcr_gan + d_weight E[(D(G(z)) - D(G(z + delta)))^2]
    L_G = E[sp(-D(G(z)))] - g_weight E[||G(z) - G(z + delta)||^2],  delta ~ N(0, sigma^2)

    The norm is the mean over a sample's numbers. G is paid for variety and its term has no lower bound:
    a large g_weight scatters its samples.
    """

    version: ClassVar[int] = 1
    source: ClassVar[str] = "Zhao et al. 2020, arXiv:2002.04724"
    recommended: ClassVar[Mapping[str, object]] = SNDCGAN
    real: NonNegative = 10.0
    fake: NonNegative = 10.0
    flip: bool = True
    d_weight: NonNegative = 5.0
    g_weight: NonNegative = 0.5
    sigma: Positive = 0.03
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        terms = (
            penalty("spectral_norm"),
            penalty("consistency", real=self.real, fake=self.fake, flip=self.flip),
            penalty("latent_consistency", d_weight=self.d_weight, g_weight=self.g_weight, sigma=self.sigma),
        )
        return Objective(loss("non_saturating"), terms, self.d_steps)
