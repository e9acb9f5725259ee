"""One process at a time: a lock that the kernel takes back when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_waits: list[int] = []  # the locks that this process waits for


@contextmanager
def alone(target: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
    """Wait until no other process is making `target`, and let none begin before the end of the block.

    `waiting` is called where there is one; the block is told whether there was.
    The lock is an empty hidden file beside the target, which stays: removing it would let two processes hold two
    files of one name. Where nothing can be locked (a read-only folder, a file system or a system without locks) the
    block runs at once: at worst the same thing is made twice.
    """
    handle = _opened(target)
    if handle is None:
        yield False
        return
    try:
        yield _waited(handle, waiting)
    finally:
        os.close(handle)  # which gives the lock back


@contextmanager
def together(target: Path) -> Iterator[None]:
    """Keep others from being `alone` with `target` until the end of the block, but no one from being there as well."""
    handle = _opened(target)
    try:
        if handle is not None:
            _share(handle)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _opened(target: Path) -> int | None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return os.open(lock_of(target), os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None


def _share(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    with suppress(OSError):  # NFS without a lock daemon
        fcntl.flock(handle, fcntl.LOCK_SH)


def _waited(handle: int, waiting: Callable[[], None]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waiting()
        _waits.append(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        finally:
            _waits.remove(handle)
        return True
    except OSError:  # NFS without a lock daemon
        return False
    return False


def waits() -> bool:
    """Say whether this process is waiting for its turn, in whichever thread."""
    return bool(_waits)


def lock_of(target: Path) -> Path:
    """Return the file that is locked."""
    return target.with_name(f".{target.name}.lock")


def others(target: Path) -> bool:
    """Say whether another process is `alone` or `together` with `target` now; False where nothing can be locked."""
    handle = _opened(target)
    if handle is None:
        return False
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):  # Windows, or NFS without a lock daemon
        return False
    finally:
        os.close(handle)
    return False


def held(target: Path) -> bool:
    """Say whether a process that is alive is `alone` with `target`, or has been and nothing tells that it ended.

    False where no process ever was. Where nothing can be locked, the answer is yes.
    """
    path = lock_of(target)
    if not path.exists():
        return False
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    handle = _opened(target)
    if handle is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # someone has it, or NFS without a lock daemon
        return True
    finally:
        os.close(handle)
    return False
