"""Messages between machines that see the same store: files that one side writes and the other reads.

    STORE/mail/RUN/head      touched every two seconds by the process that leads the run; `stop` is written in it when
                             all are to keep what they have and stop
    STORE/mail/RUN/N.jsonl   what the worker of task N says, one JSON object per message

Times are compared as the file system has them: the clocks of the machines may differ. Files are opened anew to be read,
since NFS asks its server then, and may otherwise answer from what it knew a minute ago.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ganbench.execution.messages import Message

FOLDER = "mail"
STOP = "stop"
EVERY = 2.0  # seconds between two signs of life, of the head and of each worker
SILENT = 60.0  # seconds without one, after which the other side is taken to be gone


@dataclass
class Box:
    """The messages of one task, of which every one is read once."""

    path: Path
    _read: int = 0

    def post(self, message: Message) -> None:
        """Add a message, in one write."""
        with self.path.open("ab", buffering=0) as file:
            file.write(json.dumps(asdict(message)).encode() + b"\n")

    def read(self) -> list[Message]:
        """Return the messages that are new; half a line waits for its other half."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read += len(whole) + len(newline)
        return [Message(**json.loads(line)) for line in whole.splitlines()]


class Room:
    """The folder of a run's mail, kept by its head."""

    def __init__(self, store: Path) -> None:
        """Make the folder, in a store that all machines see."""
        self.folder = store / FOLDER / uuid.uuid4().hex[:12]
        self.folder.mkdir(parents=True)
        self._made, self._beat = 0, 0.0
        self.beat()

    def box(self) -> Box:
        """Return a new box."""
        self._made += 1
        return Box(self.folder / f"{self._made}.jsonl")

    def beat(self) -> None:
        """Show that the head lives, unless that was done just now."""
        if time.monotonic() - self._beat >= EVERY:
            self._beat = time.monotonic()
            (self.folder / "head").touch()

    def stop(self) -> None:
        """Ask all workers to keep what they have, and to stop."""
        (self.folder / "head").write_text(STOP)

    def close(self) -> None:
        """Throw the mail away."""
        shutil.rmtree(self.folder, ignore_errors=True)  # a worker that was cancelled may still write


def is_to_stop(box: Box) -> bool:
    """Say whether a worker is asked to stop, or its head is gone; the box must have been written to just now."""
    try:
        with box.path.with_name("head").open() as head:
            silent = box.path.stat().st_mtime - os.fstat(head.fileno()).st_mtime
            return head.read() == STOP or silent > SILENT
    except FileNotFoundError:
        return True  # the whole room is gone


def end_others(store: Path, waiting: Callable[[], None], poll: float = 1.0) -> None:
    """Stop the workers of runs whose head was killed, and wait until they are silent.

    What they have stored, up to now, is new to who has looked before. `waiting` is called where there is one to wait
    for. Only for who holds the lock of the store: the heads of these runs are gone.
    """
    rooms = [folder for folder in (store / FOLDER).glob("*") if folder.is_dir()]
    for room in rooms:
        (room / "head").write_text(STOP)
    told = False
    for room in rooms:
        while _at_work(room):
            if not told:
                waiting()
                told = True
            time.sleep(poll)
        shutil.rmtree(room, ignore_errors=True)


def _at_work(room: Path) -> bool:
    clock = room / "clock"
    clock.touch()
    now = clock.stat().st_mtime
    return any(now - path.stat().st_mtime < SILENT and not _ended(path) for path in room.glob("*.jsonl"))


def _ended(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
        last = file.read().splitlines()[-1:]
    try:
        return bool(last) and json.loads(last[0])["kind"] in ("done", "left")
    except (ValueError, KeyError, TypeError):
        return False
