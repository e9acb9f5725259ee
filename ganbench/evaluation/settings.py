"""What is scored and how: the settings of an evaluation, its defaults, and what cannot be computed on a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganbench.plugins import Dataset
from ganbench.registry import Part


@dataclass(frozen=True)
class EvaluationSettings:
    """How cells are scored: how many `samples` of each, by which extractors and metrics, against how many.

    Every metric reads the first extractor; `further` ones give the values that depend on features again, named after
    them.
    `between` names the metrics that are computed before the last step too; None: all of them. A value does not depend
    on it. Without metrics nothing is scored: no extractor is prepared or loaded, no reference is made.
    `reference` is the largest number of real rows: the first of the train split in a fixed shuffled order.
    """

    samples: int
    extractor: Part
    metrics: tuple[Part, ...]
    reference: int = 10_000
    between: tuple[str, ...] | None = None
    further: tuple[Part, ...] = ()

    @property
    def extractors(self) -> tuple[Part, ...]:
        """All extractors, the one that every metric reads first."""
        return (self.extractor, *self.further)


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
        if not known and hasattr(dataset, "log_density"):
            return ("fid", "w2", "log_likelihood", "optimality_gap", "precision_recall", "coverage", *last)
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
    if "points" in needs and len(dataset.shape) != 1:
        return f"{metric.name} is for points"
    if "images" in needs and len(dataset.shape) != 3:
        return f"{metric.name} is for pictures"
    if "density" in needs and not hasattr(dataset, "log_density"):
        return f"{metric.name} needs a dataset whose density is known"
    if "labels" in needs and not labelled:
        return f"{metric.name} needs a class that was asked for, and no objective here is told one"
    if "labels" in needs and "modes" not in gives and not (dataset.classes and hasattr(dataset, "modes")):
        return f"{metric.name} needs the classes of samples: the extractor classifier, or classes that are known modes"
    return None


def again(metric: Part, dataset: Dataset, extractor: Part) -> bool:
    """Whether a metric is computed again on the features of a further extractor."""
    needs = {*_class(metric).needs}
    return bool(needs) and needs <= {"features", "logits"} and inapplicable(metric, dataset, extractor) is None


def titles(metric: Part, extractor: Part | None = None) -> dict[str, str]:
    """Return the human titles of a metric's values by their names, by a further extractor where one is given."""
    own: Mapping[str, str] = getattr(_class(metric), "titles", {})
    by = f" by {extractor.name}" if extractor else ""
    return {named(value, extractor): title + by for value, title in own.items()}


def named(value: str, extractor: Part | None) -> str:
    """Return a value's name, or the one it has by a further extractor: `fid` by dinov2 is `fid_dinov2`."""
    return f"{value}_{extractor.name}" if extractor else value


def value_names(metrics: Sequence[Part]) -> dict[str, str]:
    """Return the name and direction of every value by the first extractor; ValueError when two share a name."""
    better: dict[str, str] = {}
    for part in metrics:
        twice = sorted(better.keys() & _class(part).better.keys())
        if twice:
            raise ValueError(f"two metrics give {', '.join(twice)}; ask for {part.name} once")
        better.update(_class(part).better)
    return better


def _class(part: Part) -> Any:
    """Return a metric's or extractor's class: what it needs and gives is known without building it."""
    return type(part.create())
