"""Who is at work in a store: every worker shares a lock there, and notes beside it which process it is.

STORE/.workers.lock         the lock, which the kernel takes back when a worker dies
STORE/.workers/HOST-PID     the note of one worker, in JSON; those of the dead are cleared away by the next run
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ganbench.locks import lock_of, others, together
from ganbench.store import StoreError

WORKERS = "workers"
LEFT_OVER = "workers of a run that was killed may still be at work in this store: waiting until they are silent"
POLL = 0.2  # seconds
GRACE = 10.0  # seconds in which a process that was killed must be gone


@dataclass(frozen=True)
class Worker:
    """The note of a worker: its host, its number there, a name of the process that no other ever has, its task."""

    host: str
    pid: int
    process: str
    task: str


@contextmanager
def present(store: Path, task: str) -> Iterator[None]:
    """Be at work at a task in a store until the end of the block: should the parent be killed, the next run waits.

    Where there is no store there is nobody to wait either.
    """
    if not store.is_dir():
        yield
        return
    with together(store / WORKERS):
        who = Worker(socket.gethostname(), os.getpid(), _process(os.getpid()), task)
        note = _notes(store) / f"{who.host}-{who.pid}"
        with suppress(OSError):  # a full disk: it is not named, then
            note.parent.mkdir(exist_ok=True)
            note.write_text(json.dumps(asdict(who)))
        try:
            yield
        finally:
            with suppress(OSError):
                note.unlink()


def wait_for_absence(store: Path, patience: float, said: Callable[[str], None]) -> None:
    """Wait until nobody is at work in a store whose run was killed; end who is after `patience` seconds: it hangs.

    Only those are ended that are certainly workers in this store, on this machine. StoreError names the others.
    """
    until, ended, told = time.monotonic() + patience, False, False
    while others(store / WORKERS):
        if not told:
            said(LEFT_OVER)
            told = True
        if time.monotonic() > until:
            notes = _read(store)
            ours = [note for note in notes if _is_certain(store, note)]
            if ended or not ours:
                raise StoreError(_still_there(store, notes))
            for note in ours:
                with suppress(OSError):
                    os.kill(note.pid, signal.SIGKILL)
                said(f"process {note.pid}, a worker of a run that was killed, hung and was ended ({note.task})")
            until, ended = time.monotonic() + GRACE, True
        time.sleep(POLL)
    shutil.rmtree(_notes(store), ignore_errors=True)


def _still_there(store: Path, notes: list[Worker]) -> str:
    lock = lock_of(store / WORKERS)
    who = [f"process {note.pid} on {note.host} ({note.task})" for note in notes]
    one = f"one of these may be it: {'; '.join(who)}" if who else f"`fuser {lock}` may tell which"
    return f"{store}: a worker of a run that was killed still holds {lock}, and cannot be ended from here: {one}"


def _notes(store: Path) -> Path:
    return store / f".{WORKERS}"


def _read(store: Path) -> list[Worker]:
    found = []
    for path in sorted(_notes(store).glob("*")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(path.read_text())
            found.append(Worker(str(told["host"]), int(told["pid"]), str(told["process"]), str(told["task"])))
    return found


def _is_certain(store: Path, note: Worker) -> bool:
    """Whether the process of a note is the one that wrote it, and has the lock open now; the store may be anyone's."""
    if not note.process or note.process != _process(note.pid):
        return False
    try:
        lock = lock_of(store / WORKERS).stat()
        return any(os.path.samestat(lock, open_file.stat()) for open_file in Path(f"/proc/{note.pid}/fd").iterdir())
    except OSError:  # it has ended or closed a file just now, or is another user's
        return False


def _process(pid: int) -> str:
    """Name a process as no other ever is: by boot, namespace, number and the moment it began; nothing without /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{boot} {Path('/proc/self/ns/pid').readlink()} {pid} {began}"
    except (OSError, IndexError):
        return ""
