"""Which objective goes with which architecture and data: the reasons against, said before anything trains."""

from __future__ import annotations

from typing import Any

from ganbench.objectives import Objective
from ganbench.plugins import Dataset, JointPenalty, Lookahead, Selection, View
from ganbench.registry import Part
from ganbench.techniques.conditioning import conditioning_of

# What a loss asks of D beside logits, and the method of an architecture that builds it.
CRITICS = {"vector": ("a vector-valued critic", "vector_critic"), "autoencoder": ("an autoencoder", "autoencoder")}


def refusal(objective: Objective, architecture: Part, dataset: Dataset, batch_size: int) -> str | None:
    """Say why this objective cannot be trained by this architecture on this dataset, or None."""
    network, shape = architecture.create(), dataset.shape
    parts = [part.create() for part in objective.techniques]
    for part, technique in zip(objective.techniques, parts, strict=True):
        refuse = getattr(technique, "refusal", None)
        why: str | None = refuse(shape, batch_size, dataset.classes) if refuse else None
        if why:
            return f"{part.name}: {why}"
        if isinstance(technique, View) and hasattr(technique, "input_shape"):
            shape = technique.input_shape(shape)
    asking = zip((objective.loss, *objective.techniques), (objective.loss.create(), *parts), strict=True)
    lacks = next((why for part, plugin in asking if (why := _lacks(part, plugin, architecture, network))), None)
    if not lacks and batch_size < 2 and getattr(objective.loss.create(), "critic", "scalar") != "scalar":
        return f"{objective.loss.name} compares the samples of a batch: a batch_size of 1 has nothing to compare"
    return lacks or network.supports(shape) or _of_critic(objective, parts)


def _lacks(part: Part, plugin: Any, architecture: Part, network: Any) -> str | None:
    """Say which critic a loss or technique asks for that the architecture does not have."""
    critic = getattr(plugin, "critic", "scalar")
    if critic not in CRITICS or hasattr(network, CRITICS[critic][1]):
        return None
    what, method = CRITICS[critic]
    return f"{part.name} needs {what} for D, which {architecture.name} does not have ({method} builds one)"


def _of_critic(objective: Objective, techniques: list[Any]) -> str | None:
    """Say which parts of an objective do not go together."""
    critic = getattr(objective.loss.create(), "critic", "scalar")
    conditioned = conditioning_of(objective.techniques) is not None
    joint = next((part.name for part in objective.penalties if isinstance(part.create(), JointPenalty)), None)
    if conditioned and critic != "scalar":
        return f"{objective.loss.name} reads {CRITICS[critic][0]}, and codes are defined for logits only"
    for part, technique in zip(objective.techniques, techniques, strict=True):
        if isinstance(technique, Lookahead) and joint:
            return f"{joint} looks at D as it stands, and {part.name} at D some steps ahead"
        if isinstance(technique, Selection) and critic != "scalar":
            return f"{part.name} chooses by logits, and {objective.loss.name} reads {CRITICS[critic][0]}"
        if isinstance(technique, View) and hasattr(technique, "input_shape") and conditioned:
            return f"{part.name} shows D several samples at once, which share no label or code"
    return None
