"""Tracking while cells train: a thread of the parent process opens MLflow and sends each cell as it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Thread

from ganbench.records import Listed, SuiteRecord
from ganbench.sent import Result, pending, trained, unsent
from ganbench.store import Store
from ganbench.tracking import Synced, Tracker, TrackingError, parts


class LiveTracking:
    """Sends the cells of one suite in a thread; what goes wrong there is told at the end, and costs no cell.

    A daemon, so that an interrupted run does not wait for MLflow's imports; what it leaves half sent is replaced by
    the next sync.
    """

    def __init__(self, store: Store, suite: SuiteRecord, uri: str | None) -> None:
        """Import MLflow at once, in the background; nothing is written before `begin`."""
        self._store, self._suite, self._uri = store, suite, uri
        self._tracker = Tracker(store, suite, uri)
        self._finished: SimpleQueue[frozenset[str]] = SimpleQueue()
        self._told: str | BaseException = ""
        self._begun, self._abandoned = Event(), Event()
        self._thread = Thread(target=self._work, name="tracking", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Open MLflow, its database or a server: there will be cells."""
        self._begun.set()

    def finished(self, keys: Iterable[str]) -> None:
        """Send these cells, which are in the store with all that there will be of them."""
        self._finished.put(frozenset(keys))

    def left(self) -> int:
        """Return how many cells are unsent."""
        return len(pending(self._store, self._suite, self._uri))

    def close(self) -> str:
        """Send what is left, those of earlier runs included; return what went wrong, or nothing."""
        self._finished.put(frozenset())
        self._thread.join()
        return self._told if isinstance(self._told, str) else self._tracker.told(self._told)

    def abandon(self, seconds: float = 2.0) -> None:
        """Send no other cell; wait for the one under way, but not for long."""
        self._abandoned.set()
        self._begun.set()
        self._finished.put(frozenset())
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            self._tracker.warm_up()
            self._begun.wait()
            if self._abandoned.is_set():
                return
            synced: Synced = self._tracker.follow(self._coming())
            self._told = "\n".join(synced.failed)
        except TrackingError as error:
            # Why MLflow cannot be used is said at the end, with the number of cells that are unsent by then.
            self._told = error.__cause__ or str(error)
        except Exception as error:
            # Whatever it is, it is said, and the cells are safe.
            self._told = error

    def _coming(self) -> Iterator[Sequence[Result]]:
        rows: dict[str, list[Listed]] = {}
        for row in self._suite.listed:
            rows.setdefault(row.key, []).append(row)
        tried: set[tuple[str, str]] = set()
        going = True
        while going and not self._abandoned.is_set():
            told = [self._finished.get()]
            while not self._finished.empty():
                told.append(self._finished.get())
            going = all(told)
            finished = (row for keys in told for key in keys for row in rows.get(key, ()))
            found = trained(self._store, finished) if going else unsent(self._store, self._suite, self._uri)
            new = [result for result in found if (result.mark, result.content) not in tried]
            tried |= {(result.mark, result.content) for result in new}
            for part in parts(new):
                if self._abandoned.is_set():
                    return
                yield part
