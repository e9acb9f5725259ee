"""One colour per objective, the same in every figure, table and picture."""

from __future__ import annotations

from collections.abc import Sequence

PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#c98200",
    "#7a5fc0",
    "#3b9bd3",
    "#8f8a00",
    "#808080",
    "#a0522d",
)
"""Okabe and Ito's colours, which the colour-blind tell apart, without black and yellow, then four of their kind.

All are mid-tones: at least 3 to 1 against white paper and against a dark page. No figure leans on colour alone.
"""
OUTCOME_COLOURS = {
    "completed": "#7f93a6",
    "diverged": "#d55e00",
    "failed": "#cc79a7",
    "timed_out": "#c98200",
    "skipped": "#a9a9a9",
    "missing": "#c9c9c9",
}


def colours(objectives: Sequence[str]) -> dict[str, str]:
    """Give every objective its colour, in the order of the suite; after the tenth they come round again."""
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(objectives)}
