"""The store's view in MLflow: sent there, and read back. The only package that imports mlflow."""

from ganbench.sent import pending
from ganbench.tracking.reaching import TrackingError, reachable
from ganbench.tracking.reading import Reader, TrackedRun, reading
from ganbench.tracking.sending import Synced, Tracker, parts
from ganbench.tracking.studies import StudyTracker

__all__ = [
    "Reader",
    "StudyTracker",
    "Synced",
    "TrackedRun",
    "Tracker",
    "TrackingError",
    "parts",
    "pending",
    "reachable",
    "reading",
]
