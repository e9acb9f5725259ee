"""What `benchmarks/searches.py` says of a search, on cells of four steps."""

from __future__ import annotations

import importlib
import math
import statistics
from pathlib import Path

import pytest


@pytest.fixture
def searches(bench, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    module = importlib.import_module("searches")
    monkeypatch.setattr(module, "train", lambda cells, _: bench.trainer(cells))
    return module


def test_the_settings_found_are_measured_on_seeds_that_no_search_has_seen(bench, alone_text, searches):
    (finding,) = bench.tune(alone_text).findings
    made = bench.plan(alone_text)
    found = searches.Search(made, made.subjects[0], finding.tried)
    assert found.best.mean == min(trial.mean for trial in finding.tried)
    assert found.found == finding.measured["tuned"].settings
    rows = made.subjects[0].rows(found.found, searches.FRESH)
    again = found.again()
    assert again == statistics.median(bench.scores(row, "fid")[-1] for row in rows) and math.isfinite(again)
