from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from ganbench import datasets
from ganbench.evaluation import evaluate
from ganbench.evaluation.evaluate import Evaluator
from ganbench.evaluation.extractors import classifier_network
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings, default_extractor, default_metrics, inapplicable
from ganbench.metrics import registry as metrics
from ganbench.registry import Part

ROOT = Path("unused")


def points(source: str, count: int) -> torch.Tensor:
    return torch.from_numpy(datasets.create(source).load(ROOT, "test").samples[:count])


def pictures(count: int) -> torch.Tensor:
    return torch.from_numpy(datasets.create("digits").load(ROOT, "test").samples[:count]) / 127.5 - 1


def parts(*names: str) -> tuple[Part, ...]:
    return tuple(metrics.part(name, {}) for name in names)


@pytest.fixture
def of_digits(digits: Part, classifier: Part, all_metrics: tuple[Part, ...], cache: Path) -> Evaluator:
    return Evaluator(digits, EvaluationSettings(300, classifier, all_metrics), ROOT, cache)


@pytest.fixture
def of_ring(ring: Part, identity: Part, cache: Path) -> Evaluator:
    chosen = parts("modes", "fid", "precision_recall", "coverage", "duplicates")
    return Evaluator(ring, EvaluationSettings(500, identity, chosen), ROOT, cache)


def test_real_points_score_as_real(of_ring: Evaluator):
    values, reasons = of_ring.score(points("ring8", 500), seed=0)
    assert reasons == {}
    assert values.keys() == of_ring.better.keys() == of_ring.titles.keys()
    assert values["modes"] == 8
    assert values["fid"] < 0.05
    assert min(values["precision"], values["recall"], values["coverage"]) > 0.9


def test_real_pictures_score_as_real(of_digits: Evaluator):
    values, reasons = of_digits.score(pictures(300), seed=0)
    assert reasons == {}
    assert values["modes"] == 10
    assert values["mode_kl"] < 0.05
    assert values["is"] > 8
    assert min(values["precision"], values["recall"], values["coverage"]) > 0.8
    assert abs(values["kid"]) < 0.1


def test_a_collapsed_generator_is_scored_and_not_a_crash(of_digits: Evaluator, of_ring: Evaluator):
    for evaluator, one in ((of_digits, pictures(1)), (of_ring, points("ring8", 1))):
        count = evaluator.protocol["samples"]
        values, reasons = evaluator.score(one.expand(count, *one.shape[1:]), seed=0)
        assert reasons == {}
        assert all(type(value) is float and math.isfinite(value) for value in values.values())
        assert values["modes"] == 1
        assert values["recall"] < 0.05
        assert values["coverage"] < 0.1
        assert (values["duplicates"], values["support"]) == (1, 1)


def test_points_far_from_every_mode_have_an_explained_kl(of_ring: Evaluator):
    values, reasons = of_ring.score(points("ring8", 500) + 50, seed=0)
    assert math.isnan(values["mode_kl"])
    assert reasons == {"mode_kl": "no sample is of high quality"}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_samples_that_are_not_finite_make_every_value_nan(of_ring: Evaluator, bad: float):
    samples = points("ring8", 500)
    samples[7, 1] = bad
    values, reasons = of_ring.score(samples, seed=0)
    assert all(math.isnan(value) for value in values.values())
    assert set(reasons.values()) == {"1 of 500 samples are not finite"}
    assert reasons.keys() == values.keys() == of_ring.better.keys()


def test_huge_points_do_not_crash(of_ring: Evaluator):
    values, reasons = of_ring.score(points("ring8", 500) * 1e38, seed=0)
    assert all(math.isfinite(value) or name in reasons for name, value in values.items())


def test_the_same_samples_and_seed_give_the_same_scores(of_digits: Evaluator):
    assert of_digits.score(pictures(300), seed=5) == of_digits.score(pictures(300), seed=5)


def test_scores_are_those_of_torch_fidelity(of_digits: Evaluator, digits: Part, classifier: Part, cache: Path):
    torch_fidelity = pytest.importorskip("torch_fidelity")
    network = classifier.create().load(digits, ROOT, cache, "cpu").network
    name = f"ganbench-test-{os.getpid()}"

    class Wrapped(torch_fidelity.FeatureExtractorBase):
        def __init__(self, name, features_list, feature_extractor_weights_path=None, **ignored):
            super().__init__(name, features_list)
            self.network = network

        def forward(self, images):
            both = dict(zip(("features", "logits"), self.network(images), strict=True))
            # double: its statistics are otherwise rounded to single precision
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

    class Pictures(torch.utils.data.Dataset):
        def __init__(self, images):
            self.images = images

        def __len__(self):
            return len(self.images)

        def __getitem__(self, index):
            return self.images[index]

    torch_fidelity.register_feature_extractor(name, Wrapped)
    real = digits.create().load(ROOT, "train").samples
    real = torch.from_numpy(real[np.random.RandomState(0).permutation(len(real))])
    # noisy pictures, so that no score is at the end of its scale
    noisy = (pictures(300) + 0.6 * torch.randn(300, 1, 8, 8, generator=torch.Generator().manual_seed(1))).clamp(-1, 1)
    values, _ = of_digits.score(noisy, seed=11)
    fake = of_digits.quantise(noisy)
    common = {
        "input1": Pictures(fake),
        "feature_extractor": name,
        "cuda": False,
        "cache": False,
        "save_cpu_ram": True,
        "verbose": False,
        "rng_seed": 11,
        "batch_size": 128,
    }
    theirs = torch_fidelity.calculate_metrics(
        input2=Pictures(real), fid=True, isc=True, kid=True, kid_subset_size=250, **common
    )
    assert values["fid"] == pytest.approx(theirs["frechet_inception_distance"], rel=1e-8)
    assert values["is"] == pytest.approx(theirs["inception_score_mean"], abs=1e-6, rel=1e-6)
    assert values["kid"] == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6, rel=1e-6)
    theirs = torch_fidelity.calculate_metrics(input2=Pictures(real[:300]), prc=True, **common)
    assert (np.float32(values["precision"]), np.float32(values["recall"])) == (theirs["precision"], theirs["recall"])
    assert 0.1 < values["precision"] < 0.95


def test_real_pictures_are_extracted_once(
    digits: Part, classifier: Part, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    original = classifier_network.extract
    monkeypatch.setattr(
        classifier_network, "extract", lambda network, images: seen.append(len(images)) or original(network, images)
    )
    settings = EvaluationSettings(100, classifier, parts("fid"), reference=900)
    evaluate.prepare(digits, settings, ROOT, cache)
    assert seen == [900, 100]  # the reference, and held-out ones for the ceiling
    seen.clear()
    evaluate.prepare(digits, settings, ROOT, cache)
    evaluator = Evaluator(digits, dataclasses.replace(settings, samples=50), ROOT, cache)
    assert seen == []
    evaluator.score(pictures(50), seed=0)
    assert seen == [50]


def test_images_are_quantised_as_torchvision_saves_them(of_digits: Evaluator, tmp_path: Path):
    from PIL import Image
    from torchvision.utils import save_image

    image = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2.4 - 1.2
    save_image((image + 1) / 2, tmp_path / "a.png")
    saved = np.asarray(Image.open(tmp_path / "a.png"))[..., 0]
    assert np.array_equal(of_digits.quantise(image[None])[0, 0].numpy(), saved)


def test_real_images_survive_the_way_to_floats_and_back(of_digits: Evaluator):
    every = torch.arange(256, dtype=torch.uint8)[:, None, None, None]
    assert torch.equal(of_digits.quantise(every / 127.5 - 1), every)


def test_samples_must_be_what_the_protocol_says(of_ring: Evaluator):
    with pytest.raises(ValueError, match=r"\(500, 2\)"):
        of_ring.score(points("ring8", 499), seed=0)


def test_an_extractor_that_cannot_read_the_dataset_is_refused(digits: Part, identity: Part, cache: Path):
    with pytest.raises(ValueError, match="digits: identity is for points"):
        Evaluator(digits, EvaluationSettings(10, identity, parts("fid")), ROOT, cache)


def test_two_metrics_of_one_name_are_refused(ring: Part, identity: Part, cache: Path):
    twice = (metrics.part("kid", {}), metrics.part("kid", {"subsets": 10}))
    with pytest.raises(ValueError, match="two metrics give kid"):
        Evaluator(ring, EvaluationSettings(10, identity, twice), ROOT, cache)


def test_a_metric_that_fails_loses_its_own_values_only(ring: Part, identity: Part, cache: Path):
    @metrics.register("test_only_failing")
    @dataclass(frozen=True)
    class Failing:
        """Always raises."""

        needs: ClassVar = ("features",)
        better: ClassVar = {"failing": "lower"}
        titles: ClassVar = {"failing": "failing"}

        def compute(self, evidence):
            raise np.linalg.LinAlgError("did not converge")

    chosen = (metrics.part("test_only_failing", {}), *parts("fid", "is", "precision_recall"))
    evaluator = Evaluator(ring, EvaluationSettings(3, identity, chosen), ROOT, cache)
    values, reasons = evaluator.score(points("ring8", 3), seed=0)
    assert math.isfinite(values["fid"])
    assert reasons.keys() == {"failing", "is", "precision", "recall"}
    assert reasons["failing"] == "LinAlgError: did not converge"
    assert "does not classify" in reasons["is"]
    assert "too few" in reasons["recall"]


def test_the_protocol_changes_with_each_ingredient(digits: Part, classifier: Part, cache: Path):
    base = EvaluationSettings(100, classifier, parts("fid", "kid"), reference=500)
    variants = [
        base,
        dataclasses.replace(base, samples=101),
        dataclasses.replace(base, reference=501),
        dataclasses.replace(base, metrics=parts("fid")),
        dataclasses.replace(base, metrics=(*parts("fid"), metrics.part("kid", {"subset_size": 50}))),
        dataclasses.replace(base, metrics=(parts("fid")[0], dataclasses.replace(parts("kid")[0], version="2"))),
    ]
    ids = [Evaluator(digits, settings, ROOT, cache).protocol_id for settings in variants]
    assert len(set(ids)) == len(variants)
    assert all(len(name) == 12 for name in ids)


def test_the_protocol_follows_the_content_and_not_where_the_cache_lies(
    ring: Part, identity: Part, cache: Path, tmp_path: Path
):
    settings = EvaluationSettings(100, identity, parts("modes", "fid"))
    here, there = Evaluator(ring, settings, ROOT, cache), Evaluator(ring, settings, tmp_path, tmp_path)
    assert here.protocol == there.protocol
    assert here.protocol_id == there.protocol_id
    newer = dataclasses.replace(ring, version="2")
    assert Evaluator(newer, settings, ROOT, cache).protocol_id != here.protocol_id


def test_the_protocol_names_the_weights_and_the_real_rows(of_digits: Evaluator):
    protocol = of_digits.protocol
    assert protocol["extractor"]["test_accuracy"] >= 0.97
    assert len(protocol["extractor"]["weights"]) == 16
    assert protocol["reference"]["count"] == 1442
    assert protocol["samples"] == 300


def test_defaults_fit_their_dataset(tmp_path: Path):
    folder = datasets.create("image_folder", path=str(tmp_path))
    expected = {"ring8": "identity", "grid25": "identity", "digits": "classifier", "mnist": "classifier"}
    sources = {name: datasets.create(name) for name in expected}
    for name, extractor in expected.items():
        assert default_extractor(sources[name]) == extractor
    assert default_extractor(folder) == "inception"
    for source in (*sources.values(), folder):
        extractor = extractors.part(default_extractor(source), {})
        for part in parts(*default_metrics(source)):
            assert inapplicable(part, source, extractor) is None
    assert default_metrics(sources["ring8"])[0] == "modes"
    assert default_metrics(sources["mnist"])[0] == "fid"


def test_what_does_not_apply_is_said(tmp_path: Path):
    ring, folder = datasets.create("ring8"), datasets.create("image_folder", path=str(tmp_path))
    identity, inception = extractors.part("identity", {}), extractors.part("inception", {})
    assert "does not classify" in inapplicable(metrics.part("is", {}), ring, identity)
    assert "known modes" in inapplicable(metrics.part("modes", {}), folder, inception)
    assert inapplicable(metrics.part("modes", {}), ring, identity) is None


def test_a_class_is_asked_for_by_some_objectives_only(tmp_path: Path):
    ring, mnist = datasets.create("ring8"), datasets.create("mnist")
    folder = datasets.create("image_folder", path=str(tmp_path))
    names = ("identity", "classifier", "inception")
    identity, classifier, inception = (extractors.part(name, {}) for name in names)
    match = metrics.part("class_match", {})
    for source, extractor in ((ring, identity), (mnist, classifier)):
        assert "class_match" not in default_metrics(source)
        assert default_metrics(source, labelled=True) == (*default_metrics(source), "class_match")
        assert inapplicable(match, source, extractor, labelled=True) is None
        assert "no objective here is told one" in inapplicable(match, source, extractor)
    assert default_metrics(folder, labelled=True) == default_metrics(folder)
    assert "the extractor classifier" in inapplicable(match, mnist, inception, labelled=True)


@pytest.fixture
def of_told_ring(ring: Part, identity: Part, cache: Path) -> Evaluator:
    return Evaluator(ring, EvaluationSettings(400, identity, parts("modes", "class_match")), ROOT, cache)


def test_points_match_the_modes_that_they_were_asked_to_be(of_told_ring: Evaluator, ring: Part):
    split = ring.create().load(ROOT, "test")
    samples, labels = torch.from_numpy(split.samples[:400]), torch.from_numpy(split.labels[:400])
    assert of_told_ring.score(samples, 0, labels)[0]["class_match"] == 1
    assert of_told_ring.score(samples, 0, (labels + 1) % 8)[0]["class_match"] == 0
    mixed = torch.where(torch.arange(400) < 100, (labels + 1) % 8, labels)
    assert of_told_ring.score(samples, 0, mixed)[0]["class_match"] == 0.75
    assert of_told_ring.better["class_match"] == "higher"


def test_pictures_match_as_often_as_the_classifier_is_right(digits: Part, classifier: Part, cache: Path):
    evaluator = Evaluator(digits, EvaluationSettings(355, classifier, parts("class_match")), ROOT, cache)
    split = digits.create().load(ROOT, "test")
    values, reasons = evaluator.score(torch.from_numpy(split.samples) / 127.5 - 1, 0, torch.from_numpy(split.labels))
    assert reasons == {}
    assert values["class_match"] == pytest.approx(evaluator.protocol["extractor"]["test_accuracy"], abs=1e-6)


def test_what_needs_a_class_is_left_out_where_none_was_asked_for(of_told_ring: Evaluator):
    values, reasons = of_told_ring.score(points("ring8", 400), seed=0)
    assert values.keys() == {"modes", "high_quality", "mode_kl"} and reasons == {}
    values, reasons = of_told_ring.score(points("ring8", 400) * math.nan, seed=0)
    assert values.keys() == reasons.keys() == {"modes", "high_quality", "mode_kl"}
    values, reasons = of_told_ring.score(points("ring8", 400) * math.nan, 0, torch.zeros(400, dtype=torch.long))
    assert math.isnan(values["class_match"]) and "not finite" in reasons["class_match"]


def test_being_told_a_class_does_not_change_the_other_scores(of_told_ring: Evaluator):
    told, _ = of_told_ring.score(points("ring8", 400), 0, torch.arange(400) % 8)
    free, _ = of_told_ring.score(points("ring8", 400), 0)
    assert {name: value for name, value in told.items() if name != "class_match"} == free


@dataclass(frozen=True)
class KnownDensity:
    """Points whose density is known, and modes where they are given."""

    shape: tuple[int, ...] = (2,)
    classes: int | None = None

    def log_density(self, samples):
        return -0.5 * (samples**2).sum(axis=1)


class KnownModes(KnownDensity):
    def modes(self, samples): ...


def test_points_with_a_known_density_and_no_modes_are_scored_by_it():
    expected = ("fid", "w2", "log_likelihood", "optimality_gap", "precision_recall", "coverage")
    assert default_metrics(KnownDensity()) == default_metrics(KnownDensity((9,))) == expected
    assert default_metrics(KnownModes()) == default_metrics(datasets.create("ring8"))
    identity = extractors.part("identity", {})
    for part in parts(*expected):
        assert inapplicable(part, KnownDensity(), identity) is None


def test_scores_of_points_and_of_pictures_are_kept_apart():
    digits, classifier = datasets.create("digits"), extractors.part("classifier", {})
    for name in ("w2", "optimality_gap"):
        assert "is for points" in inapplicable(metrics.part(name, {}), digits, classifier)
    assert "density is known" in inapplicable(metrics.part("log_likelihood", {}), digits, classifier)
    assert "is for pictures" in inapplicable(
        metrics.part("ms_ssim", {}), KnownDensity(), extractors.part("identity", {})
    )
