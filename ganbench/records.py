"""What a store holds, as plain data: how cells were trained, what they scored, and which cells a suite has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["completed", "diverged", "failed", "timed_out", "skipped"]


@dataclass(frozen=True)
class Status:
    """How a cell's training ended, what it cost and what made it.

    `step` is the G step at which it ended; `reason` is a sentence, `traceback` the plugin's own. The cohort
    trained for `cohort_seconds`, of which a cell's share is `train_seconds`; `wait_seconds` is its share of the
    worker's time before that: the process's start, imports, plugins, reading the data. `facts` are numbers that the
    cell's architecture knows without training, such as the eigenvalues of a Dirac GAN. `energy_joules` is its share of
    what its GPU drew while its cohort trained, shared alike by the cells of the cohort and the processes on the GPU
    (see ganbench.execution.energy); None where that is not known, as on a CPU, or where training was taken up again.
    """

    outcome: Outcome
    step: int
    reason: str = ""
    traceback: str = ""
    train_seconds: float = 0.0
    wait_seconds: float = 0.0
    cohort_seconds: float = 0.0
    cohort_size: int = 0
    d_updates: int = 0
    g_updates: int = 0
    images_seen: int = 0
    d_parameters: int = 0
    g_parameters: int = 0
    snapshot_steps: tuple[int, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    energy_joules: float | None = None


@dataclass(frozen=True)
class Scores:
    """All scores of one cell under one evaluation.

    `rows` holds a dict per scored step: `step` and one number (or None) per value. `reasons` says, by value
    name, why a number is missing. `better` gives the direction of each value. `protocol` fixes the scores,
    `protocol_id` is its hash. `per_class` holds, where the generator is told a class, a dict per class for the last
    scored step: `class`, `fid`, `accuracy`, and the counts `samples` and `real`. `ceiling` is what held-out real
    samples score, by value name.
    """

    protocol_id: str
    protocol: Mapping[str, Any]
    better: Mapping[str, str]
    rows: tuple[Mapping[str, float | None], ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    evaluate_seconds: float = 0.0
    per_class: tuple[Mapping[str, float | None], ...] = ()
    ceiling: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Listed:
    """One row of a suite's list: which cell, under which labels, to be read with which evaluation.

    `settings` are the resolved training settings; `swept` names those (and plugin parameters) that the suite
    varies. `skipped` says why a combination has no cell; it is empty for a cell that is meant to run. `scoring` is
    false where the suite asks for no scores.
    """

    key: str
    evaluation_key: str
    objective: str
    architecture: str
    dataset: str
    seed: int
    settings: Mapping[str, Any]
    swept: tuple[str, ...] = ()
    skipped: str = ""
    scoring: bool = True


@dataclass(frozen=True)
class SuiteRecord:
    """What the last run of a suite consisted of: enough to make its report from the store alone."""

    name: str
    listed: tuple[Listed, ...]
    source: str = ""
    started: str = ""
    seconds: float = 0.0
    datasets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    objectives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
