"""Scores of each class on its own, for generators that are told which class to make."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ganbench.evaluation.evidence import Evidence, Reference
from ganbench.metrics.fid import distance, statistics

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.metrics.fid import Statistics

ENOUGH = 10  # rows on either side: the covariance of fewer says nothing

Row = Mapping[str, float | None]


def per_class(evidence: Evidence, classes: int) -> tuple[tuple[Row, ...], dict[str, str]]:
    """Score the samples asked to be of each class: a row per class, and why a class has no FID.

    `fid` is between the features of these samples and of the real rows of the class, `accuracy` the share of them
    that is seen as the class, `samples` and `real` how many there are. The covariance of n rows is biased by n, more
    so for a class than for all: compare a class between objectives, not with the FID of the whole.
    """
    rows, reasons = [], {}
    for number in range(classes):
        fake = _of(evidence.labels, number, evidence.features)
        real, known = evidence.reference.once(("class", number), partial(_real, evidence.reference, number))
        fid, reason = _fid(fake, real, known)
        rows.append(
            {
                "class": number,
                "fid": fid,
                "accuracy": _accuracy(evidence, number),
                "samples": len(fake),
                "real": real,
            }
        )
        if reason:
            reasons[f"FID of class {number}"] = reason
    return tuple(rows), reasons


def _of(labels: Tensor | None, number: int, rows: Tensor) -> Tensor:
    return rows[:0] if labels is None else rows[labels == number]


def _real(reference: Reference, number: int) -> tuple[int, Statistics | None]:
    """Return how many real rows are of a class, and the statistics of enough of them."""
    rows = _of(reference.labels, number, reference.features)
    return len(rows), statistics(rows) if len(rows) >= ENOUGH else None


def _fid(fake: Tensor, real: int, known: Statistics | None) -> tuple[float | None, str]:
    from numpy.linalg import LinAlgError

    if len(fake) < ENOUGH or known is None:
        return None, f"{len(fake)} generated and {real} real samples of it, of which {ENOUGH} are needed"
    try:
        return distance(statistics(fake), known), ""
    except LinAlgError as error:
        return None, f"LinAlgError: {error}"


def _accuracy(evidence: Evidence, number: int) -> float | None:
    if evidence.labels is None or evidence.seen_as is None:
        return None
    seen = evidence.seen_as[evidence.labels == number]
    return float((seen == number).double().mean()) if len(seen) else None
