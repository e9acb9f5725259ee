"""One look per objective, the same in every figure, table and picture: a colour, the shape of its marks, a dash.

No two of some forty objectives share both colour and shape, or both colour and dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PALETTE = (
    "#106a98",
    "#c55100",
    "#059766",
    "#cb79a7",
    "#cd8500",
    "#785fc1",
    "#369dd9",
    "#99923c",
    "#7c7b7c",
    "#9f522d",
)
"""Near Okabe and Ito's colours without black and yellow, then four of their kind, moved apart for colour-blind eyes.

All are mid-tones, at least 3 to 1 against white paper and against a dark page; any two of them differ by 13 in CIELAB
as people without red, green or blue cones see them (Machado et al. 2009). No figure leans on colour alone.
"""
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left")
DASHES = ((), (7, 3), (2, 2), (9, 3, 2, 3), (14, 4))
"""Lengths in pixels, drawn and left out in turn; the first is a line without gaps."""
OUTCOME_COLOURS = {
    "completed": "#75899a",
    "diverged": "#d05a00",
    "failed": "#d683b8",
    "timed_out": "#d48a04",
    "skipped": "#a1a2a1",
    "missing": "#cdcbcb",
}


@dataclass(frozen=True)
class Look:
    """How what is drawn of an objective looks."""

    colour: str
    shape: str
    dash: tuple[int, ...]


def look(place: int, turn: int = 0) -> Look:
    """Return the look of the objective at a place in the suite.

    Contenders that share an objective have its colour, and each a `turn` of its own, which changes shape and dash.
    """
    colour, lap = place % len(PALETTE), place // len(PALETTE) + turn
    return Look(PALETTE[colour], SHAPES[(colour + lap) % len(SHAPES)], DASHES[(colour + lap) % len(DASHES)])


def colours(objectives: Sequence[str]) -> dict[str, str]:
    """Give every objective its colour, in the order of the suite; after the tenth they come round again."""
    return {name: look(place).colour for place, name in enumerate(objectives)}
