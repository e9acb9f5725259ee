"""What proposes settings: Optuna's samplers, by the names that a suite gives them."""

from __future__ import annotations

import importlib.util
import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from ganbench.suite.errors import wrong


def sampler_of(name: str, seed: int) -> BaseSampler:
    """Return a fresh sampler; SuiteError where a package that it needs is missing."""
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
            return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
        return optuna.samplers.TPESampler(seed=seed)
