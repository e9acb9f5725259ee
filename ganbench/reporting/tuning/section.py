"""What the report of `ganbench tune` has before all else: its worth, its budget, the width of the good region."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ganbench.reporting.contents import Contents, contents
from ganbench.reporting.exports import write_exports, write_text
from ganbench.reporting.frame import Frame, load
from ganbench.reporting.page import rendered
from ganbench.reporting.parts import block, choice
from ganbench.reporting.ranking import rankings
from ganbench.reporting.sections import Section
from ganbench.reporting.summary import markdown, summary
from ganbench.reporting.tuning.budget import budget_figure
from ganbench.reporting.tuning.record import TunedSubject, as_json, gain
from ganbench.reporting.tuning.tables import region_table, worth_table
from ganbench.reporting.wording import count, joined
from ganbench.store import Store


def write_tuning_report(store: Store, suite: str, tuned: Sequence[TunedSubject], out: Path) -> Path:
    """Write the report of a suite's tuning to the folder `out`, as `write_report` does; returns the path of its page.

    What tuning came to is its first section, and `tuning` in summary.json.
    """
    frame = load(store, suite)
    ranked = rankings(frame)
    out.mkdir(parents=True, exist_ok=True)
    held = with_tuning(contents(frame, ranked), frame, tuned)
    told = {**summary(frame, ranked), "tuning": [as_json(each) for each in tuned]}
    write_text(out / "cells.csv", frame.cells.to_csv(index=False))
    write_text(out / "summary.json", json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(out / "report.md", markdown(frame, ranked))
    write_exports(held, out, pdf=False)
    return write_text(out / "index.html", rendered(frame, ranked, held))


def with_tuning(held: Contents, frame: Frame, tuned: Sequence[TunedSubject]) -> Contents:
    """Return what a report holds with the section on tuning at its start."""
    lines = [
        (dataset, budget_figure(frame, dataset, tuned)) for dataset in dict.fromkeys(each.dataset for each in tuned)
    ]
    blocks = [
        *block("What tuning is worth", worth_table(tuned)),
        *block("Score against budget", choice("Dataset", lines)),
        *block("How wide the good region is", region_table(tuned)),
    ]
    trials = sorted({len(each.trials) for each in tuned})
    facts = f"{count(len(tuned), 'study', 'studies')} \u00b7 {joined([str(n) for n in trials])} trials of each"
    section = Section("Tuning", "tuning", "", verdict(tuned), facts, (), tuple(blocks))
    return replace(held, sections=(section, *held.sections))


def verdict(tuned: Sequence[TunedSubject]) -> str:
    """Say in a sentence or two where tuning gained anything on fresh seeds."""
    able = [each for each in tuned if "tuned" in each.measured and each.measured["default"].n]
    gained = [each for each in able if gain(each) > 0]
    said = (
        f"On fresh seeds the tuned settings have a better mean than the suite's own in {len(gained)} of {len(tuned)}."
    )
    without = [f"{each.objective} on {each.dataset}" for each in tuned if "tuned" not in each.measured]
    return f"{said} No trial was feasible of {joined(without)}." if without else said
