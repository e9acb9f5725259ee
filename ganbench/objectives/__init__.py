"""Objectives: named recipes of a loss, its penalties, its techniques and its default number of D steps.

Every registered loss is an objective too, with no penalty and one D step per G step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from ganbench import losses, penalties, techniques
from ganbench.plain_data import canonical
from ganbench.registry import Part, Registry, UnknownName, unknown

registry = Registry(
    "objective",
    {
        "acgan": "ganbench.objectives.conditional",
        "bcr_gan": "ganbench.objectives.augmented",
        "began": "ganbench.objectives.energy",
        "consensus_gan": "ganbench.objectives.restrained",
        "cramer_gan": "ganbench.objectives.kernel",
        "diffaug_gan": "ganbench.objectives.augmented",
        "dragan": "ganbench.objectives.restrained",
        "ebgan": "ganbench.objectives.energy",
        "fgan_gan": "ganbench.objectives.f_divergence",
        "fgan_jensen_shannon": "ganbench.objectives.f_divergence",
        "fgan_kl": "ganbench.objectives.f_divergence",
        "fgan_neyman": "ganbench.objectives.f_divergence",
        "fgan_pearson": "ganbench.objectives.f_divergence",
        "fgan_reverse_kl": "ganbench.objectives.f_divergence",
        "fgan_squared_hellinger": "ganbench.objectives.f_divergence",
        "goodfellow2014": "ganbench.objectives.classic",
        "hinge_gan": "ganbench.objectives.classic",
        "icr_gan": "ganbench.objectives.augmented",
        "infogan": "ganbench.objectives.conditional",
        "lecam_gan": "ganbench.objectives.restrained",
        "lsgan": "ganbench.objectives.classic",
        "mmd_gan": "ganbench.objectives.kernel",
        "nsgan": "ganbench.objectives.classic",
        "pacgan": "ganbench.objectives.mode_collapse",
        "r1_gan": "ganbench.objectives.restrained",
        "r3gan": "ganbench.objectives.relativistic",
        "ragan": "ganbench.objectives.relativistic",
        "rahinge": "ganbench.objectives.relativistic",
        "rals": "ganbench.objectives.relativistic",
        "rsgan": "ganbench.objectives.relativistic",
        "sngan": "ganbench.objectives.restrained",
        "unrolled_gan": "ganbench.objectives.mode_collapse",
        "wgan": "ganbench.objectives.wasserstein",
        "wgan_div": "ganbench.objectives.wasserstein",
        "wgan_gp": "ganbench.objectives.wasserstein",
        "wgan_lp": "ganbench.objectives.wasserstein",
    },
)
register = registry.register


@dataclass(frozen=True)
class Objective:
    """What the two players optimise: a loss, penalties, techniques, and the D updates per G update by default."""

    loss: Part
    penalties: tuple[Part, ...] = ()
    d_steps: int = 1
    techniques: tuple[Part, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give what enters a cell's key (d_steps is part of the training settings there)."""
        found: dict[str, Any] = {
            "loss": self.loss.as_json(),
            "penalties": [part.as_json() for part in self.penalties],
        }
        if self.techniques:
            found["techniques"] = [part.as_json() for part in self.techniques]
        return found

    @cached_property
    def text(self) -> str:
        """What enters a cell's key, as canonical JSON: written once, since thousands of cells share an objective."""
        return canonical(self.as_json())


class Recipe(Protocol):
    """What an objective plugin offers: a frozen dataclass whose `recipe` builds the objective.

    Optional class variables: `source` (the paper), `family` and `divergence` (columns of `ganbench list objectives`,
    else those of its loss), and `recommended`, training settings as the source has them, for suites that ask.
    """

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


def recommended(name: str) -> Mapping[str, Any]:
    """Return the training settings that the source of an objective used, by their names in a suite."""
    return getattr(kind_of(name).get(name), "recommended", {})


def loss(name: str, **parameters: object) -> Part:
    """Name the loss of a recipe."""
    return losses.registry.part(name, parameters)


def penalty(name: str, **parameters: object) -> Part:
    """Name a penalty of a recipe."""
    return penalties.registry.part(name, parameters)


def technique(name: str, **parameters: object) -> Part:
    """Name a technique of a recipe."""
    return techniques.registry.part(name, parameters)
