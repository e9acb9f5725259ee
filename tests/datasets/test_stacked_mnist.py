from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import datasets, metrics
from ganbench.datasets import stacked_mnist
from ganbench.evaluation.evaluate import EvaluationSettings, Evaluator
from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.evaluation.extractors import classifier_network
from ganbench.evaluation.extractors import registry as extractors
from ganbench.paths import cache_root
from ganbench.plugins import Modes

Writer = Callable[..., Path]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_mnist, "SIZES", {"train": 3000, "test": 2000})


def test_every_channel_is_a_digit_and_the_class_joins_them(small_mnist: Writer):
    root = small_mnist()
    source, digits = datasets.create("stacked_mnist"), datasets.create("mnist")
    assert (source.shape, source.classes) == ((3, 32, 32), 1000)
    split, single = source.load(root, "test"), digits.load(root, "test")
    assert split.samples.shape == (26_000, 3, 32, 32) and split.samples.dtype == np.uint8
    assert split.labels.dtype == np.int64
    label_of = {picture.tobytes(): label for picture, label in zip(single.samples[:, 0], single.labels, strict=True)}
    for picture, label in list(zip(split.samples, split.labels, strict=True))[:500]:
        assert int("".join(str(label_of[channel.tobytes()]) for channel in picture)) == label
    assert len(np.unique(split.labels)) > 900


def test_the_stacks_are_the_same_every_time_and_others_to_test(small_mnist: Writer, few: None):
    root = small_mnist()
    source = datasets.create("stacked_mnist", side=28)
    train, test = source.load(root, "train"), source.load(root, "test")
    assert train.samples.shape == (3000, 3, 28, 28)
    assert np.array_equal(source.load(root, "train").samples, train.samples)
    pictures = {channel.tobytes() for channel in train.samples.reshape(-1, 28, 28)}
    assert not any(channel.tobytes() in pictures for channel in test.samples.reshape(-1, 28, 28))


def test_what_is_missing_is_mnist(tmp_path: Path):
    source = datasets.create("stacked_mnist")
    assert "MNIST (12 MB" in source.missing(tmp_path)
    with pytest.raises(FileNotFoundError, match="MNIST is not under"):
        source.load(tmp_path, "train")


@pytest.mark.long
def test_the_digit_classifier_reads_every_channel(small_mnist: Writer, few: None):
    root, cache = small_mnist(), cache_root()
    stacked = datasets.registry.part("stacked_mnist", {"side": 28})
    plugin, split = extractors.create("classifier"), stacked.create().load(root, "test")
    joint = plugin.load(stacked, root, cache, "cpu")
    single = plugin.load(stacked.create().channels_as, root, cache, "cpu")
    pictures = torch.from_numpy(split.samples[:50])
    features, logits = joint(pictures)
    assert (features.shape, logits.shape) == ((50, 192), (50, 1000))
    each = [single(pictures[:, [channel]]) for channel in range(3)]
    torch.testing.assert_close(features, torch.cat([both[0] for both in each], dim=1))
    chosen = torch.stack([both[1].argmax(dim=1) for both in each], dim=1) @ torch.tensor([100, 10, 1])
    assert torch.equal(logits.argmax(dim=1), chosen)
    assert torch.equal(chosen, torch.from_numpy(split.labels[:50]))
    # log-probabilities: every row sums to one, and an entry is the sum of its channels'
    assert logits.exp().sum(dim=1).tolist() == pytest.approx([1.0] * 50, abs=1e-5)
    probabilities = [both[1].softmax(dim=1) for both in each]
    expected = torch.einsum("na,nb,nc->nabc", *probabilities).flatten(1)
    torch.testing.assert_close(logits.exp(), expected, rtol=1e-4, atol=1e-7)


def test_one_digit_classifier_is_trained_for_both_datasets(
    small_mnist: Writer, few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root, plugin = small_mnist(), extractors.create("classifier")
    monkeypatch.setattr(classifier_network, "STEPS", 2)
    plugin.prepare(datasets.registry.part("mnist", {}), root, tmp_path)
    trained = {path: path.read_bytes() for path in tmp_path.rglob("*.safetensors")}
    monkeypatch.setattr(classifier_network, "train", lambda *_: pytest.fail("trained again"))
    plugin.prepare(datasets.registry.part("stacked_mnist", {}), root, tmp_path)
    assert len(trained) == 1 and {path: path.read_bytes() for path in tmp_path.rglob("*.safetensors")} == trained


@pytest.mark.long
def test_real_stacks_are_scored_against_the_true_shares_of_a_thousand_modes(small_mnist: Writer, few: None):
    root = small_mnist()
    stacked = datasets.registry.part("stacked_mnist", {"side": 28})
    parts = tuple(metrics.registry.part(name, {}) for name in ("modes", "is", "fid"))
    settings = EvaluationSettings(2000, extractors.part("classifier", {}), parts, reference=1000)
    evaluator = Evaluator(stacked, settings, root, cache_root())
    split = stacked.create().load(root, "train")
    real = torch.from_numpy(split.samples[-2000:]).float() / 127.5 - 1
    values, reasons = evaluator.score(real, seed=0)
    assert reasons == {}
    labels = split.labels[-2000:]
    digits = np.bincount(datasets.create("mnist").load(root, "train").labels) / 400
    weights = np.einsum("a,b,c->abc", digits, digits, digits).ravel()
    shares = np.bincount(labels, minlength=1000) / 2000
    seen = shares > 0
    assert values["modes"] == seen.sum()
    assert values["mode_kl"] == pytest.approx((shares[seen] * np.log(shares[seen] / weights[seen])).sum())
    assert evaluator.protocol["extractor"]["channels"] == 3
    # a collapsed generator: one picture again and again
    values, _ = evaluator.score(real[:1].repeat(2000, 1, 1, 1), seed=0)
    assert (values["modes"], values["is"]) == (1, pytest.approx(1))
    assert values["mode_kl"] == pytest.approx(-np.log(weights[labels[0]]))


def scores(nearest: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    nothing = Reference(torch.zeros(2, 2), None, np.zeros(2), np.eye(2))
    modes = Modes(nearest, np.ones(len(nearest), dtype=bool), weights)
    return metrics.create("modes").compute(Evidence(torch.zeros(2, 2), None, modes, nothing))


def true_weights(root: Path, split: str) -> np.ndarray:
    digits = np.bincount(datasets.create("mnist").load(root, split).labels).astype(float)
    digits /= digits.sum()
    return np.einsum("a,b,c->abc", digits, digits, digits).ravel()


@pytest.mark.parametrize("weights_of", ["test", "train"])
def test_real_stacked_mnist_scores_as_published_for_a_perfect_generator(weights_of: str, mnist_root: Path):
    split = datasets.create("stacked_mnist", side=28).load(mnist_root, "test")
    found = scores(split.labels, true_weights(mnist_root, weights_of))
    assert found["modes"] == 1000
    assert found["mode_kl"] == pytest.approx(0.0194, abs=3 * 0.0009)


def test_real_stacks_are_those_of_the_first_version(mnist_root: Path):
    labels = datasets.create("stacked_mnist", side=28).load(mnist_root, "test").labels
    assert hashlib.sha256(labels.astype("<i8").tobytes()).hexdigest()[:16] == "0a69b2992fbf85fd"


@pytest.fixture
def fewer_digits(mnist_root: Path, tmp_path: Path) -> Path:
    """The real MNIST with the first 12,000 pictures to train on, and all to test."""
    raw, count = tmp_path / "data" / "MNIST" / "raw", 12_000
    raw.mkdir(parents=True)
    for path in (mnist_root / "MNIST" / "raw").glob("t10k-*-ubyte"):
        (raw / path.name).symlink_to(path)
    for name, begin, size in (("train-images-idx3-ubyte", 16, 28 * 28), ("train-labels-idx1-ubyte", 8, 1)):
        whole = (mnist_root / "MNIST" / "raw" / name).read_bytes()
        header = whole[:4] + count.to_bytes(4, "big") + whole[8:begin]
        (raw / name).write_bytes(header + whole[begin : begin + count * size])
    return tmp_path / "data"


@pytest.mark.long
def test_the_classifier_knows_mnist_and_counts_the_modes_of_real_stacks(
    fewer_digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(classifier_network, "STEPS", 300)  # a quarter of the training: 98 % of digits will do here
    monkeypatch.setattr(stacked_mnist, "SIZES", {"test": 8000})
    stacked = datasets.registry.part("stacked_mnist", {"side": 28})
    loaded = extractors.create("classifier").load(stacked, fewer_digits, tmp_path, "cpu")
    assert loaded.identity["test_accuracy"] > 0.975
    split = stacked.create().load(fewer_digits, "test")
    _, logits = loaded(torch.from_numpy(split.samples))
    nearest = logits.argmax(dim=1).numpy()
    assert (nearest == split.labels).mean() > 0.93
    found, true = (scores(modes, loaded.mode_weights) for modes in (nearest, split.labels))
    assert true["modes"] > 990 and found["modes"] == pytest.approx(true["modes"], abs=3)
    assert found["mode_kl"] == pytest.approx(true["mode_kl"], abs=3 * 0.003)


@pytest.mark.long
def test_the_digit_classifier_counts_the_modes_of_real_stacked_mnist(
    mnist_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(classifier_network, "STEPS", 300)  # a quarter of the training: 98 % of digits will do here
    stacked = datasets.registry.part("stacked_mnist", {"side": 28})
    loaded = extractors.create("classifier").load(stacked, mnist_root, tmp_path, "cpu")
    split = stacked.create().load(mnist_root, "test")
    _, logits = loaded(torch.from_numpy(split.samples))
    nearest = logits.argmax(dim=1).numpy()
    assert (nearest == split.labels).mean() > 0.93
    found = scores(nearest, loaded.mode_weights)
    assert found["modes"] == 1000
    assert found["mode_kl"] == pytest.approx(0.0194, abs=3 * 0.0009)
