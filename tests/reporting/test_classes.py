"""The per-class section: means over seeds, the best of each class, and nothing where no class was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganbench.reporting import write_report
from ganbench.reporting.classes import SHOWN, class_scores
from ganbench.reporting.frame import load
from ganbench.reporting.ranking import rankings
from ganbench.store import Store


def rows(*pairs: tuple[float | None, float | None]) -> list[dict[str, float | None]]:
    return [
        {"class": name, "fid": fid, "accuracy": accuracy, "samples": 200, "real": 140}
        for name, (fid, accuracy) in enumerate(pairs)
    ]


@pytest.fixture
def told(builder) -> Store:
    """Two contenders that are told a class, with a seed of each that did not complete, and one that is not."""
    for seed in range(2):
        builder.add("r3gan", "digits", seed, quality=0.9, per_class=rows((1.0 + seed, 0.9), (8.0, 0.5), (None, 1.0)))
        builder.add(
            "hinge", "digits", seed, quality=0.8, per_class=rows((3.0, 0.7 + 0.2 * seed), (4.0, 0.9), (5.0, 0.2))
        )
        builder.add("minimax", "digits", seed, quality=0.7)
    builder.add("hinge", "digits", 2, "diverged", per_class=rows((900.0, 0.0), (900.0, 0.0), (900.0, 0.0)))
    return builder.write()


def test_means_over_completed_seeds_with_the_best_of_each_class(told: Store):
    frame = load(told)
    (ranking,) = rankings(frame)
    found = class_scores(frame, ranking)
    assert [title for title, _ in found.tables] == ["FID", "Accuracy"]
    fid, accuracy = (table for _, table in found.tables)
    assert fid.headings == accuracy.headings == ("Contender", "Seeds", "Mean", "Worst", "0", "1", "2")
    star = " \u2605"
    assert {row[0]: row[1:] for row in fid.rows} == {
        "r3gan": ("2", "4.75", "8.00", "1.50" + star, "8.00", "\u2013"),
        "hinge": ("2", "3.50" + star, "4.00" + star, "3.00", "4.00" + star, "5.00"),
    }
    assert {row[0]: row[1:] for row in accuracy.rows} == {
        "r3gan": ("2", "80 %" + star, "50 %" + star, "90 %" + star, "50 %", "100 %" + star),
        "hinge": ("2", "63 %", "20 %", "80 %", "90 %" + star, "20 %"),
    }
    assert "lower is better" in fid.caption and "higher is better" in accuracy.caption


def test_the_order_and_the_colours_are_those_of_the_ranking(told: Store):
    frame = load(told)
    (ranking,) = rankings(frame)
    order = [s.contender for s in ranking.standings if s.contender != "minimax"]
    for _, table in class_scores(frame, ranking).tables:
        assert [row[0] for row in table.rows] == order == list(table.objectives)


def test_the_page_the_text_and_the_summary_have_it(told: Store, tmp_path: Path):
    folder = write_report(told, None, tmp_path / "out").parent
    page, text = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "report.md"))
    assert page.count("<h3>Per class</h3>") == text.count("### Per class") == 1
    assert "FID and Accuracy by contender and class" in page
    assert "| r3gan | 2 | 4.75 | 8.00 | 1.50 \u2605 | 8.00 | \u2013 |" in text
    found = json.loads((folder / "summary.json").read_text())["datasets"]["digits"]["per_class"]
    assert found.keys() == {"r3gan", "hinge"}
    first = found["r3gan"][0]
    assert (first["class"], first["fid"]["value"], first["fid"]["n"]) == (0, 1.5, 2)
    assert found["r3gan"][2]["fid"] == {"value": None, "low": None, "high": None, "n": 0}


def test_without_such_scores_there_is_no_such_section(varied: Store, tmp_path: Path):
    folder = write_report(varied, None, tmp_path / "out").parent
    for name in ("index.html", "report.md", "summary.json"):
        text = (folder / name).read_text(encoding="utf-8")
        assert "Per class" not in text and "per_class" not in text


def test_a_value_that_nobody_knows_has_no_table_and_a_lone_contender_no_mark(builder):
    builder.add("hinge", "digits", 0, per_class=rows((3.0, None), (4.0, None)))
    frame = load(builder.write())
    ((_, table),) = class_scores(frame, rankings(frame)[0]).tables
    assert table.rows == (("hinge", "1", "3.50", "4.00", "3.00", "4.00"),)


def test_of_very_many_classes_the_worst_are_shown(builder):
    for objective in ("hinge", "r3gan"):
        builder.add(objective, "digits", 0, per_class=rows(*((float(name % 50), 0.5) for name in range(100))))
    frame = load(builder.write())
    fid, accuracy = (table for _, table in class_scores(frame, rankings(frame)[0]).tables)
    expected = [str(name) for name in range(100) if name % 50 >= 50 - SHOWN // 2]
    assert list(fid.headings[4:]) == list(accuracy.headings[4:]) == expected
    assert f"The {SHOWN} worst of 100 classes." in fid.caption
    assert fid.rows[0][2].startswith("24.5")
