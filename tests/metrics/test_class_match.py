from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench import metrics
from ganbench.evaluation.evidence import Evidence, Reference

REFERENCE = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))


def match(asked: torch.Tensor | None, seen: torch.Tensor | None) -> dict[str, float]:
    evidence = Evidence(torch.zeros(2, 2), None, None, REFERENCE, 0, asked, seen)
    found: dict[str, float] = metrics.create("class_match").compute(evidence)
    return found


def test_the_share_that_is_seen_as_what_was_asked_for():
    assert match(torch.tensor([0, 1, 2, 0]), torch.tensor([0, 1, 1, 2])) == {"class_match": 0.5}
    assert match(torch.tensor([3, 3]), torch.tensor([3, 3])) == {"class_match": 1.0}


def test_a_generator_that_does_not_listen_scores_one_in_so_many_classes():
    asked = torch.arange(2000) % 8
    assert match(asked, torch.full((2000,), 5))["class_match"] == 0.125
    assert match(asked, asked[torch.randperm(2000, generator=torch.Generator().manual_seed(0))])[
        "class_match"
    ] == pytest.approx(0.125, abs=0.035)


def test_what_is_missing_is_said():
    with pytest.raises(ValueError, match="no class was asked for"):
        match(None, torch.zeros(2))
    with pytest.raises(ValueError, match="nothing tells the class"):
        match(torch.zeros(2), None)
