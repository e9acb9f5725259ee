"""What made a number: versions, commit, machine and time."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import ganbench

PACKAGES = ("torch", "torch-fidelity", "numpy", "scipy")


def provenance() -> dict[str, str]:
    """Describe this installation and machine; the commit is empty outside a git checkout."""
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {
        "ganbench": ganbench.__version__,
        "commit": commit(Path(ganbench.__file__).parent),
        "python": platform.python_version(),
        **versions,
        "system": platform.platform(terse=True),
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
    }


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit(folder: Path) -> str:
    """Return the commit that `folder` is checked out at, with `+changes` when files differ from it."""
    command = [
        "git",
        "-C",
        str(folder),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=+changes",
        "--exclude=*",
    ]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def _cpu() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        names = [line.partition(":")[2].strip() for line in listing.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()
