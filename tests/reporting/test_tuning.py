"""What the report says of tuning."""

from __future__ import annotations

import json
import math

import pytest

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting.contents import contents
from ganbench.reporting.frame import load
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.ranking import rankings
from ganbench.reporting.tuning import TunedSubject, verdict, with_tuning, write_tuning_report
from ganbench.reporting.wording import MINUS, NOTHING
from ganbench.stats import Interval, t_interval
from ganbench.stats.budgets import expected_best
from ganbench.store import Store


def subject(objective: str, trials: list[float | None], **measured: Interval) -> TunedSubject:
    labels = {name: f"{objective} ({name})" for name in measured}
    settings = "g_lr=0.01" if "tuned" in measured else ""
    return TunedSubject(objective, "ring8", "fid_final", "lower", trials, measured, labels, settings)


TUNED = [
    subject(
        "hinge", [4.0, 1.0, None, 1.05], default=t_interval([3.0, 4.0, 5.0, 4.0, 4.5]), tuned=t_interval([1.0, 2.0])
    ),
    subject("wgan", [None, None, None, None], default=t_interval([3.0, 4.0])),
]


@pytest.fixture
def store(tmp_path) -> Store:
    held, rows = Store(tmp_path / "runs"), []
    for place, name in enumerate(("hinge (default)", "hinge (tuned)", "wgan (default)")):
        key = f"{place:016x}"
        held.write_training(key, {}, Status("completed", 10), [{"step": 10, "d_loss": 1.0}])
        held.write_scores(key, "e" * 16, Scores("p" * 16, {}, {"fid": "lower"}, ({"step": 10, "fid": 2.0},)), None)
        rows.append(Listed(key, "e" * 16, name, "mlp", "ring8", 5, {"g_lr": 0.1}))
    held.write_suite(SuiteRecord("s-tune", tuple(rows), datasets={"ring8": {"headline": "fid"}}))
    return held


def test_a_section_on_tuning_comes_first(store):
    frame = load(store, "s-tune")
    ranked = rankings(frame)
    held = with_tuning(contents(frame, ranked), frame, TUNED)
    section, *others = held.sections
    assert section.heading == "Tuning" and [one.slug for one in others] == [r.slug for r in ranked]
    assert section.facts == "2 studies · 4 trials of each"
    worth, budget, region = (block.parts[0] for block in section.blocks)
    assert isinstance(worth, Table) and isinstance(budget, Figure) and isinstance(region, Table)
    assert [row[3:] for row in worth.rows] == [
        ("4.10 (3.18 to 5.02), n = 5", NOTHING, f"1.50 ({MINUS}4.85 to 7.85), n = 2", "2.60", "g_lr=0.01"),
        (f"3.50 ({MINUS}2.85 to 9.85), n = 2", NOTHING, NOTHING, NOTHING, "no feasible trial"),
    ]
    assert [row[2:] for row in region.rows] == [
        ("4", "25 %", "50 %", "1.00", "1.05"),
        ("4", "100 %", NOTHING, NOTHING, NOTHING),
    ]
    assert tuple(budget.data["score"]) == pytest.approx(expected_best(TUNED[0].trials, "lower"))
    assert 'data-o="1"' in budget.svg


def test_the_verdict_counts_gains_and_names_what_never_trained():
    assert verdict(TUNED) == (
        "On fresh seeds the tuned settings have a better mean than the suite's own in 1 of 2. "
        "No trial was feasible of wgan on ring8."
    )


def test_the_report_is_a_page_with_the_section_and_its_numbers(store, tmp_path):
    page = write_tuning_report(store, "s-tune", TUNED, tmp_path / "report")
    assert "What tuning is worth" in page.read_text() and "hinge (tuned)" in page.read_text()
    told = json.loads((tmp_path / "report" / "summary.json").read_text())["tuning"]
    assert told[0]["trials"] == [4.0, 1.0, None, 1.05] and told[0]["measured"]["tuned"]["mean"] == 1.5
    assert told[1]["measured"].keys() == {"default"} and not math.isnan(told[1]["measured"]["default"]["mean"])
    assert (tmp_path / "report" / "figures" / "budget-ring8.svg").exists()
