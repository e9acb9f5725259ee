"""The report: a store's results as a page, as text and as numbers; it reads the store alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ganbench.reporting.frame import load
from ganbench.reporting.page import page
from ganbench.reporting.ranking import rankings
from ganbench.reporting.summary import markdown, summary
from ganbench.store import Store


def write_report(store: Store, suite: str | None, out: Path) -> Path:
    """Write index.html, report.md, cells.csv and summary.json of a suite (None: the latest) to the folder `out`.

    Returns the path of index.html. Raises StoreError when the store has no such suite.
    """
    frame = load(store, suite)
    ranked = rankings(frame)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "cells.csv", frame.cells.to_csv(index=False))
    _write(
        out / "summary.json", json.dumps(summary(frame, ranked), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    )
    _write(out / "report.md", markdown(frame, ranked))
    return _write(out / "index.html", page(frame, ranked))


def _write(path: Path, text: str) -> Path:
    """Replace a file as a whole, so that a browser never reads half a page."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
        file.write(text)
    temporary = Path(file.name)
    temporary.chmod(0o644)
    temporary.replace(path)
    return path
