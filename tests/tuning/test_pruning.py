"""Pruning: what is left out changes nothing of what is kept, and what was decided is decided once."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from ganbench.checkpoints import step_of
from ganbench.execution.tasks import CohortRun
from ganbench.store import CHECKPOINT, Store
from ganbench.suite.errors import SuiteError
from ganbench.suite.load import load_suite
from ganbench.suite.prune import Prune
from ganbench.tuning.choosing import Tried, chosen
from ganbench.tuning.pruners import losers, pruner_of
from ganbench.tuning.search import Incomplete
from ganbench.tuning.stages import Stage, rungs, spared, stages
from ganbench.tuning.study import Study, open_storage
from ganbench.tuning.tuner import tune

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
        pruned = tune(bench.plan(text), bench.trainer, bench.trainer, said.append)
        whole = bench.tune(pruned_text(""), store="whole")
    return Both(bench, text, pruned.findings[0].tried, whole.findings[0].tried, said)


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
            found = bench.tune(both.text)
            break
        except KeyboardInterrupt:
            stop = len(bench.trainer.cells) + 3
    assert stop > 20
    assert found.findings[0].tried == both.pruned
    states = [(trial.state, trial.value, trial.intermediate_values) for trial in raw(bench.folder)]
    assert states == [(trial.state, trial.value, trial.intermediate_values) for trial in raw(both.bench.folder)]


@pytest.mark.parametrize("call", range(0, 30, 3))
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
        search("a", set(), 12 + call)
    except Killed:
        search("b", {"a"}, None)
    else:
        raise AssertionError("it was to be killed")
    ended = [trial.user_attrs.get("ganbench.ended") for trial in storage.get_all_trials(0)]
    assert ended == [16, None, 16, 32, 16, None]


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
        out = study.losers(now)
        for each in out:
            study.tell(each, [values[each.number]] * 2, [])
        batch = [each for each in batch if each.passed > place] + [study.go_on(each) for each in now if each not in out]


def test_a_cell_of_a_killed_rung_goes_on_from_where_it_was_kept(bench, pruned_text, monkeypatch):
    text = pruned_text(HALVING)
    found, stand = bench.tune(text, store="whole"), {}
    score = CohortRun._score

    def killed(self, *arguments):
        if len(bench.trainer.plans) == 9:  # the whole one has seven, so this is the second rung of the first batch
            raise KeyboardInterrupt
        score(self, *arguments)

    monkeypatch.setattr(CohortRun, "_score", killed)
    assert len(bench.trainer.plans) == 7
    with pytest.raises(KeyboardInterrupt):
        bench.tune(text)
    store = Store(bench.folder / "runs")
    stand = {key: step_of(store, key) for key in store.keys()}
    assert set(stand.values()) == {16, 32} and not any(store.status(key) for key in stand)
    monkeypatch.undo()
    trained = []
    monkeypatch.setattr(CohortRun, "_train", lambda *_: trained.append(1))
    with pytest.raises(Incomplete, match="trials have cells without a result"):
        bench.tune(text)  # the rung is scored without any training; the next stage would train
    assert len(trained) == 1
    monkeypatch.undo()
    assert bench.tune(text).findings[0].tried == found.findings[0].tried
