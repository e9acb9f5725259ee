"""What made a number: versions, commit, machine and time."""

from __future__ import annotations

import filecmp
import importlib.metadata
import json
import os
import platform
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import ganbench

PACKAGES = ("torch", "torch-fidelity", "numpy", "scipy")


def provenance() -> dict[str, str]:
    """Describe this installation and machine; the commit is empty outside a git checkout."""
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {
        "ganbench": ganbench.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        **versions,
        "system": platform.platform(terse=True),
        "host": socket.gethostname(),
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
    }


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit() -> str:
    """Return the commit of this code, with `+changes` when files differ from it; empty where that is not known.

    Known for a checkout, for an installation from a version-control address, and for one from a checkout whose
    files are still the installed ones.
    """
    installed = Path(ganbench.__file__).parent
    if _git(installed, "ls-files", "--error-unmatch", "__init__.py"):
        return _describe(installed)
    source = json.loads(importlib.metadata.distribution("ganbench").read_text("direct_url.json") or "{}")
    if "vcs_info" in source:
        return str(source["vcs_info"].get("commit_id", ""))[:12]
    folder = Path(url2pathname(urlsplit(str(source.get("url", ""))).path)) / "ganbench"
    names = [str(path.relative_to(installed)) for path in installed.rglob("*.py")]
    same, _, _ = filecmp.cmpfiles(installed, folder, names, shallow=False)
    return _describe(folder) if names and len(same) == len(names) else ""


def _describe(folder: Path) -> str:
    return _git(folder, "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; empty where there is no git, no repository or no such thing."""
    command = ["git", "-C", str(folder), *arguments]
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
