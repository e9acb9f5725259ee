"""How far a suite is, from its store and the pulse of its run: for whoever looks on while it lasts, or afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ganbench import pulse
from ganbench.pulse import Beat
from ganbench.records import Listed, SuiteRecord
from ganbench.store import Store

SILENT = 15.0  # seconds; a run at work tells of itself every two


@dataclass(frozen=True)
class Standing:
    """The cells of each objective by outcome (`left`: neither trained nor skipped), and the run at work, if any.

    `unscored` counts trained cells whose scores are to come; `silent` are the seconds since a run told of itself.
    """

    suite: str
    cells: Mapping[str, Counter[str]]
    unscored: int
    beat: Beat | None = None
    silent: float = 0.0

    @property
    def at_work(self) -> bool:
        """Whether a run has told of itself just now."""
        return self.beat is not None and self.silent < SILENT

    @property
    def counts(self) -> Counter[str]:
        """Count the cells of all objectives."""
        return sum(self.cells.values(), Counter())


@dataclass
class Watch:
    """Looks at one suite of a store again and again, and reads of each cell only what may have changed."""

    store: Store
    record: SuiteRecord
    _outcomes: dict[str, str] = field(default_factory=dict)
    _scored: set[tuple[str, str]] = field(default_factory=set)

    def look(self) -> Standing:
        """Return how far it is now."""
        cells: dict[str, Counter[str]] = {}
        unscored = 0
        for row in self.record.listed:
            counts = cells.setdefault(row.objective, Counter())
            outcome = "skipped" if row.skipped else self._outcome(row)
            counts[outcome] += 1
            unscored += outcome in ("completed", "diverged", "timed_out") and row.scoring and not self._is_scored(row)
        beat = pulse.read(self.store)
        beat = beat if beat and beat.suite == self.record.name else None
        return Standing(self.record.name, cells, unscored, beat, max(0.0, time.time() - beat.told) if beat else 0.0)

    def _outcome(self, row: Listed) -> str:
        if row.key not in self._outcomes:
            status = self.store.status(row.key)
            if status is None:
                return "left"
            self._outcomes[row.key] = status.outcome
        return self._outcomes[row.key]

    def _is_scored(self, row: Listed) -> bool:
        cell = row.key, row.evaluation_key
        if cell not in self._scored and self.store.scored(*cell):
            self._scored.add(cell)
        return cell in self._scored
