from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import datasets
from ganbench.evaluation.extractors import classifier_network
from ganbench.evaluation.extractors import registry as extractors
from ganbench.registry import Part

ROOT = Path("unused")


def test_the_classifier_knows_the_digits(digits: Part, classifier: Part, cache: Path):
    loaded = classifier.create().load(digits, ROOT, cache, "cpu")
    assert loaded.identity["test_accuracy"] >= 0.97
    test = digits.create().load(ROOT, "test")
    features, logits = loaded(torch.from_numpy(test.samples))
    assert (features.shape, logits.shape) == ((355, 64), (355, 10))
    assert features.square().mean() == pytest.approx(1, abs=0.1)
    assert features.dtype == logits.dtype == torch.float32
    right = (logits.argmax(dim=1).numpy() == test.labels).mean()
    assert loaded.identity["test_accuracy"] == pytest.approx(right, abs=1e-6)


@pytest.mark.long
def test_the_classifier_knows_mnist(classifier: Part, mnist_root: Path, tmp_path: Path):
    mnist = datasets.registry.part("mnist", {})
    loaded = classifier.create().load(mnist, mnist_root, tmp_path, "cpu")
    assert loaded.identity["test_accuracy"] >= 0.99


@pytest.mark.long
@pytest.mark.parametrize("steps", [150, classifier_network.STEPS])
def test_the_classifier_learns_colour_pictures_of_a_folder(
    steps: int, classifier: Part, cifar_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(classifier_network, "STEPS", steps)
    folder = datasets.registry.part("image_folder", {"path": str(cifar_folder), "side": 16})
    loaded = classifier.create().load(folder, ROOT, tmp_path, "cpu")
    assert loaded.identity["test_accuracy"] > 0.4


def test_the_classifier_is_the_same_whoever_trains_it_and_leaves_the_random_state_alone():
    images = torch.randint(0, 256, (16, 3, 40, 40), dtype=torch.uint8)
    labels = torch.arange(16) % 3
    state = torch.get_rng_state()
    first = classifier_network.train(images, labels, 3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    with torch.no_grad():
        second = classifier_network.train(images, labels, 3)
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_classifier_is_trained_once_per_content(
    digits: Part, classifier: Part, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    plugin = classifier.create()
    plugin.prepare(digits, ROOT, cache)
    assert all(path.exists() and path.parent == cache / "classifiers" for path in plugin.files(digits, ROOT, cache))
    monkeypatch.setattr(classifier_network, "train", lambda *_: pytest.fail("trained again"))
    plugin.prepare(digits, ROOT, cache)


def test_altered_weights_are_refused(digits: Part, classifier: Part, cache: Path, tmp_path: Path):
    plugin = classifier.create()
    plugin.prepare(digits, ROOT, cache)
    (tmp_path / "classifiers").mkdir()
    weights, record = plugin.files(digits, ROOT, tmp_path)
    weights.write_bytes(plugin.files(digits, ROOT, cache)[0].read_bytes())
    record.write_text(json.dumps({"weights": "0" * 16, "test_accuracy": 1.0}))
    with pytest.raises(ValueError, match="altered"):
        classifier.create().load(digits, ROOT, tmp_path, "cpu")


def test_identity_gives_points_back(ring: Part, identity: Part, cache: Path):
    points = torch.randn(5, 2, dtype=torch.float64)
    features, logits = identity.create().load(ring, ROOT, cache, "cpu")(points)
    assert torch.equal(features, points.float())
    assert logits is None


@pytest.mark.parametrize(
    ("extractor", "dataset", "reason"),
    [
        ("identity", "digits", "for points"),
        ("classifier", "ring8", "for images"),
        ("inception", "ring8", "for images"),
        ("dinov2", "ring8", "for images"),
        ("clip", "ring8", "for images"),
        ("identity", "ring8", None),
        ("classifier", "digits", None),
        ("inception", "digits", None),
        ("dinov2", "digits", None),
        ("clip", "digits", None),
    ],
)
def test_what_cannot_be_read_is_said(extractor: str, dataset: str, reason: str | None):
    said = extractors.create(extractor).supports(datasets.create(dataset))
    assert said is None if reason is None else reason in said


def test_a_dataset_without_classes_has_no_classifier(tmp_path: Path):
    folder = datasets.create("image_folder", path=str(tmp_path))
    assert "needs labels" in extractors.create("classifier").supports(folder)


def test_absent_inception_weights_are_said_before_anything_trains(tmp_path: Path, digits: Part):
    source = digits.create()
    assert "91 MB" in extractors.create("inception").missing(source, tmp_path)
    wrong = extractors.create("inception", weights=str(tmp_path / "none.pth"))
    assert "no Inception weights" in wrong.missing(source, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        wrong.prepare(digits, ROOT, tmp_path)


def test_inception_reads_grey_and_colour_alike(inception_weights: Path, digits: Part, tmp_path: Path):
    plugin = extractors.create("inception", weights=str(inception_weights))
    assert plugin.missing(digits.create(), tmp_path) is None
    loaded = plugin.load(digits, ROOT, tmp_path, "cpu")
    grey = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    features, logits = loaded(grey)
    assert (features.shape, logits.shape) == ((3, 2048), (3, 1008))
    assert torch.allclose(loaded(grey.repeat(1, 3, 1, 1))[0], features)
    assert loaded.identity["grey"] == "repeated to three channels"
    assert "299" in loaded.identity["resize"]
    assert not np.allclose(features[0], features[1])


def test_a_weights_file_that_holds_code_is_not_run(digits: Part, tmp_path: Path):
    import pickle

    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    trap = tmp_path / "trap.pth"
    torch.save({"weights": Trap()}, trap)
    with pytest.raises(pickle.UnpicklingError):
        extractors.create("inception", weights=str(trap)).load(digits, ROOT, tmp_path, "cpu")
    assert not (tmp_path / "ran").exists()
