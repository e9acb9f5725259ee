"""What the report says of tuning."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ganbench.reporting.frame import Frame, load
from ganbench.reporting.parts import Choice, Figure, Part, Table
from ganbench.reporting.sections import Section
from ganbench.reporting.tuning.section import section, verdict
from ganbench.reporting.wording import NOTHING
from ganbench.stats.budgets import expected_best, median_best


@pytest.fixture(scope="module")
def frame(keep, made) -> Frame:
    return load(keep(made.studies()), made.suite)


@pytest.fixture(scope="module")
def shown(frame, made) -> Section:
    return section(frame, made.studies())


def parts(shown: Section, title: str) -> list[Part]:
    return next(list(block.parts) for block in shown.blocks if block.title == title)


def chosen(part: Part, name: str) -> Figure:
    assert isinstance(part, Choice)
    return next(option for title, option in part.options if title == name and isinstance(option, Figure))


def test_it_asks_one_question_after_the_other(shown):
    assert [block.title for block in shown.blocks] == [
        "What tuning is worth",
        "Another dataset's settings",
        "Score against budget",
        "How wide the good region is",
        "Which parameters matter",
        "Where good settings lie",
    ]
    assert shown.facts == "4 studies · 12 trials of each · sampler tpe"


def test_default_and_tuned_settings_stand_side_by_side_with_the_gain(shown):
    (worth,) = parts(shown, "What tuning is worth")
    assert isinstance(worth, Table) and worth.caption.startswith("Final FID (lower is better) on fresh seeds")
    assert worth.headings[:6] == ("Contender", "Dataset", "Mean", "Gain", "Centre", "95 % interval")
    first, second, *_, last = worth.rows
    assert first[:7] == ("hinge (default)", "ring8", "4.10", NOTHING, "4.00", "3.00 to 5.00", "5")
    assert second[:7] == ("hinge (tuned)", "ring8", "1.34", "2.76", "1.20", "1.00 to 2.00", "5")
    assert first[7] == "d_lr=0.001, d_steps=1, g_lr=0.05" and second[7].startswith("d_lr=0.00215, d_steps=1")
    assert last[:7] == ("wgan (default)", "grid25", "3.50", NOTHING, "3.50", NOTHING, "2")
    assert worth.objectives[:2] == ("hinge (default)", "hinge (tuned)")
    assert worth.caption.endswith("No trial was feasible of wgan on grid25.")


def test_what_is_the_same_of_all_is_in_the_caption(frame, made):
    (worth,) = parts(section(frame, [made.study()]), "What tuning is worth")
    assert isinstance(worth, Table) and "(n = 5)" in worth.caption
    assert worth.headings == ("Contender", "Mean", "Gain", "Centre", "95 % interval", "Values")


def test_the_verdict_counts_gains_in_mean_and_median_and_names_what_never_trained(made):
    assert verdict(made.studies()) == (
        "On fresh seeds the tuned settings have a better mean than the suite's own in 3 of 4, and a better median in "
        "3. No trial was feasible of wgan on grid25."
    )
    shares = replace(made.study(), better="higher")
    assert verdict([shares]) == "On fresh seeds the tuned settings have a better mean than the suite's own in 0 of 1."


def test_the_verdict_says_where_the_suites_own_settings_are_kept(made):
    study = made.study()
    kept = replace(study, variants={**study.variants, "tuned": study.variants["default"]})
    assert "In 1 no trial beats the suite's own settings, which are kept." in verdict([study, kept])


def test_the_verdict_names_the_widest_good_region_where_it_is_more_than_one_trial(made):
    one, other = made.study(), made.study("wgan")
    best = one.best
    assert best is not None
    alike = [trial if trial.number != 5 else replace(trial, score=best.score) for trial in one.trials]
    assert verdict([one, replace(other, trials=alike)]).endswith(
        "The widest good region has wgan: 17 % of its trials are within 10 % of its best, 0.100."
    )


def test_the_budget_has_the_median_best_with_its_bounds_open_where_trials_are_too_few(shown, made):
    (choice,) = parts(shown, "Score against budget")
    drawn = chosen(choice, "ring8")
    mine = drawn.data[drawn.data["objective"] == "hinge (tuned)"]
    scores = made.study().scores
    assert mine["reached"].dropna().tolist() == [one.value for one in median_best(scores, "lower") if one.value < 9]
    assert mine["expected"].tolist() == pytest.approx(expected_best(scores, "lower"))
    assert mine["low"].isna().tolist() == [False] * 2 + [True] * 10  # twelve trials bound a search of two at most
    assert "Lourie" in drawn.caption and "<svg" in drawn.svg
    assert len(choice.options if isinstance(choice, Choice) else ()) == 2


def test_the_good_region_is_divided_and_said_to_be_of_the_trials(shown, frame, made):
    drawn, table = parts(shown, "How wide the good region is")
    assert isinstance(drawn, Figure) and isinstance(table, Table)
    counts = drawn.data[drawn.data["study"] == "hinge on ring8"].set_index("kind")["trials"].to_dict()
    assert counts == {"within 10 % of the best": 1, "other": 8, "pruned": 1, "infeasible": 2}
    assert table.rows[0][2:6] == ("12", "17 %", "8.3 %", "8.3 %")
    assert "not of the space" in drawn.caption and "not of the space" in table.caption
    assert table.rows[0][6:] == (NOTHING, "0.100", "0.350", "diverged (2)")  # nothing is known of how they were drawn

    def drawn_in(first: int) -> Table:
        drawn = [[replace(trial, drawn=trial.number < first) for trial in each.trials] for each in made.studies()]
        changed = [replace(each, trials=trials) for each, trials in zip(made.studies(), drawn, strict=True)]
        return parts(section(frame, changed), "How wide the good region is")[1]

    assert "evenly from the space, so these" in drawn_in(12).caption
    assert drawn_in(12).rows[0][6] == "0 % (0 % to 28 %)"  # of the eleven others
    assert "after 8 trials drawn at random" in drawn_in(8).caption and drawn_in(8).rows[0][6] == "0 % (0 % to 37 %)"


def test_two_networks_are_told_apart_wherever_an_objective_is_named(keep, made):
    both = [made.study(), made.study(architecture="deep")]
    frame = load(keep(both[:1]), made.suite)
    shown = section(frame, both)
    (worth,), (_, region) = parts(shown, "What tuning is worth"), parts(shown, "How wide the good region is")
    assert (
        worth.headings[:2] == ("Contender", "Network") and [row[1] for row in worth.rows] == ["mlp"] * 2 + ["deep"] * 2
    )
    assert region.headings[2] == "Network" and [row[2] for row in region.rows] == ["mlp", "deep"]
    (budget,) = parts(shown, "Score against budget")
    assert ">hinge by mlp</text>" in budget.svg and ">hinge by deep</text>" in budget.svg
    assert set(parts(shown, "Which parameters matter")[0].data["objective"]) == {"hinge by mlp", "hinge by deep"}


def test_settings_beyond_the_space_are_among_the_values_of_a_variant(frame, made):
    beyond = {"tuned": {"optimiser": "rmsprop", "ema": 0.9999}}
    (worth,) = parts(section(frame, [made.study(beyond=beyond)]), "What tuning is worth")
    assert worth.rows[1][-1].endswith(", optimiser=rmsprop, ema=0.9999") and "rmsprop" not in worth.rows[0][-1]


def test_without_an_importance_the_learning_rates_come_first_and_none_is_called_important(frame, made):
    unknown = [replace(each, importance=None, chance=None) for each in made.space]
    space = (replace(unknown[1], name="beta1", kind="float", ends=(0.0, 0.9)), *unknown)
    tried = [replace(one, settings={**one.settings, "beta1": 0.5}) for one in made.trials()]
    drawn, slices, lines = parts(
        section(frame, [made.study(parameters=space, trials=tried)]), "Where good settings lie"
    )
    assert list(drawn.data.columns[:3]) == ["d_lr", "g_lr", "d_steps"]
    for figure in (slices, lines):
        assert "the learning rates first" in figure.caption and "important" not in figure.caption


def test_large_scores_are_written_with_powers_of_ten(frame, made):
    large = [
        replace(one, score=None if one.score is None else one.score * 10.0 ** (2 * one.number)) for one in made.trials()
    ]
    shown = section(frame, [made.study(trials=large)])
    figures = [parts(shown, "Score against budget")[0], *parts(shown, "Where good settings lie")]
    assert all("0,000,000" not in figure.svg for figure in figures) and ">1e+8</text>" in figures[0].svg
    assert parts(shown, "How wide the good region is")[1].rows[0][-3:-1] == ("725\u2009000", "2.25e13")


def test_ground_of_pruned_and_of_infeasible_trials_differs(shown):
    drawn = chosen(parts(shown, "Where good settings lie")[0], "hinge on ring8")
    assert "dark grey where one lost a seed (crosses), light grey where one was pruned" in drawn.caption
    assert "#6a6a6a" in drawn.svg and "#9a9a9a" in drawn.svg


def test_importance_says_what_is_no_more_than_chance(shown):
    (choice,) = parts(shown, "Which parameters matter")
    drawn = chosen(choice, "ring8")
    assert drawn.data[drawn.data["objective"] == "hinge"]["parameter"].tolist() == ["g_lr", "d_lr", "d_steps"]
    assert drawn.data[drawn.data["objective"] == "hinge"]["more than chance"].tolist() == [True, False, False]
    grid = chosen(choice, "grid25")
    assert set(grid.data["objective"]) == {"hinge"} and "Nothing can be said of wgan" in grid.caption


def test_slices_show_every_trial_those_without_a_score_at_the_worse_edge(shown, made):
    slices = chosen(parts(shown, "Where good settings lie")[1], "hinge on ring8")
    counts = slices.data["mark"].value_counts().to_dict()
    assert counts == {"trial": 9, "infeasible trial": 2, "pruned trial": 1, "best trial": 1, "default": 1, "tuned": 1}
    lost = slices.data[slices.data["mark"].isin(["infeasible trial", "pruned trial"])]
    assert (
        lost["score"].nunique() == 1
        and lost["score"].min() > slices.data[slices.data["mark"] == "trial"]["score"].max()
    )
    assert "2 infeasible (at the edge) and 1 pruned (at the edge)" in slices.caption
    best = slices.data[slices.data["mark"] == "best trial"].iloc[0]
    assert best["score"] == min(score for score in made.study().scores if score is not None)
    assert "trial 0: infeasible (diverged), d_lr=" in slices.svg


def test_a_map_has_a_panel_for_each_value_of_d_steps_and_the_two_learning_rates(shown):
    drawn = chosen(parts(shown, "Where good settings lie")[0], "hinge on ring8")
    assert list(drawn.data.columns[:3]) == ["g_lr", "d_lr", "d_steps"]
    assert "d_steps = 1" in drawn.svg and "d_steps = 5" in drawn.svg
    # Where no trial has a score there is no map: the others are there.
    assert [title for title, _ in parts(shown, "Where good settings lie")[0].options] == [
        "hinge on ring8",
        "wgan on ring8",
        "hinge on grid25",
    ]


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (["d_steps", "g_lr"], ["g_lr", "d_steps"]),
        (["d_lr", "g_lr"], ["g_lr", "d_lr"]),
        (["d_lr", "d_steps"], ["d_lr", "d_steps"]),
    ],
)
def test_fewer_parameters_make_one_plane(frame, names, axes, made):
    space = tuple(each for each in made.space if each.name in names)
    drawn = parts(section(frame, [made.study(parameters=space)]), "Where good settings lie")[0]
    assert isinstance(drawn, Figure) and list(drawn.data.columns[:2]) == axes
    assert "<svg" in drawn.svg


def test_one_parameter_has_slices_and_no_map(frame, made):
    drawn = parts(section(frame, [made.study(parameters=made.space[:1])]), "Where good settings lie")
    assert [part.name for part in drawn if isinstance(part, Figure)] == ["slices-hinge", "parallel-hinge"]


def test_parallel_coordinates_end_lines_without_a_score_below_the_scale(shown):
    drawn = chosen(parts(shown, "Where good settings lie")[2], "hinge on ring8")
    assert list(drawn.data.columns) == ["kind", "line", "g_lr", "d_lr", "d_steps", "FID"]
    assert drawn.data[drawn.data["kind"] != "complete"]["FID"].dropna().tolist() == [pytest.approx(4.1)]  # the default
    assert "dashed: infeasible and dotted: pruned" in drawn.caption and "stroke-dasharray" in drawn.svg


def test_regret_is_told_with_its_interval_or_with_why_there_is_none(shown):
    drawn, table = parts(shown, "Another dataset's settings")
    assert isinstance(drawn, Figure) and isinstance(table, Table)
    told = {(row[0], row[1], row[2]): row[5:] for row in table.rows}
    assert told["hinge", "grid25", "ring8"] == ("1.84, n = 5", "0.500 (0.400 to 0.600), n = 5")
    assert told["hinge", "ring8", "grid25"] == (NOTHING, "the same settings")
    assert told["wgan", "grid25", "ring8"] == (NOTHING, "no trial was feasible there")
    assert told["wgan", "ring8", "grid25"] == ("1.84, n = 5", NOTHING)
    assert set(drawn.data["objective"]) == {"hinge"}


def test_one_dataset_has_nothing_to_borrow(frame, made):
    shown = section(frame, [made.study()])
    assert "Another dataset's settings" not in [block.title for block in shown.blocks]


def test_scores_of_both_signs_have_no_tenth_of_the_best(frame, made):
    moved = [replace(trial, score=None if trial.score is None else trial.score - 0.5) for trial in made.trials()]
    shown = section(frame, [made.study(trials=moved)])
    assert parts(shown, "How wide the good region is")[1].rows[0][5] == NOTHING


def test_any_report_of_the_suite_has_the_section_first_and_needs_neither_torch_nor_optuna_nor_mlflow(
    keep, tmp_path: Path, made
):
    store, out = keep(made.studies()[::2]), tmp_path / "report"
    code = f"""
import sys
from pathlib import Path
from ganbench.reporting import write_report
from ganbench.store import Store
write_report(Store(Path({str(store.root)!r})), None, Path({str(out)!r}))
print(sorted({{"torch", "optuna", "mlflow"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
    page = (out / "index.html").read_text()
    assert 0 < page.index("What tuning is worth") < page.index("Mean ranks")
    told = json.loads((out / "summary.json").read_text())["tuning"]
    assert told[0]["trials"][0] == {
        "number": 0,
        "settings": made.trials()[0].settings,
        "score": None,
        "state": "infeasible",
        "lost": ["diverged"],
        "drawn": False,
    }
    written = (out / "report.md").read_text()
    assert written.index("## Tuning") < written.index("## Outcomes") and "### How wide the good region is" in written
    assert "the same settings" in written
    figures = {path.name for path in (out / "figures").iterdir()}
    assert {"budget-ring8.svg", "good-region.csv", "regret.svg", "map-hinge-on-ring8.svg"} <= figures
    assert (out / "tables" / "tuning-what-tuning-is-worth.tex").read_text().startswith("%")
