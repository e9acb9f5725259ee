"""What a tracker shows of a study and of its trials: settings, values, states, and the keys of the cells."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping
from typing import Any

from ganbench.studies import StudyRecord, TrialRecord
from ganbench.tracked import TEXT, Point, allowed

STUDY, TRIAL = "ganbench.study", "ganbench.trial"  # tags by which runs are found again


def parameters_of_trial(trial: TrialRecord) -> dict[str, str]:
    """Return the settings that were tried."""
    return _texts(trial.settings)


def points_of_trial(trial: TrialRecord) -> list[Point]:
    """Return each value, the mean over seeds, and the score of each seed that has one (`.score_1`, `.score_2`).

    A pruned trial has what it scored where it ended (`.when_pruned`): that is no value of a whole trial.
    """
    if trial.state == "pruned":
        means = {value: statistics.fmean(scores) for value, scores in trial.scores.items() if scores}
        return _finite([(f"{value}.when_pruned", mean, trial.ended or 0) for value, mean in means.items()])
    found: list[Point] = []
    for value, scores in trial.scores.items():
        each = [(f"{value}.score_{place}", score, 0) for place, score in enumerate(scores, 1)]
        found += [(value, statistics.fmean(scores), 0), *each] if scores else []
    return _finite(found)


def tags_of_trial(study: StudyRecord, trial: TrialRecord) -> dict[str, str]:
    """Return how a trial ended and which cells it consists of; empty ones are left out."""
    tags = {
        STUDY: study.identity,
        TRIAL: str(trial.number),
        "ganbench.state": trial.state,
        "ganbench.lost": ", ".join(trial.lost),
        "ganbench.ended": "" if trial.ended is None else str(trial.ended),
        "ganbench.cells": " ".join(trial.cells),
    }
    return {name: value[:TEXT] for name, value in tags.items() if value}


def parameters_of_study(study: StudyRecord) -> dict[str, str]:
    """Return what makes a study: what it is tuned for, its space, and how it is searched. They never change."""
    values = ", ".join(f"{value} ({better} is better)" for value, better in study.values.items())
    fixed = {name: value for name, value in study.search.items() if name != "trials"}
    space = {f"space.{name}": json.dumps(_plain(wanted)) for name, wanted in study.space.items()}
    return _texts({"objective": values, **fixed, **space})


def points_of_study(study: StudyRecord) -> list[Point]:
    """Return the budget, the infeasible trials, and the means on the fresh seeds by variant and value.

    The step is the number of trials: more of them go on with the same series.
    """
    step = len(study.trials)
    found: list[Point] = [
        ("trials", float(study.search["trials"] or step), step),
        ("trials_done", float(step), step),
        ("trials_infeasible", float(sum(trial.state in ("infeasible", "failed") for trial in study.trials)), step),
        ("trials_pruned", float(sum(trial.state == "pruned" for trial in study.trials)), step),
    ]
    for variant, measured in study.measured.items():
        for value, mean in measured.means.items():
            found += [
                (f"{variant}.{value}" + (f".{part}" if part != "value" else ""), number, step)
                for part, number in mean.items()
            ]
    return _finite(found)


def tags_of_study(study: StudyRecord) -> dict[str, str]:
    """Return what was found, and the cells that were measured, by variant; empty ones are left out."""
    tags = {STUDY: study.identity}
    for variant, measured in study.measured.items():
        tags[f"ganbench.settings.{variant}"] = json.dumps(_plain(measured.settings))
        tags[f"ganbench.lost.{variant}"] = ", ".join(measured.lost)
        tags[f"ganbench.cells.{variant}"] = " ".join(measured.cells)
    return {allowed(name): value[:TEXT] for name, value in tags.items() if value}


def _texts(settings: Mapping[str, Any]) -> dict[str, str]:
    return {allowed(name): str(value)[:TEXT] for name, value in settings.items()}


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def _finite(points: list[Point]) -> list[Point]:
    return [(allowed(name), value, step) for name, value, step in points if math.isfinite(value)]
