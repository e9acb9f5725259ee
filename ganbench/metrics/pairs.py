"""Pairs of generated samples: what scores of diversity within a class compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.evaluation.evidence import Evidence


def within_classes(evidence: Evidence, count: int) -> tuple[Tensor, Tensor]:
    """Draw `count` pairs of different samples of one class, by the seed: positions `(count,)` and `(count,)`.

    The class is the one that was asked for, else the one the sample is seen as; without either all samples are one.
    The first of a pair is drawn from all samples that are not alone in their class; ValueError where there is none.
    """
    import numpy as np
    import torch

    labels = evidence.seen_as if evidence.labels is None else evidence.labels
    classes = np.zeros(len(evidence.features), dtype=int) if labels is None else labels.numpy()
    _, number, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    by_class, starts = np.argsort(number, kind="stable"), np.cumsum(sizes) - sizes
    in_company = np.flatnonzero(sizes[number[by_class]] > 1)  # places in `by_class`
    if not len(in_company):
        raise ValueError("no two samples are of one class")
    stream = np.random.RandomState(evidence.seed % 2**32)
    first = in_company[stream.randint(len(in_company), size=count)]
    size, start = sizes[number[by_class[first]]], starts[number[by_class[first]]]
    # from 1 to size - 1 places on, round the class
    second = start + (first - start + 1 + np.floor(stream.random_sample(count) * (size - 1)).astype(int)) % size
    return torch.from_numpy(by_class[first]), torch.from_numpy(by_class[second])
