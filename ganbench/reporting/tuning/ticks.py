"""How the numbers of a scale are written."""

from __future__ import annotations

from ganbench.reporting.drawing import Spec

WIDE = 1e5  # the size of a number that the margin of a panel has no room for


def ticks(scale: Spec) -> Spec | None:
    """Return how an axis or a legend writes large numbers, as powers of ten; None where there is none."""
    return {"format": ".2~e"} if max(map(abs, scale["domain"])) >= WIDE else None
