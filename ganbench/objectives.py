"""Objectives: named recipes of a loss, its penalties and its default number of D steps.

Every registered loss is an objective too, with no penalty and one D step per G step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ganbench import losses, penalties
from ganbench.plugins import Count, NonNegative, Positive
from ganbench.registry import Part, Registry, UnknownName, unknown

registry = Registry("objective", {})
register = registry.register


@dataclass(frozen=True)
class Objective:
    """What the two players optimise: a loss, its penalties, and the D updates per G update by default."""

    loss: Part
    penalties: tuple[Part, ...] = ()
    d_steps: int = 1

    def as_json(self) -> dict[str, Any]:
        """Give what enters a cell's key (d_steps is part of the training settings there)."""
        return {"loss": self.loss.as_json(), "penalties": [part.as_json() for part in self.penalties]}


class Recipe(Protocol):
    """What an objective plugin offers: a frozen dataclass whose `recipe` builds the objective."""

    def recipe(self) -> Objective:
        """Build the objective from the fields."""


def names() -> list[str]:
    """List every recipe and every loss."""
    return sorted({*registry.names(), *losses.names()})


def create(name: str, **parameters: object) -> Objective:
    """Build the objective `name`; ValueError or UnknownName say what is wrong."""
    return build(name, parameters)


def build(name: str, parameters: Mapping[str, object]) -> Objective:
    """Build the objective `name` from a mapping of parameters."""
    kind = kind_of(name)
    part = kind.part(name, parameters)
    if kind is losses.registry:
        return Objective(part)
    recipe: Recipe = part.create()
    return recipe.recipe()


def kind_of(name: str) -> Registry:
    """Return the registry that knows `name`: recipes before losses; UnknownName suggests the nearest of both."""
    if name in registry.names():
        return registry
    if name in losses.names():
        return losses.registry
    raise UnknownName(unknown("objective", name, names()))


def _loss(name: str, **parameters: object) -> Part:
    return losses.registry.part(name, parameters)


def _penalty(name: str, **parameters: object) -> Part:
    return penalties.registry.part(name, parameters)


@register("wgan")
@dataclass(frozen=True)
class Wgan:
    """WGAN with weight clipping (Arjovsky, Chintala and Bottou 2017, arXiv:1701.07875, algorithm 1).

    L_D = E f - E r,  L_G = -E f,  every D parameter clamped to [-c, c] after each D step.
    The paper trains D five times per G step.
    """

    version: ClassVar[int] = 1
    c: Positive = 0.01
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(_loss("wasserstein"), (_penalty("weight_clip", c=self.c),), self.d_steps)


@register("wgan_gp")
@dataclass(frozen=True)
class WganGp:
    """WGAN with gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028, equation 3).

    L_D = E f - E r + weight E(|grad D(x_hat)| - 1)^2,  L_G = -E f,
    x_hat on the line between a real and a fake sample. The paper trains D five times per G step.
    """

    version: ClassVar[int] = 1
    weight: NonNegative = 10.0
    d_steps: Count = 5

    def recipe(self) -> Objective:
        """Build the objective."""
        penalty = _penalty("gradient_penalty", weight=self.weight)
        return Objective(_loss("wasserstein"), (penalty,), self.d_steps)


@register("dragan")
@dataclass(frozen=True)
class Dragan:
    """DRAGAN (Kodali et al. 2017, arXiv:1705.07215): the non-saturating game, smooth around the data.

    L_D = E sp(-r) + E sp(f) + weight E(|grad D(x')| - 1)^2,  L_G = E sp(-f),
    x' a real sample perturbed by up to half a standard deviation of the batch.
    """

    version: ClassVar[int] = 1
    weight: NonNegative = 10.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        penalty = _penalty("gradient_penalty", weight=self.weight, at="perturbed")
        return Objective(_loss("non_saturating"), (penalty,), self.d_steps)


@register("sngan")
@dataclass(frozen=True)
class Sngan:
    """SNGAN (Miyato et al. 2018, arXiv:1802.05957): hinge loss, every weight of D divided by its spectral norm.

    L_D = E relu(1 - r) + E relu(1 + f),  L_G = -E f,  W <- W / sigma(W) in D.
    The paper uses one or five D steps; one is taken here, so that it costs what its rivals cost.
    """

    version: ClassVar[int] = 1
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        return Objective(_loss("hinge"), (_penalty("spectral_norm"),), self.d_steps)


@register("r3gan")
@dataclass(frozen=True)
class R3gan:
    """R3GAN's objective (Huang et al. 2024, arXiv:2501.05441): relativistic pairing with both zero-centred penalties.

    L_D = E sp(f - r) + gamma/2 E|grad D(real)|^2 + gamma/2 E|grad D(fake)|^2,  L_G = E sp(r - f).
    The paper sets gamma per dataset.
    """

    version: ClassVar[int] = 1
    gamma: NonNegative = 1.0
    d_steps: Count = 1

    def recipe(self) -> Objective:
        """Build the objective."""
        both = (_penalty("r1", gamma=self.gamma), _penalty("r2", gamma=self.gamma))
        return Objective(_loss("relativistic_paired"), both, self.d_steps)
