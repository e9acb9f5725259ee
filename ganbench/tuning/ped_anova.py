"""Optuna's PED-ANOVA, asked about many rankings of the same trials."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, create_trial


def divergences(
    trials: Sequence[FrozenTrial], losses: Sequence[Mapping[int, float]], share: float
) -> list[dict[str, float]]:
    """Return, for each ranking, how much the good `share` of the trials differs from all in each parameter."""
    ranked = optuna.create_study()
    ranked.add_trials([create_trial(params=t.params, distributions=t.distributions, value=0.0) for t in trials])
    evaluator, found = PedAnovaImportanceEvaluator(target_quantile=share), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of losses, which are low where trials are good; of ties
        for loss in losses:
            of = [loss[trial.number] for trial in trials]
            found.append(evaluator.evaluate(ranked, target=lambda trial: of[trial.number]))  # noqa: B023 - at once
    return found
