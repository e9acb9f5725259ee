"""The figure and the table of a search for several values."""

from __future__ import annotations

import json
import re

import pytest

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting import write_report
from ganbench.reporting.frame import load
from ganbench.reporting.parts import Figure, Table
from ganbench.reporting.tuning.front import FrontOf, front_blocks, front_figure
from ganbench.reporting.tuning.reading import Unreadable, kept
from ganbench.reporting.tuning.record import as_plain
from ganbench.reporting.tuning.section import section
from ganbench.reporting.wording import NOTHING
from ganbench.stats import Interval, t_interval
from ganbench.store import Store

LOST = Interval(float("nan"), float("nan"), float("nan"), 0, "no seed has a score")


def exact(value: float) -> Interval:
    return t_interval([value, value, value]).without_bounds("all the same")


def of_two(objective: str = "hinge") -> FrontOf:
    """Four trials, of which three are on the front of quality against diversity."""
    names = ("default", "front 1", "front 2")
    return FrontOf(
        objective,
        "ring8",
        ["fid_final", "modes_best"],
        ["lower", "higher"],
        [(1.0, 4.0), (2.0, 6.0), (3.0, 8.0), (3.5, 7.0)],
        [(1.0, 4.0), (2.0, 6.0), (3.0, 8.0)],
        {
            "default": (LOST, LOST),
            "front 1": (exact(1.2), t_interval([4.0, 5.0, 4.5])),
            "front 2": (exact(3.1), t_interval([8.0, 8.0, 7.0])),
        },
        {name: f"{objective} ({name})" for name in names},
        {"default": "", "front 1": "g_lr=0.01", "front 2": "g_lr=0.02"},
    )


def of_three() -> FrontOf:
    two = of_two("wgan")
    return FrontOf(
        "wgan",
        "ring8",
        ["fid_final", "modes_best", "cost"],
        ["lower", "higher", "lower"],
        [(*point, cost) for point, cost in zip(two.trials, (9e4, 8e4, 7e4, 6e4), strict=True)],
        [(*point, cost) for point, cost in zip(two.trials, (9e4, 8e4, 7e4, 6e4), strict=True)],
        {name: (*means, exact(8e4) if means[0].n else LOST) for name, means in two.measured.items()},
        two.labels,
        two.settings,
    )


@pytest.fixture
def store(tmp_path) -> Store:
    held, rows = Store(tmp_path / "runs"), []
    names = [f"{objective} ({name})" for objective in ("hinge", "wgan") for name in ("default", "front 1", "front 2")]
    for place, name in enumerate(names):
        key = f"{place:016x}"
        held.write_training(key, {}, Status("completed", 10), [{"step": 10, "d_loss": 1.0}])
        held.write_scores(key, "e" * 16, Scores("p" * 16, {}, {"fid": "lower"}, ({"step": 10, "fid": 2.0},)), None)
        rows.append(Listed(key, "e" * 16, name, "mlp", "ring8", 5, {"g_lr": 0.1}))
    data = {"ring8": {"headline": "fid", "titles": {"fid": "FID", "modes": "Modes covered"}}}
    held.write_suite(SuiteRecord("s-tune", tuple(rows), datasets=data))
    return held


def lines(svg: str) -> list[list[tuple[float, float]]]:
    """Return the corners of the fronts, which alone are of this width."""
    paths = re.findall(r'stroke-width="1.6"><path d="(M[^"]*)"', svg)
    return [[tuple(map(float, pair.split(","))) for pair in re.findall(r"[-\d.]+,[-\d.]+", path)] for path in paths]


def test_a_panel_has_all_trials_the_front_as_steps_and_what_was_measured_by_name(store):
    frame = load(store, "s-tune")
    figure = front_figure(frame, "ring8", [of_two()])
    assert isinstance(figure, Figure) and figure.name == "front-ring8"
    assert list(figure.data["what"]) == [
        *["trial"] * 4,
        *["on the front"] * 3,
        "default, fresh seeds",
        "front 1, fresh seeds",
        "front 2, fresh seeds",
    ]
    known = figure.data.set_index("what").loc["front 1, fresh seeds"]
    assert known["fid_final"] == pytest.approx(1.2) and known["modes_best"] == pytest.approx(4.5)
    assert known["modes_best_low"] < 4.5 < known["modes_best_high"]
    # Neither the lost default nor a bound that does not hold is drawn.
    assert ">1</text>" in figure.svg and ">2</text>" in figure.svg and ">default</text>" not in figure.svg
    assert "FID" in figure.svg and "Modes covered (best of a run)" in figure.svg
    assert 'data-o="1"' in figure.svg


def test_the_steps_go_where_what_they_cut_off_is_dominated(store):
    # More modes lie to the right and a lower FID below: between two trials one must give up FID to gain modes.
    (corners,) = lines(front_figure(load(store, "s-tune"), "ring8", [of_two()]).svg)
    assert len(corners) == 5
    (x0, y0), (x1, y1), (x2, y2) = corners[:3]
    assert x0 < x2 and y0 > y2  # the SVG's y grows downwards: FID grows with the modes
    assert (x1, y1) == (x0, y2)  # first up to the worse FID, then along: (x0 + a little, y0) cannot be had


def test_of_three_values_every_pair_has_a_panel_with_the_front_of_these_two(store):
    frame = load(store, "s-tune")
    figure = front_figure(frame, "ring8", [of_three()])
    assert ">Samples seen</text>" in figure.svg
    paths = lines(figure.svg)
    # FID against modes has three trials on its front, FID against cost all four, modes against cost two.
    assert sorted(len(corners) for corners in paths) == [3, 5, 7]


def test_the_block_has_the_figure_and_the_settings_along_the_front(store):
    frame = load(store, "s-tune")
    (found,) = front_blocks(frame, [of_two()])
    assert found.title == "FID against Modes covered (best of a run)"
    figure, table = found.parts
    assert isinstance(figure, Figure) and isinstance(table, Table)
    assert [row[:3] for row in table.rows] == [("hinge", "ring8", name) for name in ("default", "front 1", "front 2")]
    assert table.rows[0][3:] == (NOTHING, NOTHING, "0", NOTHING)
    assert table.rows[1][3] == "1.20" and table.rows[1][4].startswith("4.50 (3.26 to 5.74)")
    assert front_blocks(frame, []) == []


def of_front(made):
    """Return a study of which the first setting of the front stands for all, as far as one is shown."""
    two = of_two()
    names = {"default": "default", "tuned": "front 1"}
    return made.study(
        measured={name: two.measured[variant][0] for name, variant in names.items()},
        objectives={name: two.labels[variant] for name, variant in names.items()},
        centres={},
        front=two,
    )


def test_names_of_points_that_coincide_are_written_once(store):
    two = of_two()
    same = FrontOf(
        *(getattr(two, name) for name in ("objective", "dataset", "values", "better", "trials", "front")),
        {**two.measured, "front 2": two.measured["front 1"]},
        two.labels,
        two.settings,
    )
    figure = front_figure(load(store, "s-tune"), "ring8", [same])
    assert figure.svg.count(">1, 2</text>") == 1 and ">2</text>" not in figure.svg
    assert "cannot be had" not in figure.caption and "luck of the search" not in figure.caption


def test_maps_and_the_verdict_do_not_call_the_first_of_a_front_tuned(store, made):
    shown = section(load(store, "s-tune"), [of_front(made)])
    assert shown.verdict.startswith("On fresh seeds the front's best settings in its first value (front 1) have")
    (block,) = [each for each in shown.blocks if each.title == "Where good settings lie"]
    assert ">front 1</text>" in block.parts[0].svg and ">tuned</text>" not in block.parts[0].svg


@pytest.fixture
def written(store, made) -> Store:
    """The store, with what tuning left in it."""
    store.write_tuning("s-tune", {"version": 1, "studies": [as_plain(of_front(made))]})
    return store


def test_the_rest_of_the_section_goes_by_the_first_value_and_the_json_has_all(written, made, tmp_path):
    (read,) = kept(load(written, "s-tune"))
    assert as_plain(read) == as_plain(of_front(made))
    write_report(written, "s-tune", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "FID against Modes covered" in page and "Score against budget" in page
    (told,) = json.loads((tmp_path / "report" / "summary.json").read_text())["tuning"]
    assert told["front"]["front"] == [[1.0, 4.0], [2.0, 6.0], [3.0, 8.0]]
    assert told["front"]["measured"]["default"][0]["value"] is None
    assert told["front"]["measured"]["front 1"][1]["value"] == 4.5
    assert (tmp_path / "report" / "figures" / "front-ring8.svg").exists()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("values", ["fid_final"], "lacks values"),
        ("better", ["lower", "up"], "expected one of lower, higher"),
        ("trials", [[1.0]], "lacks values"),
        ("front", [[1.0, "much"]], "expected a number"),
        ("labels", {"front 1": "hinge (front 1)"}, "lacks values"),
        ("labels", {"default": "hinge (default)"}, "without a name"),
        ("measured", {}, "without a name"),
        ("settings", [], "expected an object"),
    ],
)
def test_a_front_that_somebody_damaged_is_not_shown(store, made, name, value, said):
    told = as_plain(of_front(made))
    told["front"][name] = value
    store.write_tuning("s-tune", {"version": 1, "studies": [told]})
    with pytest.raises(Unreadable, match=said):
        kept(load(store, "s-tune"))


def test_where_no_trial_is_feasible_there_is_no_figure(store):
    none = FrontOf("hinge", "ring8", ["fid_final", "cost"], ["lower", "lower"], [], [], {}, {"default": "x"}, {})
    assert front_figure(load(store, "s-tune"), "ring8", [none]) is None
