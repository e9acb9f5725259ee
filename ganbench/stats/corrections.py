"""Many tests at once: Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(pvalues: Sequence[float]) -> list[float]:
    """Return Holm's (1979) step-down adjusted p-values, in the order given.

    NaN stands for a test that was not made: it stays NaN and does not count towards the family.
    """
    made = sorted((p, place) for place, p in enumerate(pvalues) if not math.isnan(p))
    adjusted = [math.nan] * len(pvalues)
    highest = 0.0
    for rank, (p, place) in enumerate(made):
        highest = max(highest, min(1.0, p * (len(made) - rank)))
        adjusted[place] = highest
    return adjusted
