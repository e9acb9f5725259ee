"""Whoever hears what happens during a run: the command line draws it, nobody else prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ganbench.execution.messages import Message, Task
    from ganbench.planning import Plan
    from ganbench.suite.cohorts import Cohort


class Listener(Protocol):
    """Hears what happens during a run."""

    def planned(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def preparing(self, names: Sequence[str]) -> None:
        """Hear which datasets and extractors are being got ready."""

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Hear that the cohorts start."""

    def heard(self, slot: int, task: Task, message: Message) -> None:
        """Hear a worker."""

    def said(self, text: str) -> None:
        """Hear a sentence for the reader."""


class Silence:
    """A listener that ignores everything."""

    def planned(self, plan: Plan) -> None:
        """Ignore the plan."""

    def preparing(self, names: Sequence[str]) -> None:
        """Ignore the preparations."""

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Ignore the start."""

    def heard(self, slot: int, task: Task, message: Message) -> None:
        """Ignore a worker."""

    def said(self, text: str) -> None:
        """Ignore a sentence."""
