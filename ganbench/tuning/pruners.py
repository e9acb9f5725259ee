"""What Optuna's pruners say of trials, taken together: none is spared for having been heard of first."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, NopPruner, SuccessiveHalvingPruner, WilcoxonPruner
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from ganbench.suite.prune import Prune

Reports = Mapping[int, Mapping[int, float]]  # values by step, by the trial's number


def pruner_of(prune: Prune | None, first: int, g_steps: int) -> BasePruner:
    """Return Optuna's pruner; `first` is the G step of its first rung."""
    if prune is None:
        return NopPruner()
    if prune.by == "halving":
        return SuccessiveHalvingPruner(min_resource=first, reduction_factor=prune.reduction)
    if prune.by == "hyperband":
        hyperband = HyperbandPruner(min_resource=first, max_resource=g_steps, reduction_factor=prune.reduction)
        # It knows its brackets, by which a sampler's trials are told apart, only once it has been asked.
        asked(hyperband, "", StudyDirection.MINIMIZE, {0: {0: 0.0}}, 0, 0)
        return hyperband
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # what it says of interfaces is pinned by the version
        return WilcoxonPruner(p_threshold=prune.p)


def losers(
    study: optuna.Study, trials: Sequence[FrozenTrial], lost: Mapping[int, int], numbers: Sequence[int], step: int
) -> set[int]:
    """Return which trials of these `numbers` are to be pruned at a rung, all being compared with all others there.

    Optuna compares a trial with those that were asked about before it, and so keeps the first of all. Here each one is
    the last to be asked about. Trials that are `lost`, by their numbers the step up to which, are worse than any there.
    """
    worst = math.inf if study.direction == StudyDirection.MINIMIZE else -math.inf
    reports = {trial.number: dict(trial.intermediate_values) for trial in trials}
    for number, at in lost.items():
        reports[number][at] = worst
    given = study.pruner, study.study_name, study.direction, reports  # brackets go by the name of the study
    # What another process has finished in the meantime need not have been reported.
    return {number for number in numbers if step in reports[number] and asked(*given, number, step)}


def asked(pruner: BasePruner, study: str, direction: StudyDirection, reports: Reports, number: int, step: int) -> bool:
    """Ask about one trial at a step, after all others that have come as far."""
    replica = optuna.create_study(
        study_name=study, direction=direction, pruner=pruner, sampler=optuna.samplers.RandomSampler()
    )
    trials = [replica.ask() for _ in range(max(reports) + 1)]
    rivals = [each for each, values in reports.items() if each != number and step in values]
    last = False
    for each in (*rivals, number):
        for at in sorted(at for at in reports[each] if at <= step):
            trials[each].report(reports[each][at], at)
            last = trials[each].should_prune()
    return last
