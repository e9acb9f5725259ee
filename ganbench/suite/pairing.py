"""Which objective goes with which architecture and data: the reasons against, said before anything trains."""

from __future__ import annotations

from typing import Any

from ganbench.objectives import Objective
from ganbench.objectives.facts import CRITICS
from ganbench.plugins import Dataset, JointPenalty, Lookahead, Normalisation, Penalty, Projection, Selection, View
from ganbench.registry import Part
from ganbench.techniques.conditioning import conditioning_of


def refusal(objective: Objective, architecture: Part, dataset: Dataset, batch_size: int) -> str | None:
    """Say why this objective cannot be trained by this architecture on this dataset, or None."""
    network, loss, shape = architecture.create(), objective.loss.create(), dataset.shape
    parts = [part.create() for part in objective.techniques]
    for part, technique in zip(objective.techniques, parts, strict=True):
        refuse = getattr(technique, "refusal", None)
        why: str | None = refuse(shape, batch_size, dataset.classes) if refuse else None
        if why:
            return f"{part.name}: {why}"
        if isinstance(technique, View) and hasattr(technique, "input_shape"):
            shape = technique.input_shape(shape)
        if isinstance(technique, View) and hasattr(technique, "input_batch"):
            batch_size = technique.input_batch(batch_size)
    asking = zip((objective.loss, *objective.techniques), (loss, *parts), strict=True)
    lacks = next((why for part, plugin in asking if (why := _lacks(part, plugin, architecture, network))), None)
    if not lacks and batch_size < getattr(loss, "least_batch", 1):
        return f"{objective.loss.name} compares the samples of a batch, and D sees {batch_size} at a time"
    why = lacks or network.supports(shape) or _apart(objective, parts) or _too_deep(objective, network)
    return why or _zero(objective, architecture, network)


def _lacks(part: Part, plugin: Any, architecture: Part, network: Any) -> str | None:
    """Say which critic a loss or technique asks for that the architecture does not have."""
    critic = getattr(plugin, "critic", "scalar")
    if critic not in CRITICS or hasattr(network, CRITICS[critic][1]):
        return None
    what, method = CRITICS[critic]
    return f"{part.name} needs the {what} ({method}) of an architecture, which {architecture.name} does not have"


def _apart(objective: Objective, techniques: list[Any]) -> str | None:
    """Say which parts of an objective do not go together."""
    critic = getattr(objective.loss.create(), "critic", "scalar")
    conditioned = conditioning_of(objective.techniques) is not None
    if conditioned and critic != "scalar":
        return f"{objective.loss.name} reads what a {CRITICS[critic][0]} says, and codes are defined for logits only"
    for part, technique in zip(objective.techniques, techniques, strict=True):
        if isinstance(technique, Selection) and critic != "scalar":
            return f"{part.name} chooses by logits, and {objective.loss.name} reads what a {CRITICS[critic][0]} says"
        if isinstance(technique, View) and hasattr(technique, "input_shape") and conditioned:
            return f"{part.name} shows D several samples at once, which share no label or code"
    ahead = next((part.name for part in objective.techniques if isinstance(part.create(), Lookahead)), None)
    joint = next((part.name for part in objective.penalties if isinstance(part.create(), JointPenalty)), None)
    for part in objective.penalties:
        if ahead and isinstance(part.create(), Projection | JointPenalty):
            return f"{part.name} is about D as it stands, and {ahead} about D some steps ahead"
        if joint and part.parameters.get("every", 1) > 1:
            return f"{joint} looks at the gradients of every step, and {part.name} is lazy"
    return None


def _too_deep(objective: Objective, network: Any) -> str | None:
    """Say that torch cannot differentiate a norm of D as often as the parts of an objective ask together."""
    parts = (*objective.penalties, *objective.techniques)
    twice = any(isinstance(part.create(), Lookahead | JointPenalty) for part in parts)
    penalised = next((part.name for part in objective.penalties if isinstance(part.create(), Penalty)), None)
    if twice and penalised and getattr(network, "d_norm", "none") in ("batch", "instance"):
        return f"{penalised} within another gradient asks for three derivatives of D, and {network.d_norm} norm has two"
    return None


def _zero(objective: Objective, architecture: Part, network: Any) -> str | None:
    """Say that a penalty would divide weights by their norm where an architecture starts them at zero."""
    if not getattr(network, "zero_weights", False):
        return None
    dividing = next((part.name for part in objective.penalties if isinstance(part.create(), Normalisation)), None)
    return dividing and f"{dividing} divides weights by their norm, and {architecture.name} starts some at zero"
