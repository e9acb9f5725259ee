"""Who sends a run, so that what a killed process left half sent is told from what another is sending right now.

A run that is under way names the process that makes it: the machine (a hash), the process, when that began. On the
machine itself one sees whether it still runs. Of another machine one sees nothing: sending a run takes seconds, so
what was begun an hour ago is taken for left behind.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

SENDER, BEGUN = "ganbench.sender", "ganbench.begun"
PATIENCE = 3600.0  # seconds


def now() -> str:
    """Return the time in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def signature() -> dict[str, str]:
    """Return the tags that say which process begins a run, and when."""
    return {SENDER: f"{_machine()}-{os.getpid()}-{_began(os.getpid())}", BEGUN: now()}


def is_mine(tags: Mapping[str, str]) -> bool:
    """Say whether this process began a run."""
    return tags.get(SENDER) == signature()[SENDER]


def is_left(tags: Mapping[str, str]) -> bool:
    """Say whether whoever began a run that is not finished will not finish it; of unknown senders it is assumed."""
    machine, _, process = tags.get(SENDER, "").partition("-")
    number, _, began = process.partition("-")
    if machine == _machine() and number.isdecimal() and began:
        return _began(int(number)) != began
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(tags[BEGUN])
    except (KeyError, ValueError, TypeError):
        return True
    return age.total_seconds() > PATIENCE


@cache
def _machine() -> str:
    """Hash what processes are numbered in: the machine, or a container on it."""
    space = Path("/proc/self/ns/pid")
    numbered = str(space.readlink()) if space.is_symlink() else ""
    return hashlib.sha256(f"{socket.gethostname()} {numbered}".encode()).hexdigest()[:16]


def _began(process: int) -> str:
    """Return when a process of this machine began, in the kernel's ticks; empty where there is none, or no telling."""
    try:
        state, *facts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    return "" if state in "ZX" else facts[18]  # a killed process stays a zombie until its parent looks
