"""The pulse of a run before it trains: who looks on from elsewhere sees that it is at work, and at what."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING

from ganbench.listener import Listener
from ganbench.pulse import EVERY, FILE, Beat, write
from ganbench.store import Store

if TYPE_CHECKING:
    from ganbench.execution.messages import Message, Task
    from ganbench.planning import Plan
    from ganbench.suite.cohorts import Cohort


@dataclass
class GettingReady:
    """Hears what is got ready, passes it on, and writes beats in a thread until `over`; the file is gone at the end.

    Preparing and measuring may say nothing for long, so that no message could be what a beat waits for.
    """

    listener: Listener
    store: Store
    suite: str
    cells: int
    doing: str = "getting ready"
    _began: float = field(default_factory=time.time)
    _over: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> GettingReady:
        """Begin to beat; whoever looks on from now on sees that a run is at work."""
        self._tell()
        self._thread = Thread(target=self._beat, name="getting ready", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Take the file away, whoever wrote it last of this run."""
        self.over()
        with suppress(OSError):
            (self.store.root / FILE).unlink(missing_ok=True)

    def over(self) -> None:
        """Beat no longer: another does."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def planned(self, plan: Plan) -> None:
        """Pass on what is about to run."""
        self.listener.planned(plan)

    def preparing(self, names: Sequence[str]) -> None:
        """Pass on what is being got ready."""
        self.doing = ", ".join(names)
        self.listener.preparing(names)

    def training(self, cohorts: Sequence[Cohort], devices: Sequence[str]) -> None:
        """Pass on that the cohorts start."""
        self.listener.training(cohorts, devices)

    def heard(self, slot: int, task: Task, message: Message) -> None:
        """Pass on what a worker says."""
        self.listener.heard(slot, task, message)

    def said(self, text: str) -> None:
        """Pass on a sentence."""
        self.doing = text
        self.listener.said(text)

    def _beat(self) -> None:
        while not self._over.wait(EVERY):
            self._tell()

    def _tell(self) -> None:
        here, now = (socket.gethostname(), os.getpid()), time.time()
        with suppress(OSError):
            write(self.store, Beat(self.suite, *here, self._began, now, 0.0, 0.0, self.cells, {}, (), self.doing))
