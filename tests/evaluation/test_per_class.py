"""Scores by class: against scipy's matrix root and torch-fidelity on made data, and through the evaluator."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.evaluation.per_class import ENOUGH, per_class
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.metrics import registry as metrics
from ganbench.registry import Part

ROOT = Path("unused")
NO_STATISTICS = (np.zeros(1), np.zeros((1, 1)))


def evidence(
    fake: torch.Tensor, asked: torch.Tensor, real: torch.Tensor, labels: torch.Tensor, seen: torch.Tensor | None = None
) -> Evidence:
    return Evidence(fake, None, None, Reference(real, None, *NO_STATISTICS, labels), 0, asked, seen)


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def test_the_fid_of_each_class_is_that_of_its_own_rows():
    asked, labels = torch.arange(300) % 3, torch.randint(3, (500,), generator=torch.Generator().manual_seed(9))
    fake = normal(300, 6, 0) * (1 + asked[:, None]) + asked[:, None]
    real = normal(500, 6, 1) @ normal(6, 6, 2) - labels[:, None]
    rows, reasons = per_class(evidence(fake, asked, real, labels), 3)
    assert reasons == {} and [row["class"] for row in rows] == [0, 1, 2]
    for number, row in enumerate(rows):
        a, b = fake[asked == number].double().numpy(), real[labels == number].double().numpy()
        s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        root = scipy.linalg.sqrtm(s @ t).real
        by_scipy = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(s + t - 2 * root)
        assert row["fid"] == pytest.approx(by_scipy, rel=1e-8)
        theirs = fid_statistics_to_metric(
            *(fid_features_to_statistics(torch.from_numpy(side)) for side in (a, b)), verbose=False
        )
        assert row["fid"] == pytest.approx(theirs["frechet_inception_distance"], rel=1e-12)
        assert (row["samples"], row["real"]) == (100, int((labels == number).sum()))


def test_accuracy_is_the_share_of_each_class_that_is_seen_as_it():
    asked = torch.tensor([0] * 4 + [1] * 4 + [2] * 2)
    seen = torch.tensor([0, 0, 0, 1, 0, 0, 0, 0, 2, 2])
    rows, _ = per_class(evidence(normal(10, 2, 0), asked, normal(5, 2, 1), torch.zeros(5).long(), seen), 4)
    assert [row["accuracy"] for row in rows] == [0.75, 0.0, 1.0, None]
    unseen, _ = per_class(evidence(normal(10, 2, 0), asked, normal(5, 2, 1), torch.zeros(5).long()), 4)
    assert {row["accuracy"] for row in unseen} == {None}


def test_a_class_with_too_few_rows_has_no_fid_and_a_reason():
    asked, labels = torch.arange(40) % 2, torch.tensor([0] * ENOUGH + [1] * (ENOUGH - 1))
    rows, reasons = per_class(evidence(normal(40, 2, 0), asked, normal(len(labels), 2, 1), labels), 2)
    assert rows[0]["fid"] is not None and rows[1]["fid"] is None
    assert reasons == {"FID of class 1": "20 generated and 9 real samples of it, of which 10 are needed"}


def test_without_labels_of_the_real_side_there_is_no_fid():
    reference = Reference(normal(50, 2, 0), None, *NO_STATISTICS)
    asked = torch.arange(40) % 2
    rows, reasons = per_class(Evidence(normal(40, 2, 1), None, None, reference, 0, asked, asked), 2)
    assert [(row["fid"], row["accuracy"], row["real"]) for row in rows] == [(None, 1.0, 0)] * 2
    assert len(reasons) == 2


@pytest.fixture
def of_ring(ring: Part, identity: Part, cache: Path) -> Evaluator:
    return Evaluator(ring, EvaluationSettings(800, identity, (metrics.part("fid", {}),)), ROOT, cache)


def test_a_generator_that_mixes_up_two_classes_is_found_out(of_ring: Evaluator, ring: Part):
    """Neighbours on the ring are 2 sin(pi / 8) apart, and all modes have the same covariance."""
    split = ring.create().load(ROOT, "test")
    samples, labels = torch.from_numpy(split.samples[:800]), torch.from_numpy(split.labels[:800])
    rows, reasons = of_ring.by_class(of_ring.read(samples, 0, labels))
    assert reasons == {} and len(rows) == 8
    assert all(row["fid"] < 1e-4 and row["accuracy"] == 1 for row in rows)
    assert sum(row["real"] for row in rows) == of_ring.protocol["reference"]["count"]
    swapped = torch.where(labels == 2, 3, torch.where(labels == 3, 2, labels))
    mixed, _ = of_ring.by_class(of_ring.read(samples, 0, swapped))
    for row in mixed:
        wrong = row["class"] in (2, 3)
        assert row["fid"] == pytest.approx(4 * math.sin(math.pi / 8) ** 2 if wrong else 0, abs=5e-3)
        assert row["accuracy"] == (0 if wrong else 1)


def test_the_real_side_keeps_its_labels(of_ring: Evaluator, ring: Part, digits: Part, classifier: Part, cache: Path):
    reference = of_ring.references[0]
    assert torch.equal(reference.labels, torch.from_numpy(ring.create().modes(reference.features.numpy()).nearest))
    of_digits = Evaluator(digits, EvaluationSettings(10, classifier, (metrics.part("fid", {}),)), ROOT, cache)
    logits, labels = of_digits.references[0].logits, of_digits.references[0].labels
    assert (logits.argmax(1) == labels).double().mean() > 0.99


def test_samples_that_cannot_be_scored_have_no_rows(of_ring: Evaluator):
    unreadable = of_ring.read(torch.full((800, 2), math.nan), 0, torch.arange(800) % 8)
    assert of_ring.by_class(unreadable) == ((), {})
    assert of_ring.by_class(of_ring.read(torch.zeros(800, 2), 0)) == ((), {})
