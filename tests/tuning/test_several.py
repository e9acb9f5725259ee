"""Several values at once: what is searched, which settings stand for the front, and what is refused."""

from __future__ import annotations

import statistics

import pytest
from typer.testing import CliRunner

from ganbench.cli import app
from ganbench.planning import Options, make_plan
from ganbench.stats.fronts import pareto_front
from ganbench.store import Store
from ganbench.studies import read_studies
from ganbench.suite.errors import SuiteError
from ganbench.tuning.choosing import Tried, front, spread_over
from ganbench.tuning.telling import found_told, headings, rows_told, tuned_subject
from ganbench.tuning.writing import write_tuned_suite

THREE = "  objective: [fid_final, modes_final, cost]\n  trials:"
BETTER = ["lower", "higher", "lower"]


@pytest.fixture(scope="session")
def several_text(alone_text) -> str:
    """One objective, tuned for quality, diversity and cost."""
    return alone_text.replace("  trials:", THREE).replace("trials: 3", "trials: 8")


def tried(number: int, *means: float, lost: tuple[str, ...] = (), **settings: float) -> Tried:
    first, *further = means
    return Tried(number, settings or {"x": number}, (first,), lost, further=tuple((one,) for one in further))


def test_the_front_is_of_feasible_trials_the_best_of_the_first_value_first_and_equal_ones_count_once():
    trials = [
        tried(0, 3.0, 8.0),
        tried(1, 1.0, 5.0),
        tried(2, 0.5, 9.0, lost=("diverged",)),
        tried(3, 2.0, 5.0),  # no better than the second in any value
        tried(4, 1.0, 5.0),
        tried(5, 2.0, 6.0),
        tried(6, 2.0, 6.0),
        Tried(7, {"x": 7}, (0.1,), (), 5, ((9.0,),)),  # pruned
        tried(8, 1.0, 7.0, x=1),  # the settings of the second, which was there first
    ]
    assert [trial.number for trial in front(trials, ["lower", "higher"])] == [1, 5, 0]
    assert front([trials[2]], ["lower", "higher"]) == []


def test_a_few_stand_for_a_long_front_by_their_order():
    found = [tried(number, float(number), float(number)) for number in range(9)]
    assert [trial.number for trial in spread_over(found, 3)] == [0, 4, 8]
    assert [trial.number for trial in spread_over(found, 1)] == [0]
    assert [trial.number for trial in spread_over(found[:2], 3)] == [0, 1]


@pytest.fixture(scope="module")
def searched(tmp_path_factory, several_text, bench_in):
    bench = bench_in(tmp_path_factory.mktemp("several"))
    return bench, bench.tune(several_text)


def test_settings_along_the_front_are_measured_on_fresh_seeds(searched):
    bench, done = searched
    (finding,) = done.findings
    assert len(finding.tried) == 8 and all(len(trial.means) == 3 for trial in finding.tried)
    points = [trial.means for trial in finding.tried]
    on_it = {points[place] for place in pareto_front(points, BETTER)}
    along = spread_over(front(finding.tried, BETTER), 2)
    assert {trial.means for trial in along} <= on_it and along[0].mean == min(point[0] for point in on_it)
    assert list(finding.measured) == ["default", *[f"front {place}" for place in range(1, len(along) + 1)]]
    assert [each.settings for each in finding.found.values()] == [trial.settings for trial in along]
    for name, measured in finding.found.items():
        mine = [row for row in done.rows if row.objective.label == f"minimax ({name})"]
        assert [row.seed for row in mine] == [5, 6, 7]  # neither the search nor a choice saw them
        fid, modes, cost = (mean.value for mean in measured.means)
        assert fid == pytest.approx(statistics.fmean(bench.scores(row, "fid")[-1] for row in mine))
        assert modes == pytest.approx(statistics.fmean(bench.scores(row, "modes")[-1] for row in mine))
        assert cost == (measured.settings["d_steps"] + 1) * 16 * 4
    # The seeds on which one best setting would have been chosen are not trained: there is no one best.
    seeds = {Store(bench.folder / "runs").cell(key)["seed"] for key in bench.trainer.cells}
    assert seeds == {0, 1, 5, 6, 7}


def test_it_goes_on_like_any_other_search(searched, several_text):
    bench, done = searched
    trained = len(bench.trainer.cells)
    assert bench.tune(several_text).findings == done.findings and len(bench.trainer.cells) == trained
    with pytest.raises(SuiteError, match="made by another suite"):
        bench.tune(several_text.replace("[fid_final, modes_final, cost]", "[fid_final, cost]"))
    with pytest.raises(SuiteError, match="made by another suite"):
        bench.tune(several_text.replace("[fid_final, modes_final, cost]", "fid_final"))


def test_one_value_in_a_list_is_the_search_that_one_value_is(bench, alone_text):
    plain, listed = (
        bench.plan(alone_text.replace("  trials:", f"  objective: {told}\n  trials:")).subjects[0]
        for told in ("fid_final", "[fid_final]")
    )
    tune = bench.plan(alone_text).tune
    assert plain.identity(tune) == listed.identity(tune) == bench.plan(alone_text).subjects[0].identity(tune)


def test_what_is_told_and_kept_of_it_has_every_value_by_name(searched):
    bench, done = searched
    (finding,) = done.findings
    assert headings(done.findings) == (
        "objective",
        "dataset",
        "settings",
        "fid_final",
        "modes_final",
        "cost",
        "infeasible",
    )
    rows = rows_told(finding)
    assert [row[2] for row in rows] == list(finding.measured)
    assert rows[1][3].startswith(f"{finding.measured['front 1'].mean.value:.4g}") and rows[1][-1] == "0 of 8"
    told = found_told(finding)
    assert "(fid_final, lower is better; modes_final, higher is better; cost, lower is better):" in told
    assert "\n  front 1: d_steps=" in told
    (study,) = read_studies(Store(bench.folder / "runs"), "suite-tune").studies
    assert list(study.values.items()) == [("fid_final", "lower"), ("modes_final", "higher"), ("cost", "lower")]
    assert study.trials[0].scores.keys() == study.values.keys() == study.measured["front 1"].means.keys()
    # The rest of the report goes by the first value, for which the first of the front stands.
    shown = tuned_subject(finding, "tpe")
    assert shown.value == "fid_final" and shown.measured["tuned"] == finding.measured["front 1"].mean
    assert shown.objectives["tuned"] == "minimax (front 1)" and len(shown.trials) == 8
    assert len(shown.front.front) == len(front(finding.tried, BETTER))


def test_the_written_suite_has_the_whole_of_what_was_measured_along_the_front(searched, several_text):
    bench, done = searched
    path = bench.folder / "tuned.yaml"
    write_tuned_suite(path, bench.plan(several_text).plan.suite, done.findings, done.rows)
    entries = make_plan(path, Options(bench.folder / "runs", device="cpu", workers=1)).entries
    wanted = sorted((row.cell.key, row.scoring.key) for row in done.rows)
    assert sorted((entry.planned.cell.key, entry.planned.scoring.key) for entry in entries) == wanted
    assert {entry.planned.objective.label for entry in entries} == {row.objective.label for row in done.rows}
    text = path.read_text()
    assert (
        "front 1: fid_final " in text and "; cost " in text and "at most 2 are written" in " ".join(text.split("\n# "))
    )


def test_a_seed_that_lacks_one_of_the_values_makes_a_trial_infeasible(bench, several_text):
    text = several_text.replace("g_lr: {log: [1e-4, 1e-1]}", "g_lr: {choice: [1.0e-3, 1.0e+30]}")
    (finding,) = bench.tune(text, sampler="random", seed=1, trials=6).findings
    assert 0 < finding.infeasible < 6
    assert all(trial.feasible == (trial.settings["g_lr"] == 1e-3) for trial in finding.tried)
    assert {each.settings["g_lr"] for each in finding.found.values()} == {1e-3}


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "gp"])
def test_samplers_search_for_several_values_with_infeasible_trials_among_others(bench, several_text, tmp_path, sampler):
    from ganbench.tuning.at_work import Presence
    from ganbench.tuning.study import Study, open_storage

    made = bench.plan(several_text, sampler=sampler, trials=14)
    study = Study(open_storage(tmp_path / "s.journal"), "s", made.tune, made.subjects[0], Presence(tmp_path))
    for number in range(14):
        (asked,) = study.ask(1)
        fate = [
            ([1.0, 2.0], [], [(7.0, 128.0), (8.0, 128.0)]),
            ([1.0], ["diverged"], [(7.0, 128.0)]),
            ([], ["diverged"], []),
        ]
        study.tell(asked, *fate[number % 3])
    found = study.tried()
    assert len({trial.settings["g_lr"] for trial in found}) == 14
    assert found[0].means == (1.5, 7.5, 128.0) and found[0].feasible
    assert [trial.feasible for trial in found] == [number % 3 == 0 for number in range(14)]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("modes_final", "fid_final", 9, "fid_final is listed twice"),
        ("modes_final", "train_seconds", 9, "whatever else runs on a machine enters its seconds"),
        ("[fid_final, modes_final, cost]", "[cost, fid_final]", 9, "cost comes after a score"),
        ("[fid_final, modes_final, cost]", "cost", 9, "cost comes after a score"),
        ("modes_final", "mode_final", 9, "did you mean 'modes_final'"),
        ("d_steps: {choice: [1, 2]}", "d_lr: {log: [1e-4, 1e-1]}", 9, "cost: no setting in the space of minimax"),
        ("  batch: 2", "  sampler: cmaes", 11, "sampler: cmaes searches for one value"),
        ("  batch: 2", "  direction: lower", 11, "each has its own"),
        ("  batch: 2", "  prune: {by: halving}", 11, "prune: of several objectives there is no one best"),
    ],
)
def test_what_several_values_cannot_have_is_refused_with_its_line(bench, several_text, old, new, line, said):
    with pytest.raises(SuiteError, match=rf"suite\.yaml:{line}: .*{said}"):
        bench.plan(several_text.replace(old, new))


def test_a_sampler_on_the_command_line_is_refused_as_one_in_the_suite(bench, several_text, monkeypatch):
    (bench.folder / "suite.yaml").write_text(several_text)
    monkeypatch.setattr("ganbench.execution.fork_server.start", lambda *_: None)
    monkeypatch.chdir(bench.folder)
    done = CliRunner().invoke(app, ["tune", "suite.yaml", "--sampler", "cmaes"], env={"COLUMNS": "160", "TERM": "dumb"})
    assert done.exit_code == 2 and "--sampler: cmaes searches for one value" in done.output
