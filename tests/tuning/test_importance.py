"""Which parameters matter: PED-ANOVA, with trials that have no score, and against chance."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from ganbench.tuning.at_work import Presence
from ganbench.tuning.choosing import Tried
from ganbench.tuning.importance import GOOD, LEAST, SHUFFLES, importance
from ganbench.tuning.study import Study, open_storage


class Kept:
    """A study that keeps what it was asked."""

    def __init__(self) -> None:
        self.losses: list[dict[int, float]] = []
        self.share = 0.0

    def divergences(self, losses, share):
        self.losses, self.share = losses, share
        return [{"g_lr": 3.0, "d_steps": 1.0}, *[{"g_lr": 2.0, "d_steps": 2.0}] * SHUFFLES]


def tried(n: int, lost: int = 0) -> list[Tried]:
    return [Tried(k, {}, () if k < lost else (float(k),), ("diverged",) if k < lost else ()) for k in range(n)]


def test_shares_add_up_and_chance_is_a_p_value():
    found = importance(Kept(), tried(20), "lower")
    assert (found["g_lr"].share, found["d_steps"].share) == (0.75, 0.25)
    assert (found["g_lr"].chance, found["d_steps"].chance) == (0.01, 1.0)


@pytest.mark.parametrize(("n", "lost", "good"), [(20, 0, GOOD), (100, 0, 10), (20, 4, GOOD), (20, 17, 3)])
def test_the_good_are_the_best_tenth_at_least_five_and_no_trial_without_a_score(n, lost, good):
    study = Kept()
    importance(study, tried(n, lost), "higher")
    ranked = sorted(study.losses[0], key=lambda number: study.losses[0][number])
    assert math.ceil(study.share * n) == good
    assert ranked[:good] == list(range(n - 1, n - 1 - good, -1))
    assert all(study.losses[0][number] > study.losses[0][ranked[n - lost - 1]] for number in range(lost))
    assert len(study.losses) == 1 + SHUFFLES
    assert all(sorted(each.values()) == sorted(study.losses[0].values()) for each in study.losses)


def test_nothing_is_said_of_few_trials_or_of_none_that_are_feasible():
    assert importance(Kept(), tried(LEAST - 1), "lower") == {}
    assert importance(Kept(), tried(LEAST, LEAST), "lower") == {}


def test_the_parameter_that_decides_is_found_among_trials_that_diverge(bench, alone_text, tmp_path: Path):
    text = alone_text.replace("trials: 3", "trials: 40")
    made = bench.plan(text, sampler="random")
    storage = open_storage(tmp_path / "studies" / "suite.journal")
    study = Study(storage, "suite", made.tune, made.subjects[0], Presence(tmp_path))
    noise = random.Random(1)
    for asked in study.ask(40):
        rate = math.log10(asked.settings["g_lr"])
        lost = rate > -1.5
        study.tell(asked, [] if lost else [abs(rate + 2.5) + noise.gauss(0, 0.05)], ["diverged"] if lost else [])
    trials = study.tried()
    found = importance(study, trials, "lower")
    assert 0 < sum(not trial.feasible for trial in trials) < 30
    assert sum(each.share for each in found.values()) == pytest.approx(1)
    assert found["g_lr"].share > 0.8 and found["g_lr"].chance <= 0.05 < found["d_steps"].chance
    # Scores that have nothing to do with a parameter say so.
    shuffled = [Tried(trial.number, trial.settings, (noise.random(),)) for trial in trials]
    assert min(each.chance for each in importance(study, shuffled, "lower").values()) > 0.05
