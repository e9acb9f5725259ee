"""The real side of every score: extracted once per dataset and extractor, kept by content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.content import dataset_content, digest
from ganbench.evaluation.evidence import Reference
from ganbench.evaluation.extractors import Extractor
from ganbench.locks import alone
from ganbench.paths import write_whole
from ganbench.plugins import Split, SplitName
from ganbench.registry import Part

if TYPE_CHECKING:
    from torch import Tensor

SPLIT: SplitName = "train"
ORDER = "numpy RandomState(0).permutation, the first rows"
VERSION = 3  # bumped when the same samples would give another reference, or one that holds more


def reference(
    dataset: Part, extractor: Extractor, identity: Mapping[str, Any], rows: int, data_root: Path, cache: Path
) -> Reference:
    """Return the features of at most `rows` real samples, from the cache or extracted now and put there.

    `identity` is all that tells the extractor's features from another's.
    """
    from safetensors.torch import load_file

    content = {
        "version": VERSION,
        "dataset": dataset_content(dataset, data_root),
        "extractor": dict(identity),
        "split": SPLIT,
        "order": ORDER,
        "rows": rows,
    }
    path = cache / "references" / f"{digest(content)}.safetensors"
    if not path.exists():
        with alone(path):
            if not path.exists():  # another process may have made it meanwhile
                _extract(dataset, extractor, rows, data_root, path)
    found = load_file(path)
    mean, covariance = found["mean"].numpy(), found["covariance"].numpy()
    return Reference(found["features"], found.get("logits"), mean, covariance, found.get("labels"), path)


def _extract(dataset: Part, extractor: Extractor, rows: int, data_root: Path, path: Path) -> None:
    import torch
    from safetensors.torch import save

    from ganbench.metrics.fid import statistics

    samples, labels = rows_of(dataset, rows, data_root)
    features, logits = extractor(samples)
    known = statistics(features)
    tensors: dict[str, Tensor] = {
        "features": features.contiguous(),
        "mean": torch.from_numpy(known["mu"]),
        "covariance": torch.from_numpy(known["sigma"]),
    }
    if logits is not None:
        tensors["logits"] = logits.contiguous()
    if labels is not None:
        tensors["labels"] = labels
    write_whole(path, save(tensors))


def rows_of(dataset: Part, rows: int, data_root: Path) -> tuple[Tensor, Tensor | None]:
    """Choose the real samples with their labels: shuffled, because files are often sorted by class."""
    import numpy as np
    import torch

    split: Split = dataset.create().load(data_root, SPLIT)
    order = np.random.RandomState(0).permutation(len(split.samples))[:rows]
    labels = None if split.labels is None else torch.from_numpy(split.labels[order])
    return torch.from_numpy(split.samples[order]), labels
