"""Pruning: what is left out changes nothing of what is kept, and what was decided is decided once."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from ganbench.checkpoints import step_of
from ganbench.execution.tasks import CohortRun
from ganbench.store import CHECKPOINT, Store
from ganbench.suite.errors import SuiteError
from ganbench.suite.prune import Prune
from ganbench.tuning.at_work import Presence
from ganbench.tuning.choosing import Tried, chosen
from ganbench.tuning.confirming import Finding
from ganbench.tuning.pruners import losers, pruner_of
from ganbench.tuning.search import Incomplete, Searched, search
from ganbench.tuning.stages import Stage, rungs, spared, stages
from ganbench.tuning.study import Study, open_storage
from ganbench.tuning.telling import rows_told
from ganbench.tuning.writing import write_tuned_suite

HALVING = "{by: halving, first: 16, reduction: 2}"  # after the G steps 16 and 32 of 64


@pytest.fixture(scope="session")
def pruned_text(alone_text: str):
    """A suite that is pruned; by default with six trials of two seeds in batches of four."""

    def text(prune: str, trials: int = 6, batch: int = 4, seeds: int = 2, g_steps: int = 64) -> str:
        found = alone_text.replace("g_steps: 4", f"g_steps: {g_steps}").replace("every: 2", "every: 16")
        found = found.replace("trials: 3", f"trials: {trials}\n  sampler: random\n  seed: 3")
        found = found.replace("batch: 2", f"batch: {batch}\n  prune: {prune}".removesuffix("\n  prune: "))
        return found.replace("seeds_per_trial: 2", f"seeds_per_trial: {seeds}").replace(
            "{k: 2, seeds: 3}", "{k: 1, seeds: 2}"
        )

    return text


def raw(folder: Path, store: str = "runs") -> list[optuna.trial.FrozenTrial]:
    storage = open_storage(folder / store / "studies" / "suite.journal")
    (study,) = storage.get_all_studies()
    return storage.get_all_trials(study._study_id)


def searched(bench, text: str, store: str = "runs", said=lambda _: None) -> tuple[Tried, ...]:
    """Search as `tune` does, and leave out what comes after."""
    made = bench.plan(text, store=store)
    made.plan.store.check_writable()
    presence = Presence(made.folder)
    study = Study(open_storage(made.storage), "suite", made.tune, made.subjects[0], presence)
    with presence.at_work([study]):
        search(made.plan, [Searched(made.subjects[0], study)], made.folder, bench.trainer, said)
    return tuple(study.tried())


def cells_of(bench, text: str, trial: Tried, seeds: int = 2) -> list[str]:
    return [row.cell.key for row in bench.plan(text).subjects[0].rows(trial.settings, range(seeds))]


@dataclass
class Both:
    """One search with and without halving, in two stores."""

    bench: object
    text: str
    pruned: tuple[Tried, ...]
    whole: tuple[Tried, ...]
    said: list[str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, pruned_text):
    from tests.tuning.conftest import Bench, Trainer

    bench = Bench(tmp_path_factory.mktemp("pruned"), Trainer())
    text, said = pruned_text(HALVING), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        pruned = searched(bench, text, said=said.append)
        whole = searched(bench, pruned_text(""), "whole")
    return Both(bench, text, pruned, whole, said)


def test_survivors_end_with_the_very_bits_of_a_search_without_pruning(both):
    assert [trial.settings for trial in both.pruned] == [trial.settings for trial in both.whole]
    survivors = [trial for trial in both.pruned if trial.ended is None]
    assert 0 < len(survivors) < 4
    one, other = Store(both.bench.folder / "runs"), Store(both.bench.folder / "whole")
    for trial in survivors:
        assert trial.scores == both.whole[trial.number].scores
        for key in cells_of(both.bench, both.text, trial):
            for name in ("trace.jsonl", "snapshots.safetensors", "cell.json"):
                assert (one.cell_folder(key) / name).read_bytes() == (other.cell_folder(key) / name).read_bytes(), name
            mine, theirs = one.status(key), other.status(key)
            assert (mine.outcome, mine.step, mine.snapshot_steps) == (
                theirs.outcome,
                theirs.step,
                theirs.snapshot_steps,
            )
            (scored,) = (path.parent.name for path in one.cell_folder(key).glob("scores/*/scores.json"))
            assert one.scores(key, scored).rows == other.scores(key, scored).rows


def test_the_best_half_of_all_that_stand_at_a_rung_go_on_and_the_first_heard_of_is_not_spared(both):
    """Against the numbers of the search without pruning, the batches being four trials and two."""
    store = Store(both.bench.folder / "whole")

    def mean_at(trial: Tried, step: int) -> float:
        rows = both.bench.plan(both.text).subjects[0].rows(trial.settings, range(2))
        entries = [store.scores(row.cell.key, row.scoring.key).rows for row in rows]
        return statistics.fmean(next(entry["fid"] for entry in each if entry["step"] == step) for each in entries)

    ended: dict[int, int | None] = {}
    standing: dict[int, list[float]] = {16: [], 32: []}
    for batch in (range(4), range(4, 6)):
        left = [both.whole[number] for number in batch]
        for step in (16, 32):
            values = {trial.number: mean_at(trial, step) for trial in left}
            standing[step] += values.values()
            best = sorted(standing[step])[: max(1, len(standing[step]) // 2)]
            ended |= {number: step for number, value in values.items() if value not in best}
            left = [trial for trial in left if trial.number not in ended]
        ended |= {trial.number: None for trial in left}
    assert {trial.number: trial.pruned for trial in both.pruned} == ended
    assert {16, None} <= set(ended.values())


def test_a_pruned_trial_is_told_as_such_and_is_neither_recommended_nor_infeasible(both):
    for trial, frozen in zip(both.pruned, raw(both.bench.folder), strict=True):
        assert not trial.infeasible
        if trial.pruned is None:
            assert frozen.state == TrialState.COMPLETE and sorted(frozen.intermediate_values) == [16, 32, 64]
            continue
        assert frozen.state == TrialState.PRUNED and not trial.feasible and len(trial.scores) == 2
        assert frozen.value == frozen.intermediate_values[trial.pruned] == pytest.approx(trial.mean)
        assert max(frozen.intermediate_values) == frozen.user_attrs["ganbench.ended"] == trial.pruned
    assert not any(trial.pruned for trial in chosen(both.pruned, "lower", lambda _: 0.0, 6))


def test_cells_of_pruned_trials_have_no_status_and_their_checkpoints_are_gone(both):
    store = Store(both.bench.folder / "runs")
    for trial in both.pruned:
        statuses = [store.status(key) for key in cells_of(both.bench, both.text, trial)]
        assert all((status is None) == (trial.pruned is not None) for status in statuses)
    assert not list(both.bench.folder.rglob(CHECKPOINT))


def test_the_search_says_what_it_pruned_and_what_that_saved(both):
    spare = sum(2 * (64 - trial.pruned) for trial in both.pruned if trial.pruned)
    assert any(said.endswith("8 cells, up to G step 16") for said in both.said)
    (told,) = [said for said in both.said if "were saved" in said]
    assert f"{100 * spare / (6 * 2 * 64):.0f} % of the G steps" in told
    assert sum(int(part.split()[0]) for part in told.removeprefix("pruned: ").split(";")[0].split(", ")) == sum(
        trial.pruned is not None for trial in both.pruned
    )
    (note,) = [note for note in both.bench.plan(both.text).plan.notes if "pruning" in note]
    assert note == "pruning by halving: trials are compared after G step 16, 32 of 64"


def test_an_interrupted_search_decides_as_one_that_was_not(both, bench):
    stop = 0
    while True:
        bench.trainer.stop_after = stop
        try:
            found = searched(bench, both.text)
            break
        except KeyboardInterrupt:
            stop = len(bench.trainer.cells) + 3
    assert stop > 15
    assert found == both.pruned
    states = [(trial.state, trial.value, trial.intermediate_values) for trial in raw(bench.folder)]
    assert states == [(trial.state, trial.value, trial.intermediate_values) for trial in raw(both.bench.folder)]


@pytest.mark.parametrize("call", range(0, 52, 3))
def test_a_process_that_ends_between_two_writes_loses_no_decision(bench, pruned_text, monkeypatch, call):
    """The trials' values are made up, so that nothing trains; the process ends before its n-th write to the study."""

    class Killed(BaseException): ...

    def search(token: str, ended: set[str], kill_at: int | None) -> None:
        made, writes = bench.plan(pruned_text(HALVING)), iter(range(10_000))
        study = Study(storage, "suite", made.tune, made.subjects[0], Claims(token, ended))

        def counted(name):
            original = getattr(type(storage), name)

            def write(self, *arguments, **more):
                if next(writes) == kill_at:
                    raise Killed
                return original(self, *arguments, **more)

            return write

        with monkeypatch.context() as patch:
            for name in (
                "set_trial_user_attr",
                "set_trial_intermediate_value",
                "set_trial_state_values",
                "create_new_trial",
            ):
                patch.setattr(type(storage), name, counted(name))
            while study.left():
                played(study, study.batch(4))

    storage = open_storage(bench.folder / f"{call}.journal")
    try:
        search("a", set(), call)
    except Killed:
        search("b", {"a"}, None)
    else:
        raise AssertionError("it was to be killed")
    ended = [trial.user_attrs.get("ganbench.ended") for trial in storage.get_all_trials(0)]
    assert ended == [16, None, 16, 32, 16, None]


def test_trials_that_are_asked_for_together_after_a_break_are_those_of_before(bench, pruned_text):
    storage, made = open_storage(bench.folder / "some.journal"), bench.plan(pruned_text(HALVING))
    first = Study(storage, "suite", made.tune, made.subjects[0], Claims("a", set()))
    begun = first.ask(1)
    second = Study(storage, "suite", made.tune, made.subjects[0], Claims("b", {"a"}))
    batch = second.batch(4)
    assert batch[:1] == begun and [each.number for each in batch] == [0, 1, 2, 3]
    for each in batch[:3]:
        second.report(each, [1.0])
        second.tell(each, [1.0], [])
    third = Study(storage, "suite", made.tune, made.subjects[0], Claims("c", {"b"}))
    assert [each.number for each in third.batch(4)] == [3]  # not with the first of the next batch
    assert [each.number for each in third.batch(4)] == [4, 5]


def test_what_another_process_has_finished_in_the_meantime_is_left_as_it_is(bench, pruned_text):
    storage, made = open_storage(bench.folder / "some.journal"), bench.plan(pruned_text(HALVING))
    first = Study(storage, "suite", made.tune, made.subjects[0], Claims("a", set()))
    other = Study(storage, "suite", made.tune, made.subjects[0], Claims("b", {"a"}))
    mine = first.ask(4)
    (taken, *_) = other.take_up(4)
    other.tell(taken, [], ["diverged"])
    for each in mine:
        first.report(each, [1.0 + each.number])
    assert [each.number for each in first.losers(mine)] == [0, 3]  # a lost one is worse than any
    first.go_on(mine[0])
    first.tell(mine[0], [1.0], [])
    assert [(trial.number, trial.lost) for trial in first.tried()] == [(0, ("diverged",))]


def test_a_trial_that_has_passed_a_rung_is_not_judged_there_again(bench, pruned_text):
    storage, made = open_storage(bench.folder / "some.journal"), bench.plan(pruned_text(HALVING))
    first = Study(storage, "suite", made.tune, made.subjects[0], Claims("a", set()))
    other = Study(storage, "suite", made.tune, made.subjects[0], Claims("b", {"a"}))
    (mine,), theirs = first.ask(1), other.ask(4)
    first.report(mine, [5.0])
    assert first.losers([mine]) == [] and first.go_on(mine).passed == 1
    for each in theirs:
        other.report(each, [1.0])
    assert [each.number for each in other.losers([mine])] == [mine.number]  # it would be by now
    assert [(each.number, each.passed) for each in other.take_up(4)] == [(mine.number, 1)]


def made_up(number: int, step: int) -> float:
    """Worse from trial to trial but for every other one, which is better."""
    return (number if number % 2 == 0 else -number) + (40 if (number, step) == (3, 32) else 0)


@dataclass
class Claims:
    token: str
    ended: set[str]

    def dead(self, token: str, told: float) -> bool:
        return token in self.ended


def played(study: Study, batch) -> None:
    """Do with a batch what a search does, with made-up values."""
    for place in range(len(study.stages)):
        now = [each for each in batch if each.passed == place]
        stage = study.stages[place]
        values = {each.number: made_up(each.number, stage.at) for each in now}
        for each in now:
            study.report(each, [values[each.number]] * 2)
            if stage is study.stages[-1]:
                study.tell(each, [values[each.number]] * 2, [])
        if stage is study.stages[-1]:
            return
        out = study.losers(now) if now else []
        for each in out:
            study.tell(each, [values[each.number]] * 2, [])
        batch = [each for each in batch if each.passed > place] + [study.go_on(each) for each in now if each not in out]


def test_a_cell_of_a_killed_rung_goes_on_from_where_it_was_kept(both, bench, monkeypatch):
    score = CohortRun._score

    def killed(self, *arguments):
        if len(bench.trainer.plans) == 2:  # the second rung of the first batch
            raise KeyboardInterrupt
        score(self, *arguments)

    monkeypatch.setattr(CohortRun, "_score", killed)
    with pytest.raises(KeyboardInterrupt):
        searched(bench, both.text)
    store = Store(bench.folder / "runs")
    stand = {key: step_of(store, key) for key in sorted(store.keys())}
    assert set(stand.values()) == {16, 32} and not any(store.status(key) for key in stand)
    monkeypatch.undo()
    trained = []
    monkeypatch.setattr(CohortRun, "_train", lambda *_: trained.append(1))
    with pytest.raises(Incomplete, match="trials have cells without a result"):
        searched(bench, both.text)  # the rung is scored without any training; the next stage would train
    assert len(trained) == 1
    monkeypatch.undo()
    assert searched(bench, both.text) == both.pruned


def test_the_pruner_is_asked_of_all_of_a_batch_as_if_each_were_the_last(pruned_text):
    def study(prune: Prune, values: list[float], direction: str = "minimize", step: int = 10) -> optuna.Study:
        made = optuna.create_study(direction=direction, pruner=pruner_of(prune, 10, 100), study_name="some")
        for value in values:
            made.ask().report(value, step)
        return made

    def lost(made: optuna.Study, numbers=range(8), without=None) -> set[int]:
        return losers(made, made.trials, without or {}, list(numbers), 10)

    by = Prune(by="halving", reduction=4)
    falling = study(by, [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    assert lost(falling) == {0, 1, 2, 3, 4, 5}
    # Optuna's own order: whoever is asked about first is the best so far.
    assert [trial.number for trial in falling.trials if optuna.Trial(falling, trial._trial_id).should_prune()] == []
    assert lost(study(by, [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], "maximize")) == {2, 3, 4, 5, 6, 7}
    assert lost(study(by, [1.0, 1.0, 1.0, 2.0]), range(4)) == {3}  # equals share their fate
    assert lost(study(by, [1.0, 2.0, 3.0]), range(3)) == {1, 2}  # the best one goes on where they are few
    assert lost(study(by, [1.0] * 3), [0], {1: 10, 2: 10}) == set()
    # Those that lost a seed make up the number of which one in four goes on.
    assert lost(study(by, [1.0, 2.0] + [0.0] * 6), [0, 1], dict.fromkeys(range(2, 8), 10)) == set()
    assert lost(study(by, [1.0, 2.0]), [0, 1]) == {1}
    below = study(by, [8.0, 7.0], step=9)
    assert losers(below, below.trials, {}, [0, 1], 9) == set()  # before the first rung


def test_brackets_of_hyperband_go_by_a_trials_number_and_are_known_from_the_start():
    prune = Prune(by="hyperband", reduction=3)
    made = optuna.create_study(pruner=pruner_of(prune, 10, 90), study_name="minimax / ring8 / mlp")
    for value in range(12):
        made.ask().report(float(value), 10)
    brackets = [made.pruner._get_bracket_id(made, trial) for trial in made.trials]
    assert {0, 1} <= set(brackets)
    first = [number for number, bracket in enumerate(brackets) if bracket == 0]
    kept = set(first[: max(1, len(first) // 3)])
    # The other brackets have their first rung later.
    assert losers(made, made.trials, {}, list(range(12)), 10) == set(first) - kept


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "gp"])
@pytest.mark.parametrize("by", ["halving", "hyperband"])
def test_every_sampler_searches_with_pruned_and_infeasible_trials_among_others(bench, pruned_text, sampler, by):
    text = pruned_text(f"{{by: {by}, first: 16, reduction: 2}}", trials=16).replace(
        "sampler: random", f"sampler: {sampler}"
    )
    made = bench.plan(text)
    study = Study(open_storage(bench.folder / "some.journal"), "suite", made.tune, made.subjects[0], Claims("a", set()))
    while study.left():
        batch = study.batch(4)
        study.tell(batch[0], [1.0], ["diverged"])
        played(study, batch[1:])
    tried = study.tried()
    assert {trial.infeasible for trial in tried} == {True, False}
    assert {16, None} <= {trial.pruned for trial in tried} <= {16, 32, None}
    assert len({trial.settings["g_lr"] for trial in tried}) == 16
    assert [trial.number for trial in tried if trial.infeasible] == [0, 4, 8, 12]


def test_the_command_and_the_written_suite_tell_pruned_from_infeasible(both, bench):
    made = bench.plan(both.text)
    tried = tuple(replace(trial, lost=("diverged",)) if trial.number == 0 else trial for trial in both.pruned)
    found = Finding(made.subjects[0], tried, {})
    pruned = sum(trial.pruned is not None for trial in tried)
    assert found.infeasible == 1 and pruned and rows_told(found)[0][-1] == f"1 of 6, {pruned} pruned"
    path, rows = bench.folder / "tuned.yaml", made.subjects[0].rows(tried[-1].settings, [7])
    write_tuned_suite(path, made.plan.suite, [found], rows)
    assert f"Pruned by halving: {pruned} of 6 trials were not trained to their end." in path.read_text()


def test_a_trial_that_lost_a_seed_ends_at_once_and_counts_as_infeasible_not_as_pruned(bench, pruned_text):
    text = (
        pruned_text(HALVING, trials=4)
        .replace("{log: [1e-4, 1e-1]}", "{choice: [1.0e-3, 1.0e+30]}")
        .replace("seed: 3", "seed: 1")
    )
    (finding,) = bench.tune(text).findings
    assert 0 < finding.infeasible < 4
    store = Store(bench.folder / "runs")
    for trial, frozen in zip(finding.tried, raw(bench.folder), strict=True):
        assert trial.infeasible == (trial.settings["g_lr"] == 1e30)
        if trial.infeasible:
            assert trial.ended == 16 and trial.pruned is None and trial.lost == ("diverged",) * 2
            assert frozen.constraints == {"0": 1.0} and frozen.state == TrialState.PRUNED and frozen.value is None
            assert {store.status(key).outcome for key in cells_of(bench, text, trial)} == {"diverged"}
    assert sum(finding.pruned.values()) == sum(trial.pruned is not None for trial in finding.tried)
    assert not list(bench.folder.rglob(CHECKPOINT))


def test_wilcoxon_never_trains_the_further_seeds_of_a_pruned_trial(bench, pruned_text):
    text = pruned_text("{by: wilcoxon, p: 0.3, seeds: 2}", trials=4, batch=2, seeds=6, g_steps=16)
    text = text.replace("{log: [1e-4, 1e-1]}", "{log: [1e-6, 1e-1]}").replace("seed: 3", "seed: 0")
    tried = searched(bench, text)
    # The first batch has nobody to be compared with; of the second, the trial with the larger learning rate is pruned.
    assert [trial.pruned for trial in tried] == [None, None, None, 2]
    pruned, store = tried[3], Store(bench.folder / "runs")
    assert [store.status(key) is not None for key in cells_of(bench, text, pruned, 6)] == [True, True, *[False] * 4]
    assert pruned.settings["g_lr"] > 0.01 and all(a > b for a, b in zip(pruned.scores, tried[0].scores, strict=False))
    for trial, frozen in zip(tried, raw(bench.folder), strict=True):
        assert len(trial.scores) == (trial.pruned or 6)
        assert frozen.intermediate_values == dict(enumerate(trial.scores))


def test_a_checkpoint_that_another_trial_needs_stays_and_one_that_is_gone_costs_only_time(bench, pruned_text):
    from ganbench.checkpoints import StoredCheckpoints
    from ganbench.tuning.search import _forget

    text = pruned_text(HALVING, trials=4).replace("{log: [1e-4, 1e-1]}", "{choice: [1.0e-3, 1.0e-2]}")
    made = bench.plan(text)
    subject, store = made.subjects[0], made.plan.store
    study = Study(open_storage(bench.folder / "some.journal"), "suite", made.tune, subject, Claims("a", set()))
    batch = study.batch(4)
    keys = [[row.cell.key for row in subject.rows(each.settings, range(2))] for each in batch]
    for key in {key for each in keys for key in each}:
        store.write_checkpoint(key, b"")
    twin = next((a, b) for a in range(4) for b in range(a) if keys[a] == keys[b])
    study.report(batch[twin[0]], [1.0])
    study.tell(batch[twin[0]], [1.0], [])
    _forget(store, [Searched(subject, study)])
    assert all((store.cell_folder(key) / CHECKPOINT).exists() for key in keys[twin[1]])
    study.tell(batch[twin[1]], [1.0], [])
    _forget(store, [Searched(subject, study)])
    assert not any((store.cell_folder(key) / CHECKPOINT).exists() for key in keys[twin[1]])
    assert StoredCheckpoints(store, keys[twin[1]], resumes=True).read() == []


def test_rungs_are_scored_steps_at_which_training_can_pause_before_its_end():
    every = range(60, 601, 60)
    assert rungs(Prune(by="halving"), 600, every) == (120, 360)  # a ninth is 66
    assert rungs(Prune(by="halving", first=60), 600, every) == (60, 180)  # 540 is too late
    assert rungs(Prune(by="halving", first=61, reduction=2), 600, every) == (120, 240)
    assert rungs(Prune(by="hyperband", first=500), 600, [*every]) == (540,)
    assert rungs(Prune(by="halving"), 40, [4, 8, 12, 16, 20, 24, 28, 32, 36, 40]) == (4, 12)
    for first, scored, said in (
        (600, every, "must lie before the last of 600"),
        (None, [300, 595, 600], r""),
        (None, [600], "no score is made from G step 66 on .* scored after 600; `evaluate.every`"),
        (596, [*range(1, 601)], "no score is made from G step 596 on"),
    ):
        if not said:
            assert rungs(Prune(by="halving", first=first), 600, scored) == (300,)
            continue
        with pytest.raises(SuiteError, match=f"here: .*{said}"):
            rungs(Prune(by="halving", first=first), 600, scored, "here")


def test_what_a_trial_did_without():
    whole = Stage(4)
    assert spared(Stage(4, 60), whole, 600) == 4 * (600 - 64)  # it stands where it can be taken up
    assert spared(Stage(2), whole, 600) == 2 * 600 and spared(whole, whole, 600) == 0


def test_waves_of_seeds_are_as_large_as_the_test_needs(bench, pruned_text):
    made = bench.plan(pruned_text("{by: wilcoxon}", seeds=10))
    assert stages(made.tune, 64, [64]) == (Stage(4), Stage(8), Stage(10))
    assert "after 4, 8 of 10 seeds" in made.plan.notes[-1]
    assert [Prune(by="wilcoxon", p=p).least_seeds for p in (0.5, 0.3, 0.25, 0.1, 0.05)] == [2, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("prune", "seeds", "said"),
    [
        ("{by: halving, frist: 16}", 2, r":13: unknown key of prune 'frist'; did you mean 'first'"),
        ("{by: halvin}", 2, r":13: by: Input should be 'halving', 'hyperband' or 'wilcoxon'"),
        ("{reduction: 3}", 2, r":13: prune: expected such as `{by: halving"),
        ("halving", 2, r":13: prune: expected such as `{by: halving"),
        ("{by: halving, reduction: 1}", 2, r":13: reduction: Input should be greater than or equal to 2"),
        ("{by: halving, p: 0.1}", 2, r":13: p: is for wilcoxon, not for halving"),
        ("{by: wilcoxon, first: 16}", 8, r":13: first: is for halving and hyperband, not for wilcoxon"),
        (
            "{by: wilcoxon}",
            4,
            r":13: wilcoxon: the test needs 4 seeds to fall below p = 0.1, .* seeds_per_trial: 5 or more",
        ),
        ("{by: wilcoxon, p: 0.3, seeds: 4}", 4, r":13: wilcoxon: 4 seeds are trained before .*: 5 or more"),
        ("{by: wilcoxon, seeds: 1}", 8, r":13: seeds: Input should be greater than or equal to 2"),
        ("{by: halving,\n    first: 64}", 2, r":14: first: 64: a first rung must lie before the last of 64 G steps"),
        ("{by: halving, first: 60}", 2, r":13: halving: no score is made from G step 60 on"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_before_anything_trains(bench, pruned_text, prune, seeds, said):
    with pytest.raises(SuiteError, match=rf"suite\.yaml{said}"):
        bench.plan(pruned_text(prune, seeds=seeds))
    assert not (bench.folder / "runs").exists()


def test_a_study_is_another_one_with_pruning_and_the_same_as_ever_without(bench, pruned_text):
    def identity(prune: str) -> str:
        made = bench.plan(pruned_text(prune, seeds=6))
        return made.subjects[0].identity(made.tune)

    found = [identity(each) for each in ("", HALVING, "{by: halving, first: 16, reduction: 4}", "{by: wilcoxon}")]
    assert len(set(found)) == 4
    assert identity("{by: wilcoxon, p: 0.1}") == found[3] and identity("null") == found[0]
