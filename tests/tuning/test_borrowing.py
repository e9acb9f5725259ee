"""Settings found on one dataset and measured on another, and what the store keeps of it all for the report."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from ganbench.reporting.frame import load
from ganbench.reporting.tuning.reading import kept
from ganbench.store import Store
from ganbench.tuning.borrowing import loans
from ganbench.tuning.telling import tuned_subject


@pytest.fixture
def two(alone_text: str) -> str:
    """A suite of one objective on two datasets."""
    return alone_text.replace("[ring8]", "[ring8, grid25]").replace("trials: 3", "trials: 2")


def test_settings_of_the_other_dataset_are_measured_on_the_same_fresh_seeds(bench, two):
    done = bench.tune(two)
    for here, there in (done.findings, done.findings[::-1]):
        (one,) = here.borrowed
        assert one.loan.dataset == there.subject.row.dataset.label
        assert one.loan.settings == there.measured["tuned"].settings
        if one.loan.same:
            assert one.loan.settings == here.measured["tuned"].settings and not one.loan.rows
            continue
        assert [row.seed for row in one.loan.rows] == [5, 6, 7]
        theirs = [bench.scores(row, "fid")[-1] for row in one.loan.rows]
        own = [row for row in done.rows if row.dataset.label == here.subject.row.dataset.label]
        mine = [bench.scores(row, "fid")[-1] for row in own]
        assert one.mean.value == pytest.approx(statistics.fmean(theirs))
        differences = [a - b for a, b in zip(theirs, mine, strict=True)]
        assert one.regret.value == pytest.approx(statistics.median(differences)) and one.regret.n == 3
    assert not all(finding.borrowed[0].loan.same for finding in done.findings)


def test_equal_settings_and_one_dataset_cost_nothing(bench, two, alone_text):
    settings = {"g_lr": 1e-3, "d_steps": 2}
    assert loans(bench.plan(alone_text).subjects, [settings], range(5, 8)) == [[]]
    made = bench.plan(two)
    for (loan,) in loans(made.subjects, [settings, dict(settings)], range(5, 8)):
        assert loan.same and not loan.rows


def test_what_cannot_be_borrowed_is_said(bench, two):
    made = bench.plan(two)
    first, second = loans(made.subjects, [None, {"g_lr": 1e-3}], range(5, 8))
    assert first[0].rows and first[0].rows[0].objective.label == "minimax (tuned on grid25)"
    assert second[0].reason == "no trial was feasible there" and not second[0].rows
    (refused,), _ = loans(made.subjects, [{"g_lr": 1e-3}, {"g_lr": 1e-3, "batch_size": 10**9, "d_steps": 0}], [5])
    assert refused.reason.startswith("cannot be trained here: ") and not refused.rows


def test_settings_of_the_same_architecture_are_borrowed_and_several_others_are_no_answer(bench, two):
    ring, grid = bench.plan(two).subjects

    def by(label: str):
        return replace(grid, row=replace(grid.row, architecture=replace(grid.row.architecture, label=label)))

    mine, one, other = ring.row.architecture.label, {"g_lr": 1e-3}, {"g_lr": 1e-2}
    (alike,), *_ = loans([ring, by(mine), by("wide")], [one, other, one], [5])
    assert alike.settings == other
    (unclear,), *_ = loans([ring, by("deep"), by("wide")], [one, other, one], [5])
    assert unclear.reason == f"tuned there with several architectures, none of them {mine}"


def test_the_store_keeps_what_a_report_shows(bench, two):
    done = bench.tune(two)
    store = Store(bench.folder / "runs")
    wanted = [tuned_subject(finding, "tpe") for finding in done.findings]
    record = store.tuning("suite-tune")
    assert record is not None and len(record["studies"]) == 2
    # What the report reads is what was found; the run that lists the cells is not made by this test's trainer.
    frame = load(written(store, done), "suite-tune")
    found = kept(frame)
    assert [(each.objective, each.dataset, each.variants) for each in found] == [
        (each.objective, each.dataset, each.variants) for each in wanted
    ]
    assert [each.scores for each in found] == [each.scores for each in wanted]
    assert found[0].variants["tuned"] in [trial.settings for trial in found[0].trials]
    assert found[0].variants["default"] == {"d_steps": 1, "g_lr": 2e-4}
    assert [one.dataset for each in found for one in each.borrowed] == ["grid25", "ring8"]


def written(store: Store, done) -> Store:
    """List the reported cells, as a run does."""
    from ganbench.records import Listed, SuiteRecord

    rows = []
    for finding in done.findings:
        for name, measured in finding.measured.items():
            label = f"{finding.subject.row.objective.label} ({name})"
            rows += [
                Listed(row.cell.key, row.scoring.key, label, "mlp", row.dataset.label, row.seed, {"g_lr": 1.0})
                for row in finding.subject.rows(measured.settings, [5, 6, 7], label)
            ]
    store.write_suite(SuiteRecord("suite-tune", tuple(rows)))
    return store
