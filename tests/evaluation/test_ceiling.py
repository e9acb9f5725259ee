"""What held-out real samples score, and scores by several extractors at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from ganbench import datasets
from ganbench.evaluation import extractors
from ganbench.evaluation.ceiling import held_out
from ganbench.evaluation.evaluate import Evaluator, prepare
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.metrics import registry as metrics
from ganbench.registry import Part

ROOT = Path("unused")


def parts(*names: str) -> tuple[Part, ...]:
    return tuple(metrics.part(name, {}) for name in names)


@pytest.fixture
def pixels(monkeypatch: pytest.MonkeyPatch) -> Part:
    """Register an extractor whose features are averages of pixels, for one test."""
    monkeypatch.setattr(extractors.registry, "_classes", dict(extractors.registry._classes))

    @dataclass(frozen=True)
    class Loaded:
        identity: Mapping[str, Any]

        def __call__(self, samples: torch.Tensor) -> tuple[torch.Tensor, None]:
            return samples.float().unfold(2, 4, 4).unfold(3, 4, 4).mean((-2, -1)).flatten(1) / 64, None

    @extractors.register("pixels")
    @dataclass(frozen=True)
    class Pixels:
        """Averages of four by four pixels."""

        version: ClassVar[int] = 1
        gives: ClassVar[Sequence[str]] = ("features",)

        def supports(self, dataset: Any) -> None:
            return None

        def missing(self, dataset: Any, cache: Path) -> None:
            return None

        def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
            return None

        def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> Loaded:
            return Loaded({})

    return extractors.registry.part("pixels", {})


def test_held_out_samples_of_the_ring_score_what_theory_says(tmp_path: Path) -> None:
    """A sample is of high quality with probability 1 - exp(-9/2), and covers all modes."""
    ring, identity = datasets.registry.part("ring8", {}), extractors.registry.part("identity", {})
    settings = EvaluationSettings(2500, identity, parts("modes", "fid", "coverage", "precision_recall"))
    prepare(ring, settings, ROOT, tmp_path)
    found = Evaluator(ring, settings, ROOT, tmp_path).ceiling().values
    assert found["modes"] == 8
    spread = math.sqrt(0.98889 * 0.01111 / 2500)
    assert found["high_quality"] == pytest.approx(0.98889, abs=4 * spread)
    assert found["mode_kl"] == pytest.approx(0.0014, abs=4 * 0.0007)
    assert found["fid"] < 0.01 and found["coverage"] == pytest.approx(1 - 2**-5, abs=0.02)


def test_the_ceiling_is_measured_once_and_needs_enough_real_samples(
    digits: Part, classifier: Part, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = EvaluationSettings(300, classifier, parts("fid", "class_match"), reference=950)
    evaluator = Evaluator(digits, settings, ROOT, cache)
    found = evaluator.ceiling()
    assert found.values["class_match"] > 0.97  # the classifier's accuracy on what it has not seen
    monkeypatch.setattr(evaluator, "read", lambda *_: pytest.fail("measured twice"))
    assert evaluator.ceiling() == found
    greedy = Evaluator(digits, replace(settings, samples=1500), ROOT, cache).ceiling()
    assert greedy.values == {} and "real samples are held out, and 1500 are generated" in greedy.reason


def test_held_out_samples_are_in_no_reference() -> None:
    """The test split first, then what of the train split the reference leaves."""
    source = datasets.create("digits")
    samples, labels = held_out(source, 500, 1000, ROOT)
    assert labels is not None and len(samples) == len(labels) == 500
    train, test = (source.load(ROOT, split) for split in ("train", "test"))
    order = np.random.RandomState(0).permutation(len(train.samples))
    reference = {picture.tobytes() for picture in train.samples[order[:1000]]}
    assert {picture.numpy().tobytes() for picture in samples[: len(test.samples)]} == {
        picture.tobytes() for picture in test.samples
    }
    assert len(test.samples) < 500
    assert not reference & {picture.numpy().tobytes() for picture in samples[len(test.samples) :]}


def test_a_further_extractor_gives_its_own_values_of_features_alone(
    digits: Part, classifier: Part, pixels: Part, cache: Path
) -> None:
    wanted = parts("fid", "is", "modes", "coverage")
    settings = EvaluationSettings(200, classifier, wanted, further=(pixels,))
    both = Evaluator(digits, settings, ROOT, cache)
    assert set(both.better) == {
        *("fid", "is", "modes", "high_quality", "mode_kl", "coverage", "density"),
        *("fid_pixels", "coverage_pixels", "density_pixels"),
    }
    assert both.titles["fid_pixels"] == "FID by pixels"
    pictures = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    values, _ = both.score(pictures, seed=0)
    for extractor, suffix in ((classifier, ""), (pixels, "_pixels")):
        own = EvaluationSettings(200, extractor, parts("fid", "coverage"))
        alone, _ = Evaluator(digits, own, ROOT, cache).score(pictures, seed=0)
        assert {name + suffix: value for name, value in alone.items()}.items() <= values.items()
    assert both.protocol["further"][0]["name"] == "pixels"
    assert both.protocol_id != Evaluator(digits, replace(settings, further=()), ROOT, cache).protocol_id
