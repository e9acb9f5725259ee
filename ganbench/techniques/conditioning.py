"""Which of an objective's techniques gives its players a code: training and evaluation both ask."""

from __future__ import annotations

from collections.abc import Sequence

from ganbench.plugins import Conditioning
from ganbench.registry import Part


def conditioning_of(techniques: Sequence[Part]) -> Conditioning | None:
    """Build the technique that conditions the players, or None; ValueError when there are two."""
    built = [(part.name, part.create()) for part in techniques]
    found = [(name, plugin) for name, plugin in built if isinstance(plugin, Conditioning)]
    if len(found) > 1:
        raise ValueError(
            f"an objective takes one conditioning technique, not {' and '.join(name for name, _ in found)}"
        )
    return found[0][1] if found else None
