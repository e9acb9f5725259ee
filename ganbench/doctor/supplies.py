"""Data and weights: what is there, whether it can be read, and what `ganbench fetch` would get."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ganbench.doctor.finding import Finding, listed, nearest, sized
from ganbench.needs import Need, State, everything, files, look

FETCH = "`ganbench fetch` with the suite's file gets it ahead, where there is a network"


def data(needs: Sequence[Need] | None, data_root: Path, cache: Path) -> Iterator[Finding]:
    """Look at the data folder and at the datasets of a suite; where there is none (`needs` None), at every dataset."""
    yield _data_folder(data_root)
    wanted = [need for need in _all(needs) if need.extractor is None]
    found = {need.name: _dataset(need, data_root, cache) for need in wanted}
    yield from found.values() if needs is not None else _together("datasets", found)


def weights(needs: Sequence[Need] | None, data_root: Path, cache: Path) -> Iterator[Finding]:
    """Look at the extractors of a suite; where there is none (`needs` None), at all that take no training."""
    wanted = [need for need in _all(needs) if need.extractor and not (needs is None and need.trained)]
    found = {need.name: _extractor(need, data_root, cache) for need in wanted}
    yield from found.values() if needs is not None else _together("extractors", found)


def _together(what: str, found: Mapping[str, Finding]) -> Iterator[Finding]:
    """Name what is there on one line and what is not on another: nobody has asked for it; the rest is told in full."""
    ready = [name for name, finding in found.items() if finding.level == "ok"]
    absent = [name for name, finding in found.items() if finding.advice == FETCH]
    yield from (finding for name, finding in found.items() if name not in (*ready, *absent))
    yield Finding(what, "ok", f"ready: {', '.join(ready) or 'none'}")
    if absent:
        yield Finding(what, "note", f"not there: {', '.join(absent)}", "`ganbench fetch NAME` gets one")


def _all(needs: Sequence[Need] | None) -> Sequence[Need]:
    return everything()[0] if needs is None else needs


def _data_folder(root: Path) -> Finding:
    named = "GANBENCH_DATA" in os.environ
    if not root.exists():
        said = f"{root} is not there" + (", and GANBENCH_DATA names it" if named else ": the first download makes it")
        return Finding("data folder", "problem" if named else "ok", said, "set GANBENCH_DATA right" if named else "")
    if not os.access(root, os.R_OK | os.X_OK):
        return Finding("data folder", "problem", f"{root} may not be read", "ask for the right to, or name another one")
    writable = "" if os.access(root, os.W_OK) else " (read-only: nothing can be downloaded to it)"
    return Finding("data folder", "ok", f"{root}{writable}")


def _dataset(need: Need, data_root: Path, cache: Path) -> Finding:
    what = f"data {need.name}"
    return _looked(what, need, data_root, cache, lambda state: _present(what, need, state, data_root, cache))


def _extractor(need: Need, data_root: Path, cache: Path) -> Finding:
    what = f"extractor {need.name}"

    def present(state: State) -> Finding:
        if state.missing and need.trained:
            return Finding(what, "note", state.missing, "the run trains it first; `ganbench fetch` does so ahead")
        if state.missing:
            return Finding(what, "problem", state.missing, FETCH)
        damaged = getattr(need.extractor.create(), "damaged", None) if need.extractor else None
        if damaged and (why := damaged(need.dataset, data_root, cache)):
            return Finding(what, "problem", why, "delete it and fetch it again")
        return _present(what, need, state, data_root, cache)

    return _looked(what, need, data_root, cache, present)


def _looked(what: str, need: Need, data_root: Path, cache: Path, say: Callable[[State], Finding]) -> Finding:
    try:
        return say(look(need, data_root, cache))
    except Exception as error:  # a plugin, or a file that is not what it should be, may raise anything
        return Finding(what, "problem", f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}")


def _present(what: str, need: Need, state: State, data_root: Path, cache: Path) -> Finding:
    if state.missing:
        return Finding(what, "problem", state.missing, FETCH)
    unreadable = [path for path in files(need, data_root, cache) if not _readable(path)]
    if unreadable:
        return Finding(what, "problem", f"cannot be read: {listed(unreadable)}", "ask for the right to read it")
    size = f", {sized(state.size)}" if state.size else ""
    place = f"{state.place}{size}" if state.place else "needs no files"
    return Finding(what, "ok", f"{state.told}; {place}" if state.told else place)


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def cache_folder(cache: Path) -> Finding:
    """Say whether the cache, which every run writes to, can be written."""
    place = nearest(cache)
    if os.access(place, os.W_OK | os.X_OK):
        return Finding("cache", "ok", f"{cache}" + ("" if cache.exists() else " (the first run makes it)"))
    return Finding("cache", "problem", f"{cache} cannot be written", "set GANBENCH_CACHE to a folder of your own")
