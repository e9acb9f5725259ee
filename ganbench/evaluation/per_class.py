"""Scores of each class on its own, for generators that are told which class to make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics.fid import distance, statistics

if TYPE_CHECKING:
    from torch import Tensor

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
        real = _of(evidence.reference.labels, number, evidence.reference.features)
        fid, reason = _fid(fake, real)
        rows.append(
            {
                "class": number,
                "fid": fid,
                "accuracy": _accuracy(evidence, number),
                "samples": len(fake),
                "real": len(real),
            }
        )
        if reason:
            reasons[f"FID of class {number}"] = reason
    return tuple(rows), reasons


def _of(labels: Tensor | None, number: int, rows: Tensor) -> Tensor:
    return rows[:0] if labels is None else rows[labels == number]


def _fid(fake: Tensor, real: Tensor) -> tuple[float | None, str]:
    from numpy.linalg import LinAlgError

    if min(len(fake), len(real)) < ENOUGH:
        return None, f"{len(fake)} generated and {len(real)} real samples of it, of which {ENOUGH} are needed"
    try:
        return distance(statistics(fake), statistics(real)), ""
    except LinAlgError as error:
        return None, f"LinAlgError: {error}"


def _accuracy(evidence: Evidence, number: int) -> float | None:
    if evidence.labels is None or evidence.seen_as is None:
        return None
    seen = evidence.seen_as[evidence.labels == number]
    return float((seen == number).double().mean()) if len(seen) else None
