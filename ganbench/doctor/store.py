"""A store: whether a run can write and lock there, and what of it is damaged or half written."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ganbench.doctor.finding import Finding, listed, nearest
from ganbench.store import CHECKPOINT, Store, StoreError

TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}|tmp[a-z0-9_]{8}")  # as tempfile names what is not whole yet


def store(held: Store) -> Iterator[Finding]:
    """Say whether the store's folder can be used, what is in it, and what of that cannot be read."""
    yield from _folder(held.root)
    if not held.root.is_dir():
        return
    cells = sorted(path for path in (held.root / "cells").glob("*") if path.is_dir())
    suites = held.suites()
    trained = [path for path in cells if (path / "status.json").exists()]
    of = f"; suites: {listed(suites, 5)}" if suites else ""
    yield Finding("store", "ok", f"{len(trained)} trained cells{of}")
    yield from _unfinished(cells)
    yield from _damaged(held, cells, suites)
    yield from _rubbish(held.root)
    links = [path.relative_to(held.root) for path in _links(held.root)]
    if links:
        advice = "what the link of a cell points to is read, and never changed or deleted"
        yield Finding("links", "note", f"{len(links)} in the store: {listed(links)}", advice)


def _folder(root: Path) -> Iterator[Finding]:
    place = nearest(root)
    if not place.is_dir():
        yield Finding("store folder", "problem", f"{place} is a file", "name another folder: --store DIR")
        return
    if why := unwritable(place):
        yield Finding("store folder", "problem", f"{place} cannot be written: {why}", "name another: --store DIR")
        return
    yield Finding("store folder", "ok", f"{root}" + ("" if root.exists() else " (the first run makes it)"))
    if why := unlockable(place):
        advice = "never start two runs in this store at once; or name a folder on another file system: --store DIR"
        yield Finding("store lock", "note", f"{place} has no locks ({why}): is it NFS without a lock daemon?", advice)


def unwritable(folder: Path) -> str:
    """Return why no file can be made in a folder; empty where one can, which is then removed again."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor.") as file:
            file.write(b"whether there is room for a few bytes")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def unlockable(folder: Path) -> str:
    """Return why no file can be locked in a folder; empty where one can."""
    try:
        import fcntl
    except ImportError:
        return "this system has none"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor.") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _unfinished(cells: list[Path]) -> Iterator[Finding]:
    open_ = [path for path in cells if not path.is_symlink() and not (path / "status.json").exists()]
    kept = [path for path in open_ if (path / CHECKPOINT).exists()]
    if kept:
        said = f"{len(kept)} unfinished cells with a checkpoint: {listed(path.name for path in kept)}"
        yield Finding("checkpoints", "note", said, "the same `ganbench run` goes on from there")
    half = [path for path in open_ if path not in kept and any(path.iterdir())]
    if half:
        said = f"{len(half)} half-written cells: {listed(path.name for path in half)}"
        yield Finding("half cells", "note", said, "the same `ganbench run` trains them anew")


def _damaged(held: Store, cells: list[Path], suites: list[str]) -> Iterator[Finding]:
    wrong = [(told, CELL) for path in cells for told in _wrong_with(path)]
    for name in suites:
        try:
            held.suite(name)
        except StoreError as error:
            wrong.append((str(error).split(";")[0], SUITE))
    for told, advice in wrong[:MOST]:
        yield Finding("damaged", "problem", told, advice)
    if len(wrong) > MOST:
        yield Finding("damaged", "problem", f"and {len(wrong) - MOST} files more", CELL)


CELL = "delete the cell's folder, and the same `ganbench run` makes it anew"
SUITE = "delete the file, and the same `ganbench run` makes it anew"
MOST = 5  # damaged files that are named


def _wrong_with(cell: Path) -> Iterator[str]:
    """Say what cannot be read of a cell: JSON, and the heads of the files of tensors."""
    from safetensors import SafetensorError, safe_open

    for path in (cell / "cell.json", cell / "status.json", *cell.glob("scores/*/scores.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                yield f"{path} is no JSON object"
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            yield f"{path}: {error}"
    for path in (cell / "snapshots.safetensors", cell / CHECKPOINT):
        try:
            with safe_open(path, "numpy"):
                pass
        except FileNotFoundError:
            continue
        except (OSError, SafetensorError) as error:
            yield f"{path}: {error}"


def _rubbish(root: Path) -> Iterator[Finding]:
    found = []
    for folder, _, names in os.walk(root):
        if "mlartifacts" not in Path(folder).parts:
            found += [Path(folder, name) for name in names if TEMPORARY.fullmatch(name)]
    if found:
        said = f"{len(found)} files of writes that did not end: {listed(path.relative_to(root) for path in found)}"
        yield Finding("leftovers", "note", said, "delete them while no run is at work there: nothing reads them")


def _links(root: Path) -> Iterator[Path]:
    for folder, inside, names in os.walk(root):  # which follows none
        yield from (path for name in (*inside, *names) if (path := Path(folder, name)).is_symlink())
