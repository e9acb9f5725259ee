"""Tracking of studies while more is trained: in a thread, so that nobody waits for MLflow's imports or a server."""

from __future__ import annotations

from threading import Thread

from ganbench.store import Store


class StudyTracking:
    """Sends what the store has of a suite's studies to MLflow; what goes wrong is told, and costs nothing."""

    def __init__(self, store: Store, suite: str, uri: str | None) -> None:
        """Take the name of the reported suite, and a server's or database's URI (None: the store's own database)."""
        self._store, self._suite, self._uri = store, suite, uri
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Send in the background what there is by now; a daemon, so that an interrupted run does not wait for it."""
        self._thread = Thread(target=self._send, name="studies", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until that is sent: two must not make a database at once."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def close(self) -> str:
        """Send what is left; return what went wrong, or nothing."""
        self.wait()
        return self._send()

    def _send(self) -> str:
        from ganbench.tracking import StudyTracker, TrackingError

        try:
            StudyTracker(self._store, self._suite, self._uri).sync()
        except TrackingError as error:
            return str(error)
        except Exception as error:
            # Whatever it is, it is said, and what was found is safe.
            return f"the studies of {self._suite} could not be sent to MLflow ({type(error).__name__}: {error})"
        return ""
