"""A classifier trained on the dataset itself: for digits, and where no large network is at hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ganbench.evaluation.content import dataset_content, digest
from ganbench.evaluation.extractors import register
from ganbench.evaluation.extractors.per_channel import PerChannel, per_channel
from ganbench.evaluation.extractors.pretrained import sha256_of
from ganbench.locks import alone
from ganbench.paths import write_whole
from ganbench.plugins import Dataset, Split
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.evaluation.extractors.classifier_network import Network


@dataclass(frozen=True)
class TrainedClassifier:
    """The network; `identity` holds the hash of its weights and its accuracy on the test split."""

    network: Network
    identity: Mapping[str, Any]

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Map uint8 images `(n, c, h, w)` to features `(n, 64)` and logits `(n, classes)`."""
        from ganbench.evaluation.extractors.classifier_network import extract

        return extract(self.network, samples)


@register("classifier")
@dataclass(frozen=True)
class Classifier:
    """A small CNN trained once on the dataset's train split: 64 penultimate features, one logit per class.

    Three convolutions with batch normalisation, AdamW on one cycle, shifts of one pixel; images above 32 x 32
    are averaged down. Trained on the CPU with one thread from a fixed seed, kept in the cache by the
    dataset's content. Where the channels are pictures of another dataset (`stacked_mnist`), its classifier reads each
    channel: 64 features per channel, and log-probabilities of the joint classes.
    """

    version: ClassVar[int] = 1
    gives: ClassVar[Sequence[str]] = ("features", "logits", "modes")

    def supports(self, dataset: Dataset) -> str | None:
        """Refuse points, and datasets without classes to learn."""
        if len(dataset.shape) != 3:
            return "classifier is for images; take identity"
        return None if dataset.classes else "classifier needs labels to learn; take inception"

    def missing(self, dataset: Dataset, cache: Path) -> None:
        """Nothing: it is trained here."""

    def prepare(self, dataset: Part, data_root: Path, cache: Path) -> None:
        """Train the network unless it lies in the cache; ValueError when the dataset is not supported."""
        if (channel := _channel(dataset)) is not None:
            self.prepare(channel, data_root, cache)
            return
        weights_path, record_path = self._paths(dataset, data_root, cache)
        if weights_path.exists() and record_path.exists():
            return
        with alone(weights_path):
            if not (weights_path.exists() and record_path.exists()):  # another process may have trained it meanwhile
                self._train(dataset, data_root, weights_path, record_path)

    def _train(self, dataset: Part, data_root: Path, weights_path: Path, record_path: Path) -> None:
        source: Dataset = dataset.create()
        why = self.supports(source)
        if why is not None:
            raise ValueError(why)
        from safetensors.torch import save

        from ganbench.evaluation.extractors.classifier_network import accuracy, train

        assert source.classes is not None
        network = train(*_tensors(source.load(data_root, "train")), source.classes)
        reached = accuracy(network, *_tensors(source.load(data_root, "test")))
        weights = save(network.state_dict())
        record = {"weights": hashlib.sha256(weights).hexdigest()[:16], "test_accuracy": round(reached, 6)}
        write_whole(weights_path, weights)
        # last: it says that the weights are whole
        write_whole(record_path, (json.dumps(record) + "\n").encode())

    def load(self, dataset: Part, data_root: Path, cache: Path, device: str) -> TrainedClassifier | PerChannel:
        """Read the network from the cache, training it if need be; ValueError when it was altered."""
        if (channel := _channel(dataset)) is not None:
            reader = self.load(channel, data_root, cache, device)
            return per_channel(reader, reader.identity, channel, dataset.create().shape[0], data_root)
        import torch
        from safetensors.torch import load

        from ganbench.evaluation.extractors.classifier_network import Network

        self.prepare(dataset, data_root, cache)
        weights_path, record_path = self._paths(dataset, data_root, cache)
        weights, record = weights_path.read_bytes(), json.loads(record_path.read_text())
        if hashlib.sha256(weights).hexdigest()[:16] != record["weights"]:
            raise ValueError(f"{weights_path} was altered since it was trained; delete it to train it again")
        source: Dataset = dataset.create()
        assert source.classes is not None
        network = Network(source.shape[0], source.shape[1], source.classes)
        network.load_state_dict(load(weights))
        network = network.eval().requires_grad_(False)
        # Twice as fast on a CPU as channels first.
        return TrainedClassifier(network.to(memory_format=torch.channels_last).to(device), record)

    def files(self, dataset: Part, data_root: Path, cache: Path) -> tuple[Path, ...]:
        """Return where the network and its record lie once it is trained."""
        return self._paths(_channel(dataset) or dataset, data_root, cache)

    def known(self, dataset: Part, data_root: Path, cache: Path) -> str:
        """Say how good the network is, or that it is not trained yet."""
        weights_path, record_path = self._paths(_channel(dataset) or dataset, data_root, cache)
        if not (weights_path.exists() and record_path.exists()):
            return "not trained yet"
        accuracy = json.loads(record_path.read_text())["test_accuracy"]
        return f"trained, right on {100 * accuracy:.1f} % of the test split"

    def damaged(self, dataset: Part, data_root: Path, cache: Path) -> str | None:
        """Say that the network in the cache is not the one that was trained, or None."""
        weights_path, record_path = self._paths(_channel(dataset) or dataset, data_root, cache)
        if sha256_of(weights_path)[:16] == json.loads(record_path.read_text())["weights"]:
            return None
        return f"{weights_path} was altered since it was trained"

    def _paths(self, dataset: Part, data_root: Path, cache: Path) -> tuple[Path, Path]:
        content = digest({"dataset": dataset_content(dataset, data_root), "classifier": self.version})
        folder = cache / "classifiers"
        return folder / f"{content}.safetensors", folder / f"{content}.json"


def _channel(dataset: Part) -> Part | None:
    """Return the dataset whose pictures the channels are, where they are."""
    found: Part | None = getattr(dataset.create(), "channels_as", None)
    return found


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    import torch

    if split.labels is None:
        raise ValueError("the dataset has no labels to train a classifier on")
    return torch.from_numpy(split.samples), torch.from_numpy(split.labels)
