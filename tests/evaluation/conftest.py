from __future__ import annotations

from pathlib import Path

import pytest

from ganbench import datasets
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import inapplicable
from ganbench.metrics import registry as metrics
from ganbench.paths import cache_root
from ganbench.registry import Part


@pytest.fixture(scope="session")
def cache() -> Path:
    """The cache that all tests share, so that the classifier of the digits is trained once."""
    return cache_root()


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


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights in the form of the published one."""
    import torch
    from torch_fidelity import feature_extractor_inceptionv3 as module

    class Random(module.FeatureExtractorInceptionV3):
        def load_state_dict(self, state_dict):
            return None

    empty = tmp_path_factory.mktemp("inception") / "empty.pth"
    torch.save({}, empty)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Random("inception-v3-compat", ["2048"], str(empty))
    path = empty.with_name("random.pth")
    torch.save(network.state_dict(), path)
    return path
