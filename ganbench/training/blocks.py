"""How far random streams are drawn ahead: between two blocks of steps, training can be taken up again."""

from __future__ import annotations

BLOCK = 16


def taken_up_at(step: int) -> int:
    """Return the first G step from `step` on after which training can be taken up again."""
    return -(-step // BLOCK) * BLOCK
