"""The report: a store's results as a page, as text and as numbers; it reads the store alone."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from ganbench.reporting.contents import contents
from ganbench.reporting.exports import write_exports, write_text
from ganbench.reporting.frame import load
from ganbench.reporting.page import rendered
from ganbench.reporting.ranking import rankings
from ganbench.reporting.studio import ready
from ganbench.reporting.summary import markdown, summary
from ganbench.reporting.tuning import tuning
from ganbench.store import Store


def write_report(store: Store, suite: str | None, out: Path, pdf: bool = False) -> Path:
    """Write the report of a suite (None: the latest) to the folder `out`; returns the path of its page.

    The page is index.html; beside it are report.md, cells.csv, summary.json, and the folders `figures` (SVG and CSV,
    with `pdf` also PDF) and `tables` (LaTeX). What `ganbench tune` came to is its first section. Raises StoreError when
    the store has no such suite.
    """
    with pd.option_context("mode.string_storage", "python"):  # names one by one take half the time of Arrow's
        return _write(store, suite, Path(out), pdf)


def _write(store: Store, suite: str | None, out: Path, pdf: bool) -> Path:
    ready()
    frame = load(store, suite)
    ranked, tuned = rankings(frame), tuning(frame)
    # Their figures are drawn while what follows is written.
    held = contents(frame, ranked, () if tuned is None else (tuned.section,))
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "cells.csv", frame.cells.to_csv(index=False))
    told = summary(frame, ranked) | ({"tuning": tuned.summary} if tuned is not None else {})
    write_text(out / "summary.json", json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(out / "report.md", markdown(frame, ranked, "" if tuned is None else tuned.markdown))
    write_exports(held, out, pdf)
    return write_text(out / "index.html", rendered(frame, ranked, held))
