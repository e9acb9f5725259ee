"""What every task of a worker knows of the machine around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganbench.checkpoints import EVERY
from ganbench.registry import load_file


@dataclass(frozen=True)
class Surroundings:
    """Where a worker finds and leaves things, and for how long; nothing here changes a number.

    `cell_seconds` is the longest that a cell may train (its share of its cohort's time).
    """

    store: Path
    data_root: Path
    cache: Path
    plugins: tuple[str, ...] = ()
    provenance: Mapping[str, str] | None = None
    checkpoint_seconds: float = EVERY
    cell_seconds: float | None = None

    def load_plugins(self) -> None:
        """Register what the suite's local plugin files define."""
        for path in self.plugins:
            load_file(Path(path))
