"""What conditioning techniques share: which of an objective's techniques is one, labels as codes, how codes are read.

Training and evaluation both ask here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganbench.plugins import Conditioning, Shape
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganbench.plugins import Architecture


def conditioning_of(techniques: Sequence[Part]) -> Conditioning | None:
    """Build the technique that conditions the players, or None; ValueError when there are two."""
    built = [(part.name, part.create()) for part in techniques]
    found = [(name, plugin) for name, plugin in built if isinstance(plugin, Conditioning)]
    if len(found) > 1:
        raise ValueError(
            f"an objective takes one conditioning technique, not {' and '.join(name for name, _ in found)}"
        )
    return found[0][1] if found else None


def unlabelled(classes: int | None) -> str | None:
    """Say why a technique that needs labels cannot be used with so many classes, or None."""
    return None if classes else "it needs labels, and the dataset has no classes"


def number_of(classes: int | None) -> int:
    """Return the number of classes; ValueError where there are none."""
    if not classes:
        raise ValueError("the dataset has no classes to condition on")
    return classes


def vector_critic(architecture: Architecture, shape: Shape, features: int) -> nn.Module:
    """Build the architecture's vector critic; TypeError when it has none, which is its right."""
    build = getattr(architecture, "vector_critic", None)
    if build is None:
        raise TypeError(f"{type(architecture).__name__} has no vector_critic, from which this technique builds D")
    critic: nn.Module = build(shape, features)
    return critic


def one_hot(labels: Tensor | None, classes: int | None) -> Tensor:
    """Return codes `(..., classes)` of labels `(...)`, in torch's default dtype; ValueError without labels."""
    import torch

    if labels is None:
        raise ValueError("the dataset has no labels to condition on")
    codes = torch.nn.functional.one_hot(labels, number_of(classes))
    return codes.to(torch.get_default_dtype())


def cross_entropy(logits: Tensor, codes: Tensor) -> Tensor:
    """Return the mean over the batch of -sum_i c_i log softmax(l)_i, `(...)`, for both `(..., batch, classes)`."""
    return -(codes * logits.log_softmax(-1)).sum(-1).mean(-1)
