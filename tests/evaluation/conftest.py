from __future__ import annotations

from pathlib import Path

import pytest

from ganbench import datasets
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import inapplicable
from ganbench.metrics import registry as metrics
from ganbench.registry import Part


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests here, so that the classifier of the digits is trained once."""
    return tmp_path_factory.mktemp("evaluation-cache")


@pytest.fixture(scope="session")
def digits() -> Part:
    return datasets.registry.part("digits", {})


@pytest.fixture(scope="session")
def ring() -> Part:
    return datasets.registry.part("ring8", {})


@pytest.fixture(scope="session")
def classifier() -> Part:
    return extractors.part("classifier", {})


@pytest.fixture(scope="session")
def identity() -> Part:
    return extractors.part("identity", {})


@pytest.fixture(scope="session")
def all_metrics(digits: Part, classifier: Part) -> tuple[Part, ...]:
    """All metrics that apply to digits; pictures of 8 px are too small for those that compare pairs of them."""
    parts = [metrics.part(name, {}) for name in metrics.names() if name not in ("lpips", "ms_ssim")]
    return tuple(part for part in parts if inapplicable(part, digits.create(), classifier, labelled=True) is None)
