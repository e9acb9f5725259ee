"""Charts are drawn beside the report, and what goes wrong there is told."""

import json

import pytest

from ganbench.reporting import studio

CHART = {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}


def test_a_chart_becomes_svg():
    assert studio.draw(json.dumps(CHART)).result(60).startswith("<svg")


def test_a_chart_that_vega_refuses_says_why_and_the_next_is_drawn():
    with pytest.raises(studio.DrawingError, match="Vega-Lite to SVG conversion failed"):
        studio.draw(json.dumps({**CHART, "mark": "no such mark"})).result(60)
    assert studio.draw(json.dumps(CHART)).result(60).startswith("<svg")


def test_a_process_that_was_killed_is_replaced(monkeypatch: pytest.MonkeyPatch):
    started = []
    begin = studio._started
    monkeypatch.setattr(studio, "_started", lambda: started.append(begin()) or started[-1])
    monkeypatch.setattr(studio._mine, "process", None, raising=False)
    assert studio._drawn(json.dumps(CHART)).startswith("<svg")
    started[0].kill()
    started[0].wait()
    assert studio._drawn(json.dumps(CHART)).startswith("<svg")
    assert len(started) == 2
    studio._end(started[1])


def test_a_process_that_dies_while_it_draws_is_told_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(studio, "CODE", "import sys; sys.stdin.readline(); sys.exit(3)")
    monkeypatch.setattr(studio._mine, "process", None, raising=False)
    with pytest.raises(studio.DrawingError, match="ended with exit code 3"):
        studio._drawn(json.dumps(CHART))
