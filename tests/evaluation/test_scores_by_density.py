"""Points whose density is known through the whole evaluator: scores, their ceiling, and what D says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from ganbench import datasets
from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.settings import EvaluationSettings, default_metrics
from ganbench.metrics import registry as metrics
from ganbench.plugins import Split
from ganbench.registry import Part

ROOT = Path("unused")
ENTROPY = math.log(2 * math.pi * math.e)


@datasets.registry.register("test_only_gaussian")
@dataclass(frozen=True)
class Gaussian:
    """The standard Gaussian in the plane."""

    version: ClassVar[int] = 1
    shape: ClassVar[tuple[int, ...]] = (2,)
    classes: ClassVar[None] = None

    def missing(self, root: Path) -> None: ...

    def prepare(self, root: Path) -> None: ...

    def load(self, root: Path, split: str) -> Split:
        return Split(np.random.RandomState(split == "test").standard_normal((3000, 2)).astype(np.float32))

    def log_density(self, samples):
        return -(samples**2).sum(axis=1) / 2 - math.log(2 * math.pi)


@pytest.fixture
def evaluator(identity: Part, cache: Path) -> Evaluator:
    dataset = datasets.registry.part("test_only_gaussian", {})
    parts = tuple(metrics.part(name, {}) for name in default_metrics(dataset.create()))
    return Evaluator(dataset, EvaluationSettings(1000, identity, parts), ROOT, cache)


def shifted(by: float) -> torch.Tensor:
    points = np.random.RandomState(7).standard_normal((1000, 2)).astype(np.float32)
    return torch.from_numpy(points) + torch.tensor([by, 0.0])


def test_the_ceiling_is_what_the_truth_gets(evaluator: Evaluator):
    evaluator.prepare()
    found = evaluator.ceiling()
    assert found.reason == ""
    assert found.values.keys() == evaluator.better.keys()
    assert found.values["log_likelihood"] == pytest.approx(-ENTROPY, abs=0.15)
    assert found.values["w2"] < 0.2
    assert found.values["optimality_gap"] < 0.07  # D = 1/2 is the best there is: what is left is the estimate's


def test_scores_follow_the_shift_of_a_generator(evaluator: Evaluator):
    values, reasons = evaluator.values(
        evaluator.read(shifted(2.0), 0, None, lambda x: (2 - 2 * x[:, 0]).sigmoid()), False
    )
    assert reasons == {}
    assert values["fid"] == pytest.approx(4, rel=0.1)
    assert values["w2"] == pytest.approx(2, rel=0.1)
    assert values["log_likelihood"] == pytest.approx(-ENTROPY - 2, abs=0.2)
    assert values["optimality_gap"] < 0.06
    undecided, _ = evaluator.values(
        evaluator.read(shifted(2.0), 0, None, lambda x: x.new_full(x.shape[:1], 0.5)), False
    )
    assert undecided["optimality_gap"] > 0.3


def test_without_a_probability_the_gap_alone_is_missing(evaluator: Evaluator):
    values, reasons = evaluator.score(shifted(0.0), seed=0)
    assert reasons == {"optimality_gap": "ValueError: this objective's D holds no probability"}
    assert math.isnan(values["optimality_gap"])
