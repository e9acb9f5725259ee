"""Contenders in figures: the order they stand in everywhere, and legends that tell them apart without colour too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ganbench.reporting.colours import PALETTE, Look, look
from ganbench.reporting.drawing import Spec, coloured
from ganbench.reporting.frame import Frame
from ganbench.reporting.ranking import Ranking, suite_order
from ganbench.reporting.standings import Standing

LIMIT = 320  # pixels of a name in a legend
COLUMN, MANY = 30, 1000  # entries of a column of a legend; and of all of it, after which Vega would leave some out


def ordered(frame: Frame, ranking: Ranking) -> list[Standing]:
    """Return a ranking's standings in the order of the suite, not of their scores."""
    place = {name: place for place, name in enumerate(suite_order(frame))}
    return sorted(ranking.standings, key=lambda standing: place[standing.contender])


def looks(frame: Frame) -> dict[str, Look]:
    """Return how each contender looks, in the order of the suite."""
    place = {name: place for place, name in enumerate(frame.objectives)}
    objective = dict(zip(frame.cells["contender"], frame.cells["objective"], strict=True))
    laps, met = -(-len(place) // len(PALETTE)), Counter[str]()
    found = {}
    for name in suite_order(frame):
        found[name] = look(place[objective[name]], laps * met[objective[name]])
        met[objective[name]] += 1
    return found


@dataclass(frozen=True)
class Legend:
    """The channels that tell contenders apart in a figure that names them in a legend, in the order of the suite."""

    looks: Mapping[str, Look]

    @property
    def colour(self) -> Spec:
        """The channel `color`, which has the legend."""
        return self._with()

    @property
    def lines(self) -> Spec:
        """The channel `color` of lines, whose legend is long enough to show their dashes."""
        return self._with(symbolSize=484, symbolStrokeWidth=2)

    @property
    def shape(self) -> Spec:
        """The channel `shape` of points."""
        return self.colour | self._scale([found.shape for found in self.looks.values()])

    @property
    def dash(self) -> Spec:
        """The channel `strokeDash` of lines."""
        return self.lines | self._scale([list(found.dash) or [1, 0] for found in self.looks.values()])

    def _with(self, **drawn: float) -> Spec:
        by_name = {name: found.colour for name, found in self.looks.items()}
        legend = {
            "labelLimit": LIMIT,
            "symbolOpacity": 1,
            "symbolLimit": MANY,
            "columns": -(-len(by_name) // COLUMN),
            "columnPadding": 50,  # for a font wider than the measured one
            **drawn,
        }
        return coloured("contender", by_name, legend) | {"sort": list(by_name)}

    def _scale(self, values: list[str] | list[list[int]]) -> Spec:
        return {"scale": {"domain": list(self.looks), "range": values}}


def legend(frame: Frame, names: Iterable[str]) -> Legend:
    """Return the legend of some contenders."""
    there = set(names)
    return Legend({name: found for name, found in looks(frame).items() if name in there})
