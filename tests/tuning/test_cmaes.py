"""CMA-ES, where its package is installed: it learns, it is not misled by trials that lost a seed, nothing executes."""

from __future__ import annotations

import importlib.util
import math
import pickle
import statistics
from pathlib import Path

import pytest

from ganbench.suite.errors import SuiteError
from ganbench.tuning.at_work import Presence
from ganbench.tuning.study import Study, open_storage

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cmaes") is None, reason="needs the extra: pip install 'ganbench[cmaes]'"
)
TRIALS = 70


@pytest.fixture
def opened(bench, alone_text, tmp_path: Path):
    """Open a study of two learning rates."""
    text = alone_text.replace("d_steps: {choice: [1, 2]}", "d_lr: {log: [1e-4, 1e-1]}")

    def made() -> Study:
        plan = bench.plan(text, sampler="cmaes", trials=TRIALS)
        return Study(open_storage(tmp_path / "c.journal"), "c", plan.tune, plan.subjects[0], Presence(tmp_path))

    return made


def distance(settings) -> float:
    """How far from the best setting, both learning rates being 0.003, in decades."""
    return math.hypot(*(math.log10(settings[name] / 3e-3) for name in ("g_lr", "d_lr")))


def test_it_comes_near_the_best_setting_however_often_it_is_interrupted(opened):
    far = []
    for _ in range(TRIALS // 10):  # by another process each time
        study = opened()
        for asked in [*study.ask(5), *study.ask(5)]:
            far.append(distance(asked.settings))
            study.tell(asked, [far[-1], far[-1]], [])
    assert len(far) == TRIALS and statistics.median(far[-20:]) < 0.4 * statistics.median(far[:20])


def test_what_is_left_of_a_trial_that_lost_a_seed_is_no_value_to_it(opened):
    study = opened()
    for _ in range(TRIALS):
        (asked,) = study.ask(1)
        far = distance(asked.settings)
        # The larger a learning rate, the better its last seed looks, and the others diverge.
        if asked.settings["g_lr"] > 0.02:
            study.tell(asked, [-asked.settings["g_lr"]], ["diverged"])
        else:
            study.tell(asked, [far, far], [])
    late = [trial for trial in study.tried() if trial.number >= TRIALS - 20]
    assert statistics.median(distance(trial.settings) for trial in late) < 0.4
    assert sum(trial.feasible for trial in late) > 15


class Harm:
    def __reduce__(self):
        return Path.touch, (Path("harmed"),)


def test_a_state_that_would_execute_something_is_refused_before_it_does(opened, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = opened()
    for asked in study.ask(12):
        study.tell(asked, [distance(asked.settings)] * 2, [])
    assert study.ask(1)
    (asked,) = study.ask(1)
    study._study._storage.set_trial_system_attr(
        study._trial(asked.number)._trial_id, "cma:optimizer:0", pickle.dumps(Harm()).hex()
    )
    study.tell(asked, [1.0, 1.0], [])
    for go_on in (lambda: opened().ask(1), lambda: study.ask(1)):
        with pytest.raises(SuiteError, match=r"suite\.yaml:8: .*might execute anything"):
            go_on()
    assert not Path("harmed").exists()
