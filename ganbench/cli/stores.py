"""Finding a suite in a store."""

from __future__ import annotations

from ganbench.registry import unknown
from ganbench.store import Store, StoreError


def suite_of(store: Store, asked: str | None) -> str:
    """Return the suite asked for, or the one that ran last; StoreError says what the store has instead."""
    found = store.suites()
    if not found:
        raise StoreError(f"{store.root} holds no results: `ganbench run SUITE --store {store.root}` makes some")
    if asked is not None and asked not in found:
        raise StoreError(f"{store.root}: {unknown('suite', asked, found)}")
    return asked or found[0]
