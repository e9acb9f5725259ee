"""From a suite to its cells: sweeps, overrides, keys, filters, and what the store makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ganbench.records import Scores, Status
from ganbench.store import Store
from ganbench.suite.cells import Scoring
from ganbench.suite.cohorts import Entry, look_up, pack
from ganbench.suite.errors import SuiteError
from ganbench.suite.expected import JOINING
from ganbench.suite.load import load_suite
from ganbench.suite.plan import Expansion, expand
from ganbench.suite.scoring_time import slow_scores


def plan(tmp_path: Path, text: str, *only: str, settings: tuple[str, ...] = (), seeds: int | None = None) -> Expansion:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    return expand(load_suite(path, settings, seeds), tmp_path / "data", tmp_path / "cache", only)


def keys(expansion: Expansion) -> list[str]:
    return [row.cell.key for row in expansion.planned if row.cell is not None]


def test_every_objective_meets_every_dataset_and_seed(tmp_path: Path) -> None:
    found = plan(tmp_path, "objectives: [hinge, wgan_gp]\ndatasets: [ring8, grid25, digits]\nseeds: 3\n")
    assert len(found.planned) == 2 * 3 * 3 == len(set(keys(found)))
    assert {row.architecture.label for row in found.planned if row.dataset.label == "digits"} == {"dcgan"}
    assert {row.architecture.label for row in found.planned if row.dataset.label == "ring8"} == {"mlp"}


def test_lists_are_swept_in_training_and_in_plugins(tmp_path: Path) -> None:
    text = """
objectives:
  - hinge: {margin: [0.5, 1.0]}
  - {loss: non_saturating, penalties: [{r1: {gamma: [0.1, 1.0, 10.0]}}], label: NS+R1}
datasets: [ring8]
train: {g_lr: [1e-4, 1e-3], betas: [[0.0, 0.9], [0.5, 0.999]]}
"""
    found = plan(tmp_path, text)
    assert len(found.planned) == (2 + 3) * 2 * 2
    assert {row.objective.label for row in found.planned} == {
        "hinge(margin=0.5)",
        "hinge(margin=1.0)",
        "NS+R1 (gamma=0.1)",
        "NS+R1 (gamma=1.0)",
        "NS+R1 (gamma=10.0)",
    }
    assert found.planned[0].swept == ("g_lr", "betas")


@pytest.mark.parametrize("where", ["suite", "override", "command line"])
def test_an_empty_list_of_metrics_switches_scores_off(tmp_path: Path, where: str) -> None:
    text, settings = "objectives: [hinge]\ndatasets: [{image_folder: {path: ., side: 8}}]\n", ()
    (tmp_path / "a.png").write_bytes(b"")
    text = text.replace("path: .", f"path: {tmp_path}")
    if where == "suite":
        text += "evaluate: {metrics: []}\n"
    elif where == "override":
        text += "overrides: [{match: {objective: hinge}, evaluate: {metrics: []}}]\n"
    else:
        settings = ("evaluate.metrics=[]",)
    found = plan(tmp_path, text, settings=settings)
    (row,) = found.planned
    assert row.scoring is not None and not row.scoring.wanted
    assert any("scores are switched off" in note for note in found.notes)
    # an extractor's weights are not asked for
    assert not any("Inception" in note for note in found.notes)


def test_metrics_in_between_are_the_headline_and_those_named(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets: [ring8]\nevaluate: {metrics: [modes, fid, coverage]}\n"

    def scoring(given: str) -> Scoring:
        (row,) = plan(tmp_path, text.replace("]}", f"], between: {given}}}") if given else text).planned
        assert row.scoring is not None
        return row.scoring

    assert scoring("").settings.between is None
    assert scoring("[coverage, is]").settings.between == ("modes", "coverage")
    assert scoring("[]").settings.between == ("modes",)
    assert len({scoring(given).key for given in ("", "[]", "[coverage]")}) == 3
    with pytest.raises(SuiteError, match="unknown metric 'fdi'; did you mean 'fid'"):
        scoring("[fdi]")


def test_unknown_metrics_are_still_said(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="unknown metric 'fdi'; did you mean 'fid'"):
        plan(tmp_path, "objectives: [hinge]\ndatasets: [ring8]\nevaluate: {metrics: [fdi]}\n")


def test_d_steps_come_from_the_objective_then_the_suite_then_its_entry_then_overrides_then_the_command_line(
    tmp_path: Path,
) -> None:
    def steps(text: str, *settings: str) -> dict[str, int | None]:
        rows = plan(tmp_path, text, settings=settings).planned
        return {row.objective.label: row.train.d_steps for row in rows}

    plain = "objectives: [hinge, wgan_gp, {objective: wgan, d_steps: 3}]\ndatasets: [ring8]\n"
    assert steps(plain) == {"hinge": 1, "wgan_gp": 5, "wgan": 3}
    assert steps(plain + "train: {d_steps: 2}\n") == {"hinge": 2, "wgan_gp": 2, "wgan": 3}
    override = "overrides:\n  - {match: {objective: wgan}, train: {d_steps: 4}}\n"
    assert steps(plain + override) == {"hinge": 1, "wgan_gp": 5, "wgan": 4}
    assert steps(plain + override, "train.d_steps=7") == {"hinge": 7, "wgan_gp": 7, "wgan": 7}


def test_overrides_and_exclude_reach_the_cells_they_match(tmp_path: Path) -> None:
    text = """
objectives: [hinge, minimax]
datasets: [ring8, digits]
seeds: [3, 4]
train: {g_steps: 500}
overrides:
  - match: {dataset: digits, objective: [hinge]}
    train: {g_steps: 70}
    evaluate: {samples: 50}
exclude:
  - {objective: minimax, dataset: digits, seed: 4}
"""
    found = plan(tmp_path, text)
    steps = {(r.objective.label, r.dataset.label, r.seed): r.train.g_steps for r in found.planned}
    assert len(steps) == 7
    assert ("minimax", "digits", 4) not in steps
    assert {key for key, value in steps.items() if value == 70} == {("hinge", "digits", 3), ("hinge", "digits", 4)}
    samples = {r.scoring.settings.samples for r in found.planned if r.train.g_steps == 70 and r.scoring}
    assert samples == {50}


def test_a_key_depends_on_what_changes_the_numbers_and_on_nothing_else(tmp_path: Path) -> None:
    base = "objectives: [hinge]\ndatasets: [ring8]\n"
    (key,) = keys(plan(tmp_path, base))
    same = [
        base + "name: other\ndescription: words\n",
        base + "evaluate: {samples: 77, metrics: [fid]}\n",
        "datasets: [ring8]\nobjectives: [{loss: hinge, label: Mine}]\n",
        base + "train: {g_steps: 5000, d_steps: 1}\n",
        base + "architectures: [mlp]\n",
    ]
    other = [
        base + "train: {g_steps: 5001}\n",
        base + "seeds: [1]\n",
        base + "architectures: [{mlp: {width: 32}}]\n",
        "objectives: [{hinge: {margin: 2}}]\ndatasets: [ring8]\n",
        "objectives: [{loss: hinge, penalties: [r1]}]\ndatasets: [ring8]\n",
        "objectives: [hinge]\ndatasets: [grid25]\n",
    ]
    assert [keys(plan(tmp_path, text)) for text in same] == [[key]] * len(same)
    assert len({keys(plan(tmp_path, text))[0] for text in other} | {key}) == len(other) + 1


def test_filters_keep_what_they_name_and_refuse_what_is_not_there(tmp_path: Path) -> None:
    text = "objectives: [hinge, minimax, wgan]\ndatasets: [ring8, grid25]\nseeds: 2\ntrain: {g_lr: [1e-4, 1e-3]}\n"
    found = plan(tmp_path, text, "objective=hinge,wgan", "dataset=ring8", "seed=1", "g_lr=1e-3")
    assert [(r.objective.label, r.dataset.label, r.seed, r.train.g_lr) for r in found.planned] == [
        ("hinge", "ring8", 1, 1e-3),
        ("wgan", "ring8", 1, 1e-3),
    ]
    for wrong, message in {
        "objective=hing": "did you mean 'hinge'?",
        "losses=hinge": "unknown axis",
        "hinge": "expected axis=value",
        "seed=9": "unknown seed",
    }.items():
        with pytest.raises(SuiteError, match=message.replace("?", r"\?")):
            plan(tmp_path, text, wrong)


def test_seeds_from_the_command_line_replace_the_suites(tmp_path: Path) -> None:
    found = plan(tmp_path, "objectives: [hinge]\ndatasets: [ring8]\nseeds: 5\n", seeds=2)
    assert [row.seed for row in found.planned] == [0, 1]


def test_a_network_that_cannot_make_the_samples_is_skipped_with_the_reason(tmp_path: Path) -> None:
    found = plan(tmp_path, "objectives: [hinge]\ndatasets: [ring8]\narchitectures: [mlp, dcgan]\n")
    states = {row.architecture.label: row.skipped for row in found.planned}
    assert states["mlp"] == ""
    assert "images" in states["dcgan"]


def test_metrics_that_do_not_apply_are_left_out_and_said(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets: [ring8, digits]\nevaluate: {metrics: [fid, is]}\n"
    found = plan(tmp_path, text)
    assert any(note.startswith("ring8: is is left out") for note in found.notes)
    names = {r.dataset.label: [m.name for m in r.scoring.settings.metrics] for r in found.planned if r.scoring}
    assert names == {"ring8": ["fid"], "digits": ["fid", "is"]}


def test_data_that_must_be_fetched_is_said_before_anything_runs(tmp_path: Path) -> None:
    found = plan(tmp_path, "objectives: [hinge]\ndatasets: [mnist]\n")
    assert any(note.startswith("mnist: ") and "MB" in note for note in found.notes)
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "cache").exists()


def test_missing_inception_weights_are_said_at_plan_time(tmp_path: Path) -> None:
    found = plan(tmp_path, "objectives: [hinge]\ndatasets: [digits]\nevaluate: {extractor: inception}\n")
    assert any("weights" in note for note in found.notes)


def test_several_extractors_score_together_and_what_each_lacks_is_said(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets: [digits]\nevaluate: {extractor: [classifier, inception]}\n"
    found, alone = plan(tmp_path, text), plan(tmp_path, text.replace(", inception", ""))
    assert any("Inception weights" in note for note in found.notes) and not alone.notes
    (both,), (one,) = found.planned, alone.planned
    assert both.scoring is not None and one.scoring is not None
    assert [part.name for part in both.scoring.settings.extractors] == ["classifier", "inception"]
    assert both.scoring.key != one.scoring.key and keys(found) == keys(alone)
    with pytest.raises(SuiteError, match="'classifier' is listed twice"):
        plan(tmp_path, text.replace("inception", "classifier"))


def entries(tmp_path: Path, text: str, **options: bool) -> list[Entry]:
    return look_up(plan(tmp_path, text).planned, Store(tmp_path / "runs"), **options)


def finish(tmp_path: Path, entry: Entry, outcome: str = "completed", scored: bool = True) -> None:
    store, cell, scoring = Store(tmp_path / "runs"), entry.planned.cell, entry.planned.scoring
    assert cell is not None
    assert scoring is not None
    alone = Status(outcome, cell.train.g_steps, "", "", 2.0, wait_seconds=0.5, cohort_size=1, g_updates=100)
    status = replace(alone, snapshot_steps=scoring.steps)
    store.write_training(cell.key, cell.as_json(), status)
    if scored:
        store.write_scores(cell.key, scoring.key, Scores("p", {}, {}, ()), None)


SUITE = "objectives: [hinge, minimax, wgan_gp]\ndatasets: [ring8]\nseeds: 4\ntrain: {g_steps: 100}\n"


def test_what_is_finished_is_not_run_again(tmp_path: Path) -> None:
    before = entries(tmp_path, SUITE)
    finish(tmp_path, before[0])
    finish(tmp_path, before[1], scored=False)
    finish(tmp_path, before[2], outcome="failed", scored=False)
    assert [e.state for e in entries(tmp_path, SUITE)[:4]] == ["done", "to score", "done", "to train"]
    assert entries(tmp_path, SUITE, retry_failed=True)[2].state == "to train"
    assert {e.state for e in entries(tmp_path, SUITE, fresh=True)} == {"to train"}


def test_a_new_metric_scores_again_and_does_not_train_again(tmp_path: Path) -> None:
    finish(tmp_path, entries(tmp_path, SUITE)[0])
    assert entries(tmp_path, SUITE + "evaluate: {metrics: [fid]}\n")[0].state == "to score"
    # Snapshots at steps that were never stored can only come from training.
    assert entries(tmp_path, SUITE + "evaluate: {every: 7}\n")[0].state == "to train"


def test_cohorts_share_shapes_and_mix_losses_rates_and_penalty_weights(tmp_path: Path) -> None:
    text = """
objectives:
  - hinge
  - minimax
  - wgan_gp
  - {loss: hinge, penalties: [{r1: {gamma: [0.1, 1.0]}}], label: A}
  - {loss: non_saturating, penalties: [{r1: {gamma: 5.0}}], label: B}
datasets: [ring8]
seeds: 2
train: {g_lr: [1e-4, 1e-3]}
"""
    planned = entries(tmp_path, text)
    labels = {e.planned.cell.key: e.planned.objective.label for e in planned if e.planned.cell is not None}
    cohorts = pack(planned, slots=1)
    members = sorted(sorted({labels[cell.key] for cell in cohort.cells}) for cohort in cohorts)
    assert members == [["A (gamma=0.1)", "A (gamma=1.0)", "B"], ["hinge", "minimax"], ["wgan_gp"]]
    assert sum(len(cohort.cells) for cohort in cohorts) == 24


def test_cohorts_are_split_over_slots_but_no_cell_is_left_alone_by_it(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets: [ring8]\nseeds: {}\n"
    assert sorted(len(c.cells) for c in pack(entries(tmp_path, text.format(40)), 2)) == [20, 20]
    assert sorted(len(c.cells) for c in pack(entries(tmp_path, text.format(6)), 2)) == [3, 3]
    assert sorted(len(c.cells) for c in pack(entries(tmp_path, text.format(3)), 2)) == [3]
    assert sorted(len(c.cells) for c in pack(entries(tmp_path, text.format(1)), 2)) == [1]


def test_a_slot_has_two_cohorts_where_both_stay_large(tmp_path: Path) -> None:
    """What the first has finished is tracked while the second trains; smaller ones would train slower."""
    text = "objectives: [hinge]\ndatasets: [ring8]\nseeds: {}\ntrain: {{batch_size: {}}}\n"
    assert [len(c.cells) for c in pack(entries(tmp_path, text.format(64, 128)), 2)] == [16] * 4
    assert [len(c.cells) for c in pack(entries(tmp_path, text.format(64, 64)), 2)] == [32] * 2
    assert [len(c.cells) for c in pack(entries(tmp_path, text.format(32, 256)), 1)] == [16] * 2
    assert [len(c.cells) for c in pack(entries(tmp_path, text.format(160, 128)), 2)] == [32] * 5


def test_the_plan_knows_how_long_once_something_like_it_was_measured(tmp_path: Path) -> None:
    first = entries(tmp_path, SUITE)
    assert all(cohort.seconds is None for cohort in pack(first, 1))
    finish(tmp_path, first[0])
    seconds = [c.seconds for c in pack(entries(tmp_path, SUITE), 1) if c.cells[0].train.d_steps == 1]
    step = (1 + 6 * JOINING) * 2.0 / 100  # seven together, and one alone has run
    assert sum(s or 0 for s in seconds) == pytest.approx(0.5 + 100 * step)


def test_what_a_dataset_cannot_do_is_told_with_its_line(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets:\n  - ring8\n  - image_folder: {path: /nowhere/at/all}\n"
    with pytest.raises(SuiteError, match=r"suite\.yaml:4: dataset image_folder.*there is no folder"):
        plan(tmp_path, text)
    text = "objectives: [hinge]\ndatasets: [ring8]\nevaluate: {extractor: classifier}\n"
    with pytest.raises(SuiteError, match=r"suite\.yaml:2: dataset ring8: extractor classifier"):
        plan(tmp_path, text)


def test_the_note_on_what_is_missing_names_the_command_that_gets_it_ahead(tmp_path: Path) -> None:
    def notes(text: str) -> str:
        return "\n".join(plan(tmp_path, text).notes)

    inception = "objectives: [hinge]\ndatasets: [{}]\nevaluate: {{extractor: {}}}\n"
    assert "`ganbench fetch mnist` gets it ahead" in notes("objectives: [hinge]\ndatasets: [mnist]\n")
    both = notes(inception.format("mnist", "inception"))
    assert "`ganbench fetch mnist`" in both and "`ganbench fetch inception`" in both
    assert "`ganbench fetch SUITE`" in notes(inception.format("digits", "{dinov2: {model: vit-s-14}}"))
    own = notes(inception.format("digits", f"{{inception: {{weights: {tmp_path}/none.pth}}}}"))
    assert "no Inception weights" in own and "ganbench fetch" not in own


def test_slow_scores_are_told_ahead_where_there_is_no_gpu(tmp_path: Path) -> None:
    text = "objectives: [hinge]\ndatasets: [digits]\nseeds: 3\ntrain: {g_steps: 100}\n"
    slow = text + "evaluate: {extractor: inception, samples: 600, every: 25}\n"
    cohorts = pack(entries(tmp_path, slow), 1)
    (note,) = slow_scores(cohorts, ["cpu"])
    assert note.startswith("inception reads about 4 pictures a second on a CPU core: the 7,200 to be scored")
    assert "take about 30 min;" in note  # 600 samples x 4 scores x 3 cells / 4 a second
    more = pack(entries(tmp_path, slow.replace("seeds: 3", "seeds: 64")), 2)
    (note,) = slow_scores(more, ["cpu", "cpu"])
    assert "about 8 pictures a second on 2 CPU cores: the 153,600" in note and "take about 5.3 hours;" in note
    assert slow_scores(cohorts, ["cuda:0"]) == slow_scores(cohorts, ["cuda:0", "cpu"]) == []
    assert slow_scores(pack(entries(tmp_path, text), 1), ["cpu"]) == []  # its classifier is quick
    off = "evaluate: {extractor: inception, metrics: []}\n"
    assert slow_scores(pack(entries(tmp_path, text + off), 1), ["cpu"]) == []
