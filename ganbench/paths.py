"""Where data and derived files live: the user's cache folder unless GANBENCH_DATA or GANBENCH_CACHE says otherwise."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Return the folder for what can be computed again (classifiers, features): `GANBENCH_CACHE` or the user's cache."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("GANBENCH_CACHE") or user_cache_path("ganbench"))


def data_root() -> Path:
    """Return the folder of datasets: `GANBENCH_DATA`, or `data` in the cache; it may be read-only."""
    return Path(os.environ.get("GANBENCH_DATA") or cache_root() / "data")
