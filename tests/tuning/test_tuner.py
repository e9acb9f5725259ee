"""Tuning from a suite to its findings, on cells of four steps."""

from __future__ import annotations

import statistics
from collections import Counter
from pathlib import Path

import pytest

from ganbench.planning import Options, make_plan
from ganbench.reporting.tuning.record import settings_told
from ganbench.runner import Result
from ganbench.stats import mean_interval
from ganbench.store import Store
from ganbench.suite.errors import SuiteError
from ganbench.tuning.choosing import chosen
from ganbench.tuning.search import Incomplete
from ganbench.tuning.telling import found_told, tuned_subject
from ganbench.tuning.tuner import make_tune_plan
from ganbench.tuning.writing import write_tuned_suite

SUITES = Path(__file__).parents[2] / "suites"


def test_every_objective_gets_the_same_number_of_trials_and_fresh_seeds_are_fresh(finished):
    bench, done = finished
    assert [len(finding.tried) for finding in done.findings] == [3, 3]
    assert all(len(trial.scores) == 2 for finding in done.findings for trial in finding.tried)
    # Two batches of the search, the candidates, and what is reported.
    assert bench.trainer.plans == [8, 4, 18, 15]
    # The search has the seeds 0 and 1, the candidates and the suite's own settings 2 to 4, and the report 5 to 7:
    # default twice, recommended once, tuned twice.
    cells = [Store(bench.folder / "runs").cell(key) for key in bench.trainer.cells]
    assert Counter(cell["seed"] for cell in cells) == {0: 6, 1: 6, 2: 6, 3: 6, 4: 6, 5: 5, 6: 5, 7: 5}
    for finding in done.findings:
        assert finding.measured["tuned"].settings in [trial.settings for trial in finding.tried]
        assert {measured.mean.n for measured in finding.measured.values()} == {3}
    # Hinge is a loss, whose source recommends nothing.
    assert [set(finding.measured) for finding in done.findings] == [
        {"default", "tuned"},
        {"default", "recommended", "tuned"},
    ]


def test_what_is_reported_is_what_the_store_has_of_the_fresh_seeds(finished):
    bench, done = finished
    mine = [row for row in done.rows if row.objective.label == "hinge (tuned)"]
    assert [row.seed for row in mine] == [5, 6, 7]
    assert done.findings[0].measured["tuned"].mean == mean_interval([bench.scores(row, "fid")[-1] for row in mine])


def test_the_winner_among_the_candidates_is_best_on_seeds_that_the_search_never_saw(bench, alone_text):
    text = alone_text.replace("k: 2", "k: 3")
    (finding,) = bench.tune(text).findings
    means = {}
    for trial in finding.tried:
        rows = bench.plan(text).subjects[0].rows(trial.settings, range(2, 5))
        means[statistics.fmean(bench.scores(row, "fid")[-1] for row in rows)] = trial.settings
    assert len(means) == 3 and finding.measured["tuned"].settings == means[min(means)]


def test_the_suites_own_settings_are_what_is_found_where_no_trial_beats_them(bench, alone_text):
    text = alone_text.replace("g_lr: {log: [1e-4, 1e-1]}", "g_lr: {log: [1.0e+3, 1.0e+4]}").replace("[1, 2]", "[3, 4]")
    done = bench.tune(text)
    (finding,) = done.findings
    assert all(trial.feasible for trial in finding.tried)
    assert finding.measured["tuned"].settings == {}
    assert finding.measured["tuned"].mean == finding.measured["default"].mean
    assert found_told(finding).endswith("the suite's own settings, which no trial beats")
    path, entries = written(bench, text, done)
    assert "tuned: " in path.read_text() and {entry.state for entry in entries} == {"done"}
    shown = tuned_subject(finding, "tpe")
    assert shown.variants["tuned"] == shown.variants["default"] and not shown.beyond
    # The search alone decides where it is told to.
    (alone,) = bench.tune(text.replace("k: 2", "k: 1")).findings
    assert alone.measured["tuned"].settings in [trial.settings for trial in finding.tried]


def test_what_is_said_of_settings_is_whole(bench, alone_text):
    text = alone_text.replace("[minimax]", "[wgan]").replace("g_lr: {log: [1e-4, 1e-1]}", "beta1: {float: [0, 0.9]}")
    text = text.replace(
        "d_steps: {choice: [1, 2]}", "ema: {choice: [0.9999, 0.99]}\n    g_lr: {log: [1.0e-4, 1.0e+30]}"
    )
    (finding,) = bench.tune(text, trials=6, sampler="random").findings
    shown = tuned_subject(finding, "random")
    assert shown.beyond["recommended"] == {"optimiser": "rmsprop", "d_lr": 5e-5, "batch_size": 64}
    assert set(shown.variants["recommended"]) == {"ema", "g_lr"}  # RMSprop reads no beta1
    assert "ema=0.9999" in settings_told(shown.trials[0].settings) or "ema=0.99," in settings_told(
        shown.trials[0].settings
    )
    assert all(trial.drawn for trial in shown.trials)
    lost = sum("diverged" in trial.lost for trial in finding.tried)
    assert lost and found_told(finding).endswith(f"\n  infeasible: diverged ({lost})")


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.9999, "0.9999"), (0.00123456789, "0.00123"), (0.99876543, "0.99877"), (64.0, "64"), (1e-5, "1e-05"), (5, "5")],
)
def test_a_value_is_said_so_that_it_is_told_from_others(value, said):
    assert settings_told({"x": value}) == f"x={said}"


def test_a_finished_study_trains_nothing_again_and_more_trials_go_on_from_it(bench, alone_text):
    first = bench.tune(alone_text)
    trained = len(bench.trainer.cells)
    assert bench.tune(alone_text).findings == first.findings
    assert len(bench.trainer.cells) == trained
    more = bench.tune(alone_text, trials=5)
    assert more.findings[0].tried[:3] == first.findings[0].tried and len(more.findings[0].tried) == 5


def test_an_interrupted_search_ends_as_one_that_was_not(finished, bench):
    _, whole = finished
    for stop in (1, 9, 20, 30):
        bench.trainer.stop_after = stop
        with pytest.raises(KeyboardInterrupt):
            bench.tune()
    bench.trainer.stop_after = None
    found = [(each.tried, each.measured) for each in bench.tune().findings]
    assert found == [(each.tried, each.measured) for each in whole.findings]
    assert len(bench.trainer.cells) == len(set(bench.trainer.cells)) == 45


def test_a_setting_that_diverges_is_infeasible_and_is_never_recommended(bench, alone_text):
    text = alone_text.replace("g_lr: {log: [1e-4, 1e-1]}", "g_lr: {choice: [1.0e-3, 1.0e+30]}")
    (finding,) = bench.tune(text, sampler="random", seed=1, trials=4).findings
    assert 0 < finding.infeasible < 4
    assert all(trial.feasible == (trial.settings["g_lr"] == 1e-3) for trial in finding.tried)
    assert {why for trial in finding.tried for why in trial.lost} == {"diverged"}
    assert finding.measured["tuned"].settings["g_lr"] == 1e-3


def test_settings_that_cannot_be_trained_are_infeasible_with_the_reason(bench, alone_text):
    text = alone_text.replace("[minimax]", "[{loss: minimax, techniques: [packing], label: packed}]")
    text = text.replace("d_steps: {choice: [1, 2]}", "m: {choice: [2, 5]}")
    (finding,) = bench.tune(text, sampler="random", trials=4).findings
    assert [trial.feasible for trial in finding.tried] == [trial.settings["m"] == 2 for trial in finding.tried]
    assert {why for trial in finding.tried for why in trial.lost} == {
        "cannot be trained: packing: a batch of 16 samples cannot be divided into packs of 5"
    }


def test_a_batch_whose_cells_get_no_result_stops_the_search_and_the_next_one_goes_on(bench, alone_text):
    with pytest.raises(Incomplete, match="a worker broke"):
        bench.tune(alone_text, lambda _: Result(errors=["a worker broke"]))
    assert len(bench.tune(alone_text).findings[0].tried) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  trials:", "  objective: fad_final\n  trials:", r"suite\.yaml:9: objective: unknown value .*'fid_final'"),
        ("  trials:", "  objective: fid_last\n  trials:", r"suite\.yaml:9: .*did you mean 'fid_"),
        ("batch_size: 16", "batch_size: [8, 16]", r"suite\.yaml:8: the suite sweeps batch_size"),
        ("metrics: [fid, modes]", "metrics: []", r"suite\.yaml:8: ring8: scores are switched off"),
    ],
)
def test_what_cannot_be_tuned_is_said_with_its_line_before_anything_trains(bench, suite_text, old, new, said):
    with pytest.raises(SuiteError, match=said):
        bench.plan(suite_text.replace(old, new))
    assert not (bench.folder / "runs").exists()


def test_a_value_without_more_is_that_of_the_last_step_and_either_direction_can_be_asked_for(bench, alone_text):
    def subject(lines: str):
        return bench.plan(alone_text.replace("  trials:", f"{lines}\n  trials:"))

    short, long = (subject(f"  objective: {name}") for name in ("modes", "modes_final"))
    assert short.subjects[0].aims == long.subjects[0].aims and short.subjects[0].better == "higher"
    assert short.subjects[0].identity(short.tune) == long.subjects[0].identity(long.tune)
    names = [aim.name for aim in subject("  objective: [fid, modes_best]").subjects[0].aims]
    assert names == ["fid_final", "modes_best"]
    done = bench.tune(alone_text.replace("  trials:", "  direction: higher\n  objective: fid\n  trials:"))
    (finding,) = done.findings
    assert finding.subject.better == "higher" and finding.measured["tuned"].mean.n == 3
    worst = max(finding.tried, key=lambda trial: trial.mean)
    assert chosen(finding.tried, "higher", lambda _: 0.0, 1) == [worst]


def test_a_batch_is_trained_in_as_few_cohorts_as_its_shapes_allow(bench, alone_text):
    text = alone_text.replace("trials: 3", "trials: 8").replace("batch: 2", "batch: 8").replace("[fid, modes]", "[fid]")
    cohorts = []

    def train(plan):
        cohorts.append([cohort.cells for cohort in plan.cohorts])
        return bench.trainer(plan)

    (finding,) = bench.tune(text, train).findings
    shapes = {trial.settings["d_steps"] for trial in finding.tried}
    assert len(cohorts[0]) == len(shapes) == 2  # one per number of D steps: 16 cells
    assert sum(map(len, cohorts[0])) == 16
    for cells in cohorts[0]:
        assert len({cell.train.d_steps for cell in cells}) == 1 and {cell.seed for cell in cells} == {0, 1}


def test_a_suite_without_the_section_is_told_what_is_missing(bench, suite_text):
    with pytest.raises(SuiteError, match=r"suite\.yaml: there is no `tune` section"):
        bench.plan(suite_text.partition("tune:")[0])


def test_the_value_that_is_tuned_for_may_be_the_best_of_a_run_and_higher(bench, alone_text):
    done = bench.tune(alone_text.replace("  trials:", "  objective: modes_best\n  trials:"), trials=1)
    assert done.findings[0].subject.better == "higher"
    best = [max(bench.scores(row, "modes")) for row in done.rows]
    assert len(bench.scores(done.rows[0], "modes")) == 2
    assert done.findings[0].measured["tuned"].mean.value == pytest.approx(statistics.fmean(best))


def written(bench, text: str, done, store: str = "runs"):
    made, path = bench.plan(text), bench.folder / "suite.tuned.yaml"
    write_tuned_suite(path, made.plan.suite, done.findings, done.rows)
    return path, make_plan(path, Options(bench.folder / store, device="cpu", workers=1)).entries


def test_the_written_suite_is_the_cells_that_were_reported(finished, suite_text):
    bench, done = finished
    path, entries = written(bench, suite_text, done)
    wanted = sorted((row.cell.key, row.scoring.key) for row in done.rows)
    assert sorted((entry.planned.cell.key, entry.planned.scoring.key) for entry in entries) == wanted
    assert {entry.state for entry in entries} == {"done"}
    told = path.read_text()
    assert told.startswith("# Written by `ganbench tune`, from the suite suite.")
    assert f"tuned: {done.findings[0].measured['tuned'].mean.value:.4g}" in told
    assert not list(bench.folder.glob(".*draft*"))


def test_what_was_tuned_on_one_dataset_with_one_network_is_written_for_these_alone(bench, suite_text):
    text = suite_text.replace("datasets: [ring8]", "datasets: [ring8, {dataset: {ring8: {}}, label: again}, grid25]")
    text = text.replace(
        "{choice: [1, 2]}", "{int: [1, 2]}\n    d_norm: {choice: [none, batch]}\n    beta1: {float: [0, 0.9]}"
    )
    made = bench.plan(text)
    tunings = [{"d_norm": ("none", "batch")[place % 2], "g_lr": 0.1 / (place + 1)} for place in range(6)]
    cells = [one.rows(each, [4, 5]) for one, each in zip(made.subjects, tunings, strict=True)]

    class Done:
        findings = ()
        rows = tuple(row for rows in cells for row in rows)

    _, entries = written(bench, text, Done)
    wanted = sorted((row.cell.key, row.scoring.key) for row in Done.rows)
    assert sorted((entry.planned.cell.key, entry.planned.scoring.key) for entry in entries) == wanted


def test_nothing_is_written_where_no_trial_was_feasible(bench, alone_text):
    text = alone_text.replace("g_lr: {log: [1e-4, 1e-1]}", "g_lr: {choice: [1.0e+30, 2.0e+30]}")
    done = bench.tune(text, trials=1)
    assert set(done.findings[0].measured) == {"default"} and done.findings[0].infeasible == 1
    with pytest.raises(SuiteError, match="no trial was feasible"):
        written(bench, text, done)


@pytest.mark.parametrize(("name", "studies", "names"), [("tune", 3, 3), ("lucic2018", 6, 4)])
def test_the_suites_that_come_with_it_can_be_tuned(bench, name, studies, names):
    made = make_tune_plan(SUITES / f"{name}.yaml", Options(bench.folder / "runs", device="cpu", workers=1))
    assert len(made.subjects) == studies and {len(subject.ranges) for subject in made.subjects} >= {names}
    for subject in made.subjects:  # the whole space can be had, from end to end
        for end in (0, -1):
            (row,) = subject.rows({each.name: each.ends[end] for each in subject.ranges}, [0])
            assert not row.skipped
