"""What proposes settings: Optuna's samplers, by the names that a suite gives them."""

from __future__ import annotations

import hashlib
import importlib.util
import math
import warnings
from collections.abc import Iterable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from ganbench.suite.errors import wrong
from ganbench.suite.tune import TuneSettings

EVEN = ("random", "qmc")  # draw from the whole space throughout, whatever trials scored
MOST_AT_RANDOM = 10  # finished trials after which tpe and gp propose, by Optuna's own measure
LEARNED_FROM = {"gp": (TrialState.COMPLETE,)}


def start_up(settings: TuneSettings) -> int:
    """Return from how many finished trials on a sampler proposes: until then it draws at random.

    Optuna's ten would be all of a small budget, since a batch is asked for before anything is known of its trials. So
    it is one batch, or a quarter of the budget where that is more, and at most ten. One for cmaes, 0 for those that
    draw evenly throughout.
    """
    if settings.sampler in EVEN or settings.sampler == "cmaes":
        return int(settings.sampler == "cmaes")
    return min(MOST_AT_RANDOM, max(settings.batch, math.ceil(settings.trials / 4)))


def start_told(settings: TuneSettings) -> str:
    """Say how much of a budget is drawn at random, before a sampler has anything to learn from; empty for even ones."""
    first = settings.batch * math.ceil(start_up(settings) / settings.batch)
    if not first:
        return ""
    if first >= settings.trials:
        return (
            f"sampler {settings.sampler}: all {settings.trials} trials are drawn at random, being asked for before it "
            "has anything to learn from; a smaller `batch`, or more `trials`, would let it"
        )
    return f"sampler {settings.sampler}: {first} of {settings.trials} trials are drawn at random, for it to learn from"


def draws(settings: TuneSettings, trials: Iterable[FrozenTrial]) -> bool:
    """Whether the trial after these is drawn at random: the sampler has too few to learn from, or never learns."""
    finished = LEARNED_FROM.get(settings.sampler, (TrialState.COMPLETE, TrialState.PRUNED))
    return settings.sampler in EVEN or sum(trial.state in finished for trial in trials) < start_up(settings)


def sampler_of_trial(settings: TuneSettings, number: int) -> BaseSampler:
    """Return the sampler of one trial: what it draws hangs on its number, not on who asks, or after what break.

    It is the same for all subjects: equal spaces begin with equal trials, which then train together.
    """
    if settings.sampler == "qmc":  # one sequence, whose place the study keeps
        return sampler_of("qmc", settings.seed)
    digest = hashlib.sha256(f"{settings.seed} {number}".encode()).digest()
    return sampler_of(settings.sampler, int.from_bytes(digest[:4], "big"), start_up(settings))


def sampler_of(name: str, seed: int, start: int = MOST_AT_RANDOM) -> BaseSampler:
    """Return a fresh sampler, of those that learn one that does from `start` finished trials on.

    SuiteError where a package that it needs is missing.
    """
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:
        raise wrong("sampler cmaes", "needs the extra: pip install 'ganbench[cmaes]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # what it says of interfaces is pinned by the version
        if name == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        if name == "qmc":
            return optuna.samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
        if name == "cmaes":
            return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        if name == "gp":
            return optuna.samplers.GPSampler(seed=seed, n_startup_trials=start, warn_independent_sampling=False)
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=start)
