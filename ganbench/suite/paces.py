"""What cells took that really ran, kept in the cache: how long others like them will take in whatever cohorts."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ganbench.paths import write_whole
from ganbench.suite.cells import Cell, Scoring, digest

Found = TypeVar("Found")

KEPT = 5000  # kinds of cells and of scores that are remembered, the latest
OUTWEIGHED = 2  # times as long as a new observation, and an old one stays


@dataclass(frozen=True)
class Pace:
    """Seconds of one G step of a whole cohort of `size` cells, on a device with so many `slots`, over so many seconds.

    Where it stands for cells whose D takes other numbers of steps it is per update of either player.
    """

    size: int
    slots: int
    step: float
    seconds: float


@dataclass(frozen=True)
class Paces:
    """The paces of one device by what was trained, and seconds per score and of a start by what was scored or read.

    `around` are the fewest seconds that a run has taken beside its cohorts: what is got ready may be there already.
    """

    training: Mapping[str, tuple[Pace, ...]] = field(default_factory=dict)
    scoring: Mapping[str, float] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)
    around: float = 0.0

    def steps(self, key: str, slots: int) -> dict[int, float]:
        """Return seconds per step by the size of the cohort, of those slots that were nearest in number."""
        found = self.training.get(key, ())
        if not found:
            return {}
        nearest = min(found, key=lambda pace: abs(math.log(pace.slots / slots))).slots
        return {pace.size: pace.step for pace in found if pace.slots == nearest}

    def joined(self, new: Paces) -> Paces:
        """Return these with newer ones, which count more unless they saw much less."""
        training = dict(self.training)
        for key, paces in new.training.items():
            known = {(pace.slots, pace.size): pace for pace in training.pop(key, ())}
            for pace in paces:
                before = known.get((pace.slots, pace.size))
                if before is None or before.seconds <= OUTWEIGHED * pace.seconds:
                    known[pace.slots, pace.size] = pace
            training[key] = tuple(known.values())
        scoring, starts = {**self.scoring, **new.scoring}, {**self.starts, **new.starts}
        around = min(filter(None, (self.around, new.around)), default=0.0)
        return Paces(_latest(training), _latest(scoring), starts, around)


def _latest(found: Mapping[str, Found]) -> dict[str, Found]:
    return dict(list(found.items())[-KEPT:])


@dataclass(frozen=True)
class PaceFile:
    """The file in the cache with the paces of a device."""

    folder: Path
    device: str

    def read(self) -> Paces:
        """Return what is known; nothing where the file cannot be read."""
        try:
            found: dict[str, Any] = json.loads(self._path.read_text())
            training = {key: tuple(Pace(*pace) for pace in paces) for key, paces in found["training"].items()}
            scoring = {key: float(seconds) for key, seconds in found["scoring"].items()}
            starts = {label: float(seconds) for label, seconds in found["starts"].items()}
            usable = all(_usable(pace) for paces in training.values() for pace in paces)
            around = float(found["around"])
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return Paces()
        return Paces(training, scoring, starts, around) if usable else Paces()

    def add(self, new: Paces) -> None:
        """Keep what is new too; OSError where nothing can be written."""
        joined = self.read().joined(new)
        content = {
            "device": self.device,
            "training": {
                key: [[pace.size, pace.slots, pace.step, pace.seconds] for pace in paces]
                for key, paces in joined.training.items()
            },
            "scoring": joined.scoring,
            "starts": joined.starts,
            "around": joined.around,
        }
        write_whole(self._path, json.dumps(content).encode() + b"\n")

    @property
    def _path(self) -> Path:
        return self.folder / f"{digest({'device': self.device})}.json"


def _usable(pace: Pace) -> bool:
    return pace.size > 0 and pace.slots > 0 and 0 < pace.step < math.inf and 0 <= pace.seconds < math.inf


def averaged(paces: Iterable[Pace]) -> tuple[Pace, ...]:
    """Return one pace for each number of slots and cells."""
    found: dict[tuple[int, int], list[Pace]] = {}
    for pace in paces:
        found.setdefault((pace.slots, pace.size), []).append(pace)
    return tuple(
        Pace(size, slots, statistics.mean(one.step for one in same), max(one.seconds for one in same))
        for (slots, size), same in found.items()
    )


def kind_key(cell: Cell) -> str:
    """Hash what decides most of how long a step takes, whatever the objective; how often D steps is part of it."""
    return digest({"kind": _kind(cell), "d_steps": cell.train.d_steps or 1})


def updates_key(cell: Cell) -> str:
    """Hash what decides most of how long an update of one player takes, whatever the objective."""
    return digest({"update of": _kind(cell)})


def updates(cell: Cell) -> int:
    """Return how many updates of either player a G step has."""
    return 1 + (cell.train.d_steps or 1)


def score_key(cell: Cell, scoring: Scoring) -> str:
    """Hash what decides the time of a score."""
    settings = scoring.settings
    parts = [part.label for part in (*settings.metrics, *settings.extractors)]
    return digest(
        {
            "of": [cell.dataset.label, cell.architecture.label],
            "sizes": [settings.samples, settings.reference],
            "between": list(settings.between) if settings.between is not None else None,
            "parts": parts,
        }
    )


def _kind(cell: Cell) -> list[Any]:
    return [cell.dataset.label, cell.architecture.label, cell.train.batch_size, cell.train.precision]
