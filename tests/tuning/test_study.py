"""A study: its budget, who may take up its trials, what is infeasible, and whose it is."""

from __future__ import annotations

import importlib.util
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from ganbench.suite.errors import SuiteError
from ganbench.tuning.study import Study, open_storage


@dataclass
class Claims:
    """A process of this test, and which others have ended."""

    token: str
    ended: set[str] = field(default_factory=set)

    def dead(self, token: str, told: float) -> bool:
        return token in self.ended


@pytest.fixture
def opened(bench, alone_text, tmp_path: Path):
    """Open the study of a suite's first subject, as a process of a name."""

    def made(
        token: str = "a", ended: set[str] | None = None, text: str = alone_text, folder: str = "studies", **more
    ) -> Study:
        plan = bench.plan(text.replace("trials: 3", "trials: 4"), **more)
        storage = open_storage(tmp_path / folder / "suite.journal")
        return Study(storage, "suite", plan.tune, plan.subjects[0], Claims(token, ended or set()))

    return made


def raw(tmp_path: Path) -> optuna.Study:
    storage = open_storage(tmp_path / "studies" / "suite.journal")
    return optuna.load_study(study_name=storage.get_all_studies()[0].study_name, storage=storage)


def test_no_more_is_asked_for_than_the_budget_by_however_many_processes(opened):
    first, second = opened("a"), opened("b")
    asked = [*first.ask(3), *second.ask(3), *first.ask(3)]
    assert [each.number for each in asked] == [0, 1, 2, 3]
    assert second.ask(1) == [] and first.left() == 4
    for each in asked:
        first.tell(each, [1.0, 2.0], [])
    assert first.left() == second.left() == 0
    assert [trial.mean for trial in second.tried()] == [1.5] * 4


@pytest.mark.parametrize("left", ['{"op_code": 8, "worker', "x" * 200_000])
def test_half_a_line_that_a_killed_process_left_in_the_journal_costs_no_trial(opened, tmp_path: Path, left: str):
    first = opened("a")
    first.tell(first.ask(1)[0], [1.0, 2.0], [])
    with (tmp_path / "studies" / "suite.journal").open("a") as journal:
        journal.write(left)
    assert [trial.mean for trial in first.tried()] == [1.5]
    second = opened("b")
    second.tell(second.ask(1)[0], [3.0, 4.0], [])
    assert [[trial.mean for trial in opened(name).tried()] for name in ("a", "c")] == [[1.5, 3.5]] * 2
    assert [trial.mean for trial in first.tried()] == [1.5, 3.5]


def test_a_proposal_hangs_on_its_number_alone_and_is_the_same_for_all_objectives(opened, bench, suite_text, tmp_path):
    whole = opened(sampler="random").ask(4)
    made = bench.plan(suite_text.replace("trials: 3", "trials: 4").partition("  objectives:")[0], sampler="random")
    for subject in made.subjects:
        storage = open_storage(tmp_path / "other.journal")
        study = Study(storage, "other", made.tune, subject, Claims("a"))
        assert [asked for _ in range(4) for asked in study.ask(1)] == whole  # one by one
    assert len({each.settings["g_lr"] for each in whole}) == 4


def test_trials_of_a_process_that_ended_are_taken_up_with_their_settings_and_of_no_other(opened):
    asked = opened("a").ask(2)
    assert opened("b").take_up(5) == []
    assert opened("b", {"a"}).take_up(1) == asked[:1]
    assert opened("c", {"a"}).take_up(5) == asked[1:]  # the first is b's now
    assert opened("c", {"b"}).ask(9)[0].number == 2


def test_claims_that_were_given_up_are_taken_up_at_once(opened):
    first = opened("a")
    asked = first.ask(2)
    first.beat()
    assert opened("b").take_up(5) == []
    first.release()
    assert opened("b").take_up(5) == asked


def test_a_process_killed_before_it_had_all_settings_of_a_trial_loses_none(opened, tmp_path, monkeypatch):
    class Killed(BaseException): ...

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("ganbench.tuning.study._suggest", killed)
    with pytest.raises(Killed):
        opened("a").ask(1)
    monkeypatch.setattr(optuna.Study, "ask", killed)
    with pytest.raises(Killed):
        opened("a").ask(1)
    monkeypatch.undo()
    after = opened("b", {"a"})
    assert [each.number for each in after.take_up(5)] == [0]
    assert [each.number for each in after.ask(9)] == [1, 2, 3]
    assert len(raw(tmp_path).trials) == 4


def test_a_trial_that_lost_a_seed_is_infeasible_and_neither_infinite_nor_dropped(opened, tmp_path):
    study = opened()
    partly, whole, fine, _ = study.ask(4)
    study.tell(partly, [3.0], ["diverged"])
    study.tell(whole, [], ["diverged", "timed out"])
    study.tell(fine, [5.0, 7.0], [])
    trials = raw(tmp_path).trials
    assert [trial.constraints for trial in trials[:3]] == [{"0": 0.5}, {"0": 1.0}, {"0": 0.0}]
    assert [trial.value for trial in trials[:3]] == [3.0, None, 6.0]
    assert [trial.state for trial in trials[:3]] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.COMPLETE]
    assert [trial.feasible for trial in study.tried()] == [False, False, True]
    assert raw(tmp_path).best_trial.number == fine.number  # Optuna, too, passes over what is infeasible
    assert study.left() == 1


def test_two_that_finish_the_same_trial_count_once(opened):
    first = opened("a")
    (asked,) = first.ask(1)
    second = opened("b", {"a"})
    assert second.take_up(1) == [asked]
    second.tell(asked, [1.0], [])
    first.tell(asked, [9.0], [])
    assert [trial.scores for trial in first.tried()] == [(1.0,)]


@pytest.mark.parametrize(
    "changed",
    [
        ("g_steps: 4", "g_steps: 8"),
        ("samples: 100", "samples: 90"),
        ("1e-1]", "1e-2]"),
        ("seeds_per_trial: 2", "seeds_per_trial: 1"),
    ],
)
def test_a_study_that_another_suite_made_is_refused_with_its_place(opened, alone_text, changed):
    opened().ask(1)
    with pytest.raises(SuiteError, match=r"suite\.yaml:8: .*made by another suite"):
        opened(text=alone_text.replace(*changed))
    assert opened(text=alone_text.replace("trials: 3", "trials: 6").replace("batch: 2", "batch: 3")).left() == 6


@pytest.mark.parametrize("name", ["tpe", "random", "qmc", "gp", "cmaes"])
def test_every_sampler_searches_with_infeasible_trials_among_others(opened, alone_text, name):
    if name == "cmaes" and not importlib.util.find_spec("cmaes"):
        with pytest.raises(SuiteError, match=r"sampler cmaes: needs the extra: pip install 'ganbench\[cmaes\]'"):
            opened(sampler=name)
        return
    text = alone_text.replace("trials: 3", "trials: 14")
    study = opened(text=text, sampler=name)
    for number in range(14):
        (asked,) = study.ask(1)
        study.tell(asked, *[([float(number)], []), ([1.0], ["diverged"]), ([], ["diverged"])][number % 3])
    tried = study.tried()
    # A Gaussian process may ask for an end of the range twice.
    found = [rate for trial in tried if 1.01e-4 < (rate := trial.settings["g_lr"]) < 0.99e-1]
    assert len(set(found)) == len(found) and (len(found) == 14 or name == "gp") and len(found) > 9
    assert all(1e-4 <= trial.settings["g_lr"] <= 1e-1 and trial.settings["d_steps"] in (1, 2) for trial in tried)


@pytest.mark.parametrize(("name", "batches"), [("tpe", 2), ("gp", 2), ("tpe", 1)])
def test_a_sampler_learns_from_the_first_batch_however_small_the_budget(opened, alone_text, name, batches):
    size = 16 // batches
    text = alone_text.replace("trials: 3", "trials: 16").replace("batch: 2", f"batch: {size}")

    def asked(sampler: str, store: str, sign: float) -> list[dict[str, object]]:
        study = opened(text=text, sampler=sampler, store=store, folder=store)
        found = []
        for _ in range(batches):
            batch = study.batch(size)
            for each in batch:
                study.tell(each, [sign * each.settings["g_lr"]] * 2, [])
            found += [each.settings for each in batch]
        assert [trial.drawn for trial in study.tried()] == [sampler == "random" or place < size for place in range(16)]
        return found

    low, high, chance = asked(name, "low", 1.0), asked(name, "high", -1.0), asked("random", "chance", 1.0)
    assert low[:size] == high[:size] == chance[:size]
    if batches > 1:
        assert all(one != other for one, other in zip(low[size:], chance[size:], strict=True))
        middle = [statistics.median(each["g_lr"] for each in found[size:]) for found in (low, high)]
        assert middle[0] < statistics.median(each["g_lr"] for each in chance) < middle[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batch: 2", "batch: 8", "sampler tpe: 8 of 32 trials are drawn at random, for it to learn from"),
        ("batch: 2", "batch: 32", "sampler tpe: all 32 trials are drawn at random, being asked for before"),
        ("batch: 2", "batch: 2\n  sampler: random", None),
    ],
)
def test_it_is_said_beforehand_how_much_of_the_budget_is_drawn_at_random(bench, alone_text, old, new, said):
    notes = bench.plan(alone_text.replace("trials: 3", "trials: 32").replace(old, new)).plan.notes
    assert [note for note in notes if note.startswith("sampler")] == [] if said is None else said in "".join(notes)


def test_a_database_that_cannot_be_opened_is_told_without_its_password():
    with pytest.raises(SuiteError, match="--storage: cannot be opened") as caught:
        open_storage("postgresql+psycopg2://me:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(caught.value)
    with pytest.raises(SuiteError, match="--storage: cannot be opened"):
        open_storage("no url")
