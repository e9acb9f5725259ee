"""A store as `ganbench tune` leaves it: two objectives on two datasets, with trials of every state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.reporting.tuning.reading import VERSION
from ganbench.reporting.tuning.record import Borrowed, Parameter, Trial, TunedSubject, as_plain
from ganbench.stats import median_interval, t_interval
from ganbench.store import Store

SUITE = "s-tune"
SPACE = (
    Parameter("d_lr", "log", (1e-4, 1e-2), 0.2, 0.4),
    Parameter("d_steps", "choice", (1, 5), 0.1, 0.8),
    Parameter("g_lr", "log", (1e-4, 1e-2), 0.7, 0.01),
)


def trials() -> list[Trial]:
    """Return twelve: good ones near g_lr = 1e-3, two that lost a seed, one that was dropped."""
    found = []
    for number in range(12):
        settings = {"d_lr": 10 ** (-4 + number / 6), "d_steps": (1, 5)[number % 2], "g_lr": 10 ** (-2 - number / 8)}
        score = round(0.1 + abs(math.log10(settings["g_lr"]) + 3), 3)
        found.append(Trial(number, settings, score))
    for number in (0, 1):
        found[number] = replace(found[number], score=None, state="infeasible", lost=("diverged",))
    found[2] = replace(found[2], score=None, state="pruned")
    return found


def study(objective: str = "hinge", dataset: str = "ring8", **changes: object) -> TunedSubject:
    """Return what tuning one objective came to."""
    tried = trials()
    variants = {"default": {"d_lr": 1e-3, "d_steps": 1, "g_lr": 0.05}, "tuned": tried[8].settings}
    means = {"default": t_interval([3.0, 4.0, 5.0, 4.0, 4.5]), "tuned": t_interval([1.0, 2.0, 1.2, 1.1, 1.4])}
    labels = {name: f"{objective} ({name})" for name in means}
    centres = {
        "default": median_interval([3.0, 4.0, 5.0, 4.0, 4.5]),
        "tuned": median_interval([1.0, 2.0, 1.2, 1.1, 1.4]),
    }
    found = (tried, means, labels, "mlp", SPACE, variants, "tpe")
    whole = TunedSubject(objective, dataset, "fid_final", "lower", *found, centres=centres)
    return replace(whole, **changes)


def studies() -> list[TunedSubject]:
    """Return two objectives on two datasets, of which one lends its settings, one has the same and one none."""
    lent = t_interval([1.5, 2.5, 1.7, 1.6, 1.9])
    regret = median_interval([0.4, 0.5, 0.45, 0.55, 0.6])
    none = [replace(trial, score=None, state="infeasible", lost=("diverged",)) for trial in trials()]
    default = {"default": t_interval([3.0, 4.0])}
    return [
        study(borrowed=(Borrowed("grid25", lent, regret),)),
        study("wgan", borrowed=(Borrowed("grid25", reason="no trial was feasible there"),)),
        study(dataset="grid25", borrowed=(Borrowed("ring8", same=True),)),
        study(
            "wgan",
            "grid25",
            trials=none,
            measured=default,
            centres={"default": median_interval([3.0, 4.0])},
            objectives={"default": "wgan (default)"},
            variants={"default": {"d_lr": 1e-3, "d_steps": 1, "g_lr": 1e-3}},
            parameters=tuple(replace(each, importance=None, chance=None) for each in SPACE),
            borrowed=(Borrowed("ring8", lent),),
        ),
    ]


@dataclass(frozen=True)
class Made:
    """What tests build studies from."""

    suite: str = SUITE
    space: tuple[Parameter, ...] = SPACE
    trials: Callable[[], list[Trial]] = trials
    study: Callable[..., TunedSubject] = study
    studies: Callable[[], list[TunedSubject]] = studies


@pytest.fixture(scope="session")
def made() -> Made:
    return Made()


Keep = Callable[[Sequence[TunedSubject]], Store]


@pytest.fixture(scope="session")
def keep(tmp_path_factory: pytest.TempPathFactory) -> Keep:
    """Make a store of what tuning came to and of the cells that were reported."""

    def kept(tuned: Sequence[TunedSubject]) -> Store:
        held, rows = Store(tmp_path_factory.mktemp("tuned") / "runs"), []
        for each in tuned:
            for name in each.objectives.values():
                key = f"{len(rows):016x}"
                held.write_training(key, {}, Status("completed", 10), [{"step": 10, "d_loss": 1.0}])
                scores = Scores("p" * 16, {}, {"fid": "lower"}, ({"step": 10, "fid": 2.0},))
                held.write_scores(key, "e" * 16, scores, None)
                rows.append(Listed(key, "e" * 16, name, "mlp", each.dataset, 5, {"g_lr": 0.1}))
        about = {each.dataset: {"headline": "fid", "titles": {"fid": "FID"}} for each in tuned}
        held.write_suite(SuiteRecord(SUITE, tuple(rows), datasets=about))
        held.write_tuning(SUITE, {"version": VERSION, "studies": [as_plain(each) for each in tuned]})
        return held

    return kept
