"""What a person wants to know of an objective before choosing it, derived from what it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganbench import losses
from ganbench.objectives import Objective, kind_of
from ganbench.plugins import Conditioning
from ganbench.registry import Registry

# What a plugin's `critic` asks for, and the method of an architecture that builds it.
CRITICS = {"vector": ("vector critic", "vector_critic"), "autoencoder": ("autoencoder critic", "autoencoder")}

# Some batch of labelled samples: a technique that refuses points and takes images is one for images.
POINT, IMAGE, BATCH, CLASSES = (2,), (3, 32, 32), 64, 10


@dataclass(frozen=True)
class Facts:
    """The columns of `ganbench list objectives`, and what else `ganbench show` says; empty is unknown.

    `objective` is what the defaults build, None for a plugin that has parameters without a default. `equilibrium`
    is the value of the loss's L_D where real and fake cannot be told apart and D is constant.
    """

    family: str = ""
    divergence: str = ""
    source: str = ""
    needs: tuple[str, ...] = ()
    equilibrium: float | None = None
    objective: Objective | None = None
    recommended: Mapping[str, Any] = field(default_factory=dict)


def needs(objective: Objective) -> tuple[str, ...]:
    """Say what an objective asks of the dataset and of the architecture, beyond samples and a logit."""
    found = []
    techniques = [part.create() for part in objective.techniques]
    for plugin in (objective.loss.create(), *techniques):
        critic = getattr(plugin, "critic", "scalar")
        if critic in CRITICS:
            found.append(CRITICS[critic][0])
    for technique in techniques:
        if isinstance(technique, Conditioning) and technique.needs_labels:
            found.append("labels")
        refuse = getattr(technique, "refusal", None)
        if refuse and refuse(POINT, BATCH, CLASSES) and not refuse(IMAGE, BATCH, CLASSES):
            found.append("images")
    return tuple(dict.fromkeys(found))


def facts(name: str, kind: Registry | None = None) -> Facts:
    """Tell what is known of a recipe or a loss with its default parameters; `kind` is its registry, where known."""
    kind = kind or kind_of(name)
    cls = kind.get(name)
    objective, told = None, [cls]
    if not any(parameter.required for parameter in kind.parameters(name).values()):
        part = kind.part(name, {})
        plugin = part.create()
        objective = Objective(part) if kind is losses.registry else plugin.recipe()
        told = [plugin, objective.loss.create()]
    return Facts(
        family=_said(told, "family"),
        divergence=_said(told, "divergence"),
        source=_said(told, "source"),
        needs=needs(objective) if objective else (),
        equilibrium=getattr(told[-1], "equilibrium", None) if objective else None,
        objective=objective,
        recommended=getattr(cls, "recommended", {}),
    )


def _said(told: list[Any], key: str) -> str:
    """Return the first text that one of these has under `key`; a class may have a property there instead."""
    return next((text for one in told if isinstance(text := getattr(one, key, None), str)), "")
