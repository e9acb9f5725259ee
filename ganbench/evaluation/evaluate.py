"""From samples to scores: features are extracted once, and every metric reads them."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.ceiling import Ceiling, ceiling
from ganbench.evaluation.content import dataset_content, digest
from ganbench.evaluation.evidence import Evidence
from ganbench.evaluation.per_class import per_class
from ganbench.evaluation.reader import Posterior, Reader
from ganbench.evaluation.real_side import RealSide
from ganbench.evaluation.reference import ORDER, SPLIT
from ganbench.evaluation.settings import EvaluationSettings, again, inapplicable, named, titles, value_names
from ganbench.plugins import Dataset, Metric
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor

PROTOCOL_VERSION = 1
CACHED = 64  # pictures at a time, so that what is computed of them on the way stays in a core's cache
QUANTISATION = "clamp to [-1, 1], (x + 1) / 2 * 255 + 0.5, cut to uint8"

Readings = tuple[Evidence | str, ...]  # by extractor: what was read, or why the samples cannot be scored
Values = dict[str, float]
Reasons = dict[str, str]


@dataclass(frozen=True)
class _Asked:
    """A metric that is to be computed: on what which reader gives, and the extractor it is named after, if any."""

    metric: Metric
    part: Part
    reader: int
    extractor: Part | None
    refused: Mapping[bool, str | None]

    @property
    def names(self) -> Mapping[str, str]:
        """The metric's own names of its values, by the names they go by here."""
        return {named(value, self.extractor): value for value in self.metric.better}

    @property
    def needs_labels(self) -> bool:
        """Whether it says something of generators alone that are told a class."""
        return "labels" in self.metric.needs


def prepare(dataset: Part, settings: EvaluationSettings, data_root: Path, cache: Path, device: str = "cpu") -> None:
    """Fetch, train and extract all that an Evaluator reads; the only place here that may download."""
    dataset.create().prepare(data_root)
    if not settings.metrics:
        return
    for part in settings.extractors:
        part.create().prepare(dataset, data_root, cache)
    evaluator = Evaluator(dataset, settings, data_root, cache, device)
    evaluator.prepare()
    RealSide(dataset, evaluator.references[0], data_root).prepare()


def to_uint8(images: Tensor) -> Tensor:
    """Turn images in [-1, 1] into uint8 as QUANTISATION says; uint8 stays."""
    import torch

    if images.dtype == torch.uint8:
        return images
    parts = (((part + 1) / 2 * 255 + 0.5).clamp(0, 255).to(torch.uint8) for part in torch.split(images, CACHED))
    return torch.cat(list(parts))


class Evaluator:
    """Scores sets of samples of one dataset under one protocol.

    `protocol` holds everything that fixes a score and `protocol_id` its hash; `better` and `titles` describe
    the values by name; `references` are the real sides by extractor.
    """

    def __init__(
        self, dataset: Part, settings: EvaluationSettings, data_root: Path, cache: Path, device: str = "cpu"
    ) -> None:
        """Load the extractors and the real side; ValueError when one of them cannot read the dataset."""
        self._dataset: Dataset = dataset.create()
        self._part, self._settings, self._roots = dataset, settings, (data_root, cache)
        value_names(settings.metrics)
        self._readers = [
            Reader(dataset, extractor, settings.reference, self._roots, device) for extractor in settings.extractors
        ]
        self.references = [reader.reference for reader in self._readers]
        self._asked = list(self._all_asked())
        self.better = {name: one.metric.better[own] for one in self._asked for name, own in one.names.items()}
        self.titles = {name: title for one in self._asked for name, title in titles(one.part, one.extractor).items()}
        self.protocol = self._protocol()
        self.protocol_id = digest(self.protocol)

    def _all_asked(self) -> Iterator[_Asked]:
        for number, extractor in enumerate(self._settings.extractors):
            for part in self._settings.metrics:
                if number and not again(part, self._dataset, extractor):
                    continue
                # Why it cannot be computed, of samples that no class was asked of and of those it was.
                why = {labelled: inapplicable(part, self._dataset, extractor, labelled) for labelled in (False, True)}
                yield _Asked(part.create(), part, number, extractor if number else None, why)

    def _protocol(self) -> dict[str, Any]:
        from ganbench.evaluation.sampling import LABELS, STANDING

        first, *further = self._readers
        return {
            "version": PROTOCOL_VERSION,
            "torch_fidelity": importlib.metadata.version("torch-fidelity"),
            "extractor": first.identity,
            **({"further": [reader.identity for reader in further]} if further else {}),
            "dataset": dataset_content(self._part, self._roots[0]),
            "reference": {"split": SPLIT, "order": ORDER, "count": len(self.references[0].features)},
            "samples": self._settings.samples,
            "batch_norm": STANDING,
            "labels": LABELS if self._dataset.classes else "none",
            "quantisation": QUANTISATION if self._images else "none",
            "metrics": [part.as_json() for part in self._settings.metrics],
        }

    @property
    def _images(self) -> bool:
        return len(self._dataset.shape) == 3

    def prepare(self) -> None:
        """Compute what of the real side all scores share, and the ceiling."""
        for one in self._asked:
            if hasattr(one.metric, "prepare"):
                one.metric.prepare(self.references[one.reader], self._settings.samples)
        self.ceiling()

    def ceiling(self) -> Ceiling:
        """Score held-out real samples as if they had been generated: what no generator can be expected to beat."""
        return ceiling(self, self._part, self._settings, self._roots)

    def quantise(self, samples: Tensor) -> Tensor:
        """Turn images in [-1, 1] into uint8 as torchvision's save_image does, points into float32; uint8 stays."""
        import torch

        if samples.dtype == torch.uint8:
            return samples
        samples = samples.detach().float().cpu()
        if not self._images:
            return samples
        return to_uint8(samples)

    def score(self, samples: Tensor, seed: int, labels: Tensor | None = None) -> tuple[Values, Reasons]:
        """Score samples `(n, *shape)`, images in [-1, 1] or uint8: all values, and the reason of each that is NaN.

        `seed` drives what metrics draw. `labels` `(n,)` are the classes that were asked for; without them, values
        that need them are left out. ValueError when there are not as many samples as the protocol says, or when they
        have another shape than the dataset's.
        """
        return self.values(self.read(samples, seed, labels), labels is not None)

    def values(self, readings: Readings, labelled: bool, last: bool = True) -> tuple[Values, Reasons]:
        """Compute the values from what was read; those that need labels are left out unless it is `labelled`.

        Before the `last` step those are left out, too, that the settings do not want in between.
        """
        values: Values = {}
        reasons: Reasons = {}
        between = self._settings.between
        for one in self._asked:
            wanted = last or between is None or one.part.name in between
            if wanted and (labelled or not one.needs_labels):
                evidence, refused = readings[one.reader], one.refused[labelled]
                if isinstance(evidence, str) or refused:
                    found, problems = _undefined(one.names, evidence if isinstance(evidence, str) else str(refused))
                else:
                    found, problems = _computed(one, evidence)
                values.update(found)
                reasons.update(problems)
        return values, reasons

    def by_class(self, readings: Readings) -> tuple[tuple[Mapping[str, float | None], ...], dict[str, str]]:
        """Score samples by the class that was asked for: rows as `per_class` makes them, and why numbers are missing.

        No rows where no class was asked for, the samples cannot be scored at all, or the dataset has no classes.
        """
        evidence = readings[0]
        if isinstance(evidence, str) or evidence.labels is None or not self._dataset.classes:
            return (), {}
        return per_class(evidence, self._dataset.classes)

    def read(
        self, samples: Tensor, seed: int, labels: Tensor | None = None, posterior: Posterior | None = None
    ) -> Readings:
        """Extract the features, once for all that is computed from them, or say why the samples cannot be scored.

        `posterior` maps points `(n, d)` to what the discriminator holds for the probability that each is real.
        """
        expected = (self._settings.samples, *self._dataset.shape)
        if tuple(samples.shape) != expected:
            raise ValueError(f"the protocol says samples of shape {expected}, not {tuple(samples.shape)}")
        # A sum is finite only where all its terms are, and takes a twentieth of the time of looking at each.
        if not bool(samples.detach().sum().isfinite()):
            broken = int((~samples.flatten(1).isfinite().all(dim=1)).sum())
            if broken:
                return (f"{broken} of {len(samples)} samples are not finite",) * len(self._readers)
        quantised = self.quantise(samples)
        return tuple(reader.read(quantised, seed, labels, posterior) for reader in self._readers)


def _computed(asked: _Asked, evidence: Evidence) -> tuple[Values, Reasons]:
    """Compute one metric; whatever goes wrong makes its own values NaN, and the other metrics go on."""
    metric = asked.metric
    try:
        found = metric.compute(evidence)
    except Exception as error:
        return _undefined(asked.names, f"{type(error).__name__}: {error}")
    values: Values = {}
    reasons: Reasons = {}
    for name, own in asked.names.items():
        value = found.get(own)
        values[name] = float(value) if value is not None and math.isfinite(value) else math.nan
        if math.isnan(values[name]):
            explained: Mapping[str, str] = getattr(metric, "undefined", {})
            given = "the metric did not return it" if value is None else f"it came out as {value}"
            reasons[name] = explained.get(own, given)
    return values, reasons


def _undefined(names: Mapping[str, Any], reason: str) -> tuple[Values, Reasons]:
    return dict.fromkeys(names, math.nan), dict.fromkeys(names, reason)
