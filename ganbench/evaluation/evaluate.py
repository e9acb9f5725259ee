"""From samples to scores: features are extracted once, and every metric reads them."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.content import dataset_content, digest
from ganbench.evaluation.evidence import Evidence
from ganbench.evaluation.extractors import Extractor, ExtractorPlugin
from ganbench.evaluation.per_class import per_class
from ganbench.evaluation.reference import ORDER, SPLIT, reference
from ganbench.plugins import Dataset, Metric, Modes
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor

PROTOCOL_VERSION = 1
QUANTISATION = "clamp to [-1, 1], (x + 1) / 2 * 255 + 0.5, cut to uint8"


@dataclass(frozen=True)
class EvaluationSettings:
    """How cells are scored: how many `samples` of each, by which extractor and metrics, against how many.

    `between` names the metrics that are computed before the last step too; None: all of them. A value does not depend
    on it. Without metrics nothing is scored: no extractor is prepared or loaded, no reference is made.
    `reference` is the largest number of real rows: the first of the train split in a fixed shuffled order.
    """

    samples: int
    extractor: Part
    metrics: tuple[Part, ...]
    reference: int = 10_000
    between: tuple[str, ...] | None = None


def default_extractor(dataset: Dataset) -> str:
    """Name the extractor: identity for points, classifier where there are classes, else inception."""
    if len(dataset.shape) == 1:
        return "identity"
    return "classifier" if dataset.classes else "inception"


def default_metrics(dataset: Dataset, labelled: bool = False) -> tuple[str, ...]:
    """Name the metrics for a dataset read by its default extractor, the headline first.

    `labelled` says whether any of the objectives to be compared tells its generator a class.
    """
    last = ("class_match",) if labelled and dataset.classes else ()
    if len(dataset.shape) == 1:
        known = ("modes",) if hasattr(dataset, "modes") else ()
        return (*known, "fid", "precision_recall", "coverage", "duplicates", *last)
    tail = ("modes", "duplicates") if dataset.classes or hasattr(dataset, "modes") else ("duplicates",)
    return ("fid", "is", "kid", "precision_recall", "coverage", *tail, *last)


def inapplicable(metric: Part, dataset: Dataset, extractor: Part, labelled: bool = False) -> str | None:
    """Say why a metric cannot be computed on what this dataset and extractor give, or None.

    `labelled` says whether any of the objectives to be compared tells its generator a class.
    """
    gives: Sequence[str] = _class(extractor).gives
    needs: Sequence[str] = _class(metric).needs
    if "logits" in needs and "logits" not in gives:
        return f"{metric.name} needs logits, and the extractor {extractor.name} does not classify"
    if "modes" in needs and "modes" not in gives and not hasattr(dataset, "modes"):
        return f"{metric.name} needs known modes: a dataset that has them, or the extractor classifier"
    if "labels" in needs and not labelled:
        return f"{metric.name} needs a class that was asked for, and no objective here is told one"
    if "labels" in needs and "modes" not in gives and not (dataset.classes and hasattr(dataset, "modes")):
        return f"{metric.name} needs the classes of samples: the extractor classifier, or classes that are known modes"
    return None


def value_names(metrics: Sequence[Part]) -> dict[str, str]:
    """Return every value's name and direction; ValueError when two metrics give the same name."""
    better: dict[str, str] = {}
    for part in metrics:
        twice = sorted(better.keys() & _class(part).better.keys())
        if twice:
            raise ValueError(f"two metrics give {', '.join(twice)}; ask for {part.name} once")
        better.update(_class(part).better)
    return better


def prepare(dataset: Part, settings: EvaluationSettings, data_root: Path, cache: Path) -> None:
    """Fetch, train and extract all that an Evaluator reads; the only place here that may download."""
    dataset.create().prepare(data_root)
    if not settings.metrics:
        return
    plugin: ExtractorPlugin = settings.extractor.create()
    plugin.prepare(dataset, data_root, cache)
    extractor = plugin.load(dataset, data_root, cache, "cpu")
    identity = _identity(settings.extractor, extractor)
    found = reference(dataset, extractor, identity, settings.reference, data_root, cache)
    for part in settings.metrics:
        metric = part.create()
        if hasattr(metric, "prepare"):
            metric.prepare(found, settings.samples)


class Evaluator:
    """Scores sets of samples of one dataset under one protocol.

    `protocol` holds everything that fixes a score and `protocol_id` its hash; `better` and `titles` describe
    the values by name.
    """

    def __init__(
        self, dataset: Part, settings: EvaluationSettings, data_root: Path, cache: Path, device: str = "cpu"
    ) -> None:
        """Load the extractor and the real side; ValueError when the extractor cannot read the dataset."""
        from ganbench.evaluation.sampling import LABELS, STANDING

        plugin: ExtractorPlugin = settings.extractor.create()
        self._dataset: Dataset = dataset.create()
        why = plugin.supports(self._dataset)
        if why is not None:
            raise ValueError(f"{dataset.label}: {why}")
        self.better = value_names(settings.metrics)
        self.titles: dict[str, str] = {}
        for part in settings.metrics:
            self.titles.update(getattr(_class(part), "titles", {}))
        self._settings = settings
        self._metrics: list[Metric] = [part.create() for part in settings.metrics]
        # Why each cannot be computed, of samples that no class was asked of and of those it was.
        self._refused = {
            labelled: [inapplicable(part, self._dataset, settings.extractor, labelled) for part in settings.metrics]
            for labelled in (False, True)
        }
        self._gives: Sequence[str] = _class(settings.extractor).gives
        self._extractor = plugin.load(dataset, data_root, cache, device)
        identity = _identity(settings.extractor, self._extractor)
        self._reference = reference(dataset, self._extractor, identity, settings.reference, data_root, cache)
        self._weights = self._class_weights()
        self.protocol: dict[str, Any] = {
            "version": PROTOCOL_VERSION,
            "torch_fidelity": importlib.metadata.version("torch-fidelity"),
            "extractor": identity,
            "dataset": dataset_content(dataset, data_root),
            "reference": {"split": SPLIT, "order": ORDER, "count": len(self._reference.features)},
            "samples": settings.samples,
            "batch_norm": STANDING,
            "labels": LABELS if self._dataset.classes else "none",
            "quantisation": QUANTISATION if self._images else "none",
            "metrics": [part.as_json() for part in settings.metrics],
        }
        self.protocol_id = digest(self.protocol)

    @property
    def _images(self) -> bool:
        return len(self._dataset.shape) == 3

    def quantise(self, samples: Tensor) -> Tensor:
        """Turn images in [-1, 1] into uint8 as torchvision's save_image does, points into float32."""
        import torch

        samples = samples.detach().float().cpu()
        if not self._images:
            return samples
        return ((samples + 1) / 2 * 255 + 0.5).clamp(0, 255).to(torch.uint8)

    def score(
        self, samples: Tensor, seed: int, labels: Tensor | None = None
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Score samples `(n, *shape)`, images in [-1, 1]: all values, and the reason of each that is NaN.

        `seed` drives what metrics draw. `labels` `(n,)` are the classes that were asked for; without them, values
        that need them are left out. ValueError when there are not as many samples as the protocol says, or when they
        have another shape than the dataset's.
        """
        return self.values(self.read(samples, seed, labels), labels is not None)

    def values(
        self, evidence: Evidence | str, labelled: bool, last: bool = True
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Compute the values from what was read; those that need labels are left out unless it is `labelled`.

        Before the `last` step those are left out, too, that the settings do not want in between.
        """
        values: dict[str, float] = {}
        reasons: dict[str, str] = {}
        between = self._settings.between
        for part, metric, refused in zip(self._settings.metrics, self._metrics, self._refused[labelled], strict=True):
            wanted = last or between is None or part.name in between
            if wanted and (labelled or "labels" not in metric.needs):
                if isinstance(evidence, str) or refused:
                    found, problems = _undefined(metric.better, evidence if isinstance(evidence, str) else str(refused))
                else:
                    found, problems = _computed(metric, evidence)
                values.update(found)
                reasons.update(problems)
        return values, reasons

    def by_class(self, evidence: Evidence | str) -> tuple[tuple[Mapping[str, float | None], ...], dict[str, str]]:
        """Score samples by the class that was asked for: rows as `per_class` makes them, and why numbers are missing.

        No rows where no class was asked for, the samples cannot be scored at all, or the dataset has no classes.
        """
        if isinstance(evidence, str) or evidence.labels is None or not self._dataset.classes:
            return (), {}
        return per_class(evidence, self._dataset.classes)

    def read(self, samples: Tensor, seed: int, labels: Tensor | None = None) -> Evidence | str:
        """Extract the features, once for all that is computed from them, or say why the samples cannot be scored."""
        expected = (self._settings.samples, *self._dataset.shape)
        if tuple(samples.shape) != expected:
            raise ValueError(f"the protocol says samples of shape {expected}, not {tuple(samples.shape)}")
        finite = samples.detach().flatten(1).isfinite().all(dim=1)
        if not bool(finite.all()):
            return f"{int((~finite).sum())} of {len(samples)} samples are not finite"
        quantised = self.quantise(samples)
        features, logits = self._extractor(quantised)
        if not bool(features.isfinite().all()):
            return "the features are not finite: the samples are too large"
        modes = self._modes(quantised, logits)
        return Evidence(features, logits, modes, self._reference, seed, labels, self._seen_as(logits, modes))

    def _seen_as(self, logits: Tensor | None, modes: Modes | None) -> Tensor | None:
        import torch

        if logits is not None and "modes" in self._gives:
            return logits.argmax(dim=1)
        if modes is not None and len(modes.weights) == self._dataset.classes:
            return torch.from_numpy(modes.nearest)
        return None

    def _modes(self, samples: Tensor, logits: Tensor | None) -> Modes | None:
        import numpy as np

        own = getattr(self._dataset, "modes", None)
        if own is not None:
            found: Modes = own(samples.numpy())
            return found
        if self._weights is None or logits is None:
            return None
        # a classifier has no notion of a bad picture: every sample counts as its class
        return Modes(logits.argmax(dim=1).numpy(), np.ones(len(logits), dtype=bool), self._weights)

    def _class_weights(self) -> Any:
        """Return the classes' shares among the real samples, known or as the same classifier sees them."""
        if hasattr(self._extractor, "mode_weights"):
            return self._extractor.mode_weights
        logits = self._reference.logits
        if logits is None or "modes" not in _class(self._settings.extractor).gives:
            return None
        counts = logits.argmax(dim=1).bincount(minlength=logits.shape[1]).double()
        return (counts / counts.sum()).numpy()


def _class(part: Part) -> Any:
    """Return a metric's or extractor's class: what it needs and gives is known without building it."""
    return type(part.create())


def _identity(part: Part, extractor: Extractor) -> dict[str, Any]:
    return {**part.as_json(), **extractor.identity}


def _computed(metric: Metric, evidence: Evidence) -> tuple[dict[str, float], dict[str, str]]:
    """Compute one metric; whatever goes wrong makes its own values NaN, and the other metrics go on."""
    try:
        found = metric.compute(evidence)
    except Exception as error:
        return _undefined(metric.better, f"{type(error).__name__}: {error}")
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for name in metric.better:
        value = found.get(name)
        values[name] = float(value) if value is not None and math.isfinite(value) else math.nan
        if math.isnan(values[name]):
            explained: Mapping[str, str] = getattr(metric, "undefined", {})
            given = "the metric did not return it" if value is None else f"it came out as {value}"
            reasons[name] = explained.get(name, given)
    return values, reasons


def _undefined(names: Mapping[str, Any], reason: str) -> tuple[dict[str, float], dict[str, str]]:
    return dict.fromkeys(names, math.nan), dict.fromkeys(names, reason)
