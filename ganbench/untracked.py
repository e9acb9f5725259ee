"""Tracking where there is none: the cells of a search are told of by its study alone."""

from __future__ import annotations

from collections.abc import Iterable


class Untracked:
    """Takes cells as `LiveTracking` does, and sends none."""

    def begin(self) -> None:
        """Open nothing."""

    def finished(self, keys: Iterable[str]) -> None:
        """Send nothing."""

    def left(self) -> int:
        """Return that no cell is unsent."""
        return 0

    def close(self) -> str:
        """Return that nothing went wrong."""
        return ""

    def abandon(self) -> None:
        """Do nothing."""
