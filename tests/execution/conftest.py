"""The command line without MLflow, which has tests of its own and takes seconds of each run."""

from __future__ import annotations

import sys

import pytest

CODE = """
import ganbench.runner, ganbench.tracking
from ganbench.cli import main
ganbench.runner.track = lambda *_: ""
ganbench.tracking.Tracker.warm_up = lambda _: None
ganbench.tracking.Tracker.follow = lambda *_: ganbench.tracking.Synced(0, [])
main()
"""


@pytest.fixture(scope="session")
def untracked() -> list[str]:
    """Return the beginning of a command that is `ganbench`, with nothing sent to MLflow."""
    return [sys.executable, "-c", CODE]
