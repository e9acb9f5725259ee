"""Scores outside any suite, against torch-fidelity on the same files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import ganbench
import ganbench.api
from ganbench.evaluation.extractors import registry as extractors
from ganbench.paths import cache_root, data_root
from ganbench.registry import Part
from ganbench.suite.errors import SuiteError

FIDELITY = {
    "cuda": False,
    "cache": False,
    "save_cpu_ram": True,
    "verbose": False,
    "rng_seed": 11,
    "batch_size": 64,
    "fid": True,
    "isc": True,
    "kid": True,
}


def save(folder: Path, pixels: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    for place, image in enumerate(pixels):
        Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(folder / f"{place:04}.png")
    return folder


def noisy(pixels: np.ndarray, by: float) -> np.ndarray:
    """Blur the scores away from the ends of their scales."""
    return (pixels + np.random.default_rng(1).normal(0, by, pixels.shape)).clip(0, 255).astype(np.uint8)


def agree(ours: ganbench.api.Evaluation, theirs: dict[str, float], rel: float) -> None:
    assert ours.reasons == {}
    assert ours.values["fid"] == pytest.approx(theirs["frechet_inception_distance"], rel=rel)
    assert ours.values["is"] == pytest.approx(theirs["inception_score_mean"], rel=1e-5)
    assert ours.values["kid"] == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-5, abs=1e-6)


def test_a_folder_gets_torch_fidelitys_scores_of_the_same_folder(
    digits: Part, classifier: Part, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GANBENCH_CACHE", str(cache))  # where the other tests' classifier lies
    torch_fidelity = pytest.importorskip("torch_fidelity")
    plugin = classifier.create()
    plugin.prepare(digits, data_root(), cache_root())
    network = plugin.load(digits, data_root(), cache_root(), "cpu").network
    name = f"ganbench-test-folder-{os.getpid()}"

    class Wrapped(torch_fidelity.FeatureExtractorBase):
        def __init__(self, name, features_list, feature_extractor_weights_path=None, **ignored):
            super().__init__(name, features_list)
            self.network = network

        def forward(self, images):
            both = dict(zip(("features", "logits"), self.network(images[:, :1]), strict=True))  # files become RGB
            return tuple(both[wanted].double() for wanted in self.features_list)

        @staticmethod
        def get_provided_features_list():
            return ("features", "logits")

        @staticmethod
        def get_default_feature_layer_for_metric(metric):
            return "logits" if metric == "isc" else "features"

        @staticmethod
        def can_be_compiled():
            return False

    torch_fidelity.register_feature_extractor(name, Wrapped)
    train = digits.create().load(data_root(), "train").samples
    real = train[np.random.RandomState(0).permutation(len(train))[:400]]
    fake = save(tmp_path / "fake", noisy(train[:300], 60))
    theirs = torch_fidelity.calculate_metrics(
        input1=str(fake),
        input2=str(save(tmp_path / "real", real)),
        feature_extractor=name,
        kid_subset_size=250,
        **FIDELITY,
    )
    metrics = "fid, is, {kid: {subset_size: 250}}"
    ours = ganbench.evaluate(fake, "digits", metrics=metrics, reference=400, seed=11, device="cpu")
    agree(ours, theirs, 1e-8)
    assert ours.values["fid"] > 1


@pytest.mark.long
def test_a_folder_by_inception_gets_torch_fidelitys_scores(inception_weights: Path, cifar_folder: Path, tmp_path: Path):
    torch_fidelity = pytest.importorskip("torch_fidelity")
    files = sorted(cifar_folder.rglob("*.jp*g"))[:1200:50]
    pixels = []
    for path in files:
        with Image.open(path) as picture:
            pixels.append(np.asarray(picture.convert("RGB")).transpose(2, 0, 1))
    real = save(tmp_path / "data" / "train", np.stack(pixels[:10]))
    save(tmp_path / "data" / "test", np.stack(pixels[10:12]))
    fake = save(tmp_path / "fake", noisy(np.stack(pixels[12:]), 30))
    ours = ganbench.evaluate(
        fake,
        {"image_folder": {"path": str(tmp_path / "data"), "side": 32}},
        metrics=["fid", "is", {"kid": {"subset_size": 10}}],
        extractors=[{"inception": {"weights": str(inception_weights)}}],
        seed=11,
        device="cpu",
    )
    theirs = torch_fidelity.calculate_metrics(
        input1=str(fake),
        input2=str(real),
        feature_extractor_weights_path=str(inception_weights),
        kid_subset_size=10,
        **FIDELITY,
    )
    agree(ours, theirs, 1e-4)
    assert ours.ceiling.reason == "only 2 real samples are held out, and 12 are generated"


@extractors.register("test_only_scaled")
@dataclass(frozen=True)
class Scaled:
    """Points, twice as far from the origin."""

    gives: ClassVar = ("features",)

    def supports(self, dataset):
        return None

    def missing(self, dataset, cache):
        return None

    def prepare(self, dataset, data_root, cache):
        return None

    def load(self, dataset, data_root, cache, device):
        return _Doubling()


class _Doubling:
    identity: ClassVar = {"factor": 2}

    def __call__(self, samples):
        return 2 * samples, None


def test_further_extractors_give_their_values_again_under_their_names():
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    both = ["identity", "test_only_scaled"]
    found = ganbench.evaluate(points, "grid25", metrics="modes,fid", extractors=both, reference=500, device="cpu")
    assert found.values.keys() == {"modes", "high_quality", "mode_kl", "fid", "fid_test_only_scaled"}
    assert found.values["fid_test_only_scaled"] == pytest.approx(4 * found.values["fid"], rel=1e-5)
    assert found.protocol["further"][0]["factor"] == 2
    alone = ganbench.evaluate(points, "grid25", metrics="modes,fid", reference=500, device="cpu")
    assert alone.protocol_id != found.protocol_id
    with pytest.raises(SuiteError, match="identity is named twice"):
        ganbench.evaluate(points, "grid25", extractors=["identity", "identity"], device="cpu")


def test_a_tensor_in_memory_is_a_source_and_a_number_is_none():
    points = torch.zeros(30, 2, dtype=torch.float64)
    assert ganbench.evaluate(points, "ring8", metrics="modes", reference=100, device="cpu").values["modes"] == 0
    with pytest.raises(SuiteError, match="expected a path, an array or a tensor, got int"):
        ganbench.evaluate(3, "ring8", device="cpu")
    with pytest.raises(SuiteError, match="9 samples, and 10 are needed"):
        ganbench.evaluate(points[:9], "ring8", device="cpu")
