"""Whether a generator makes what it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register


@register("class_match")
@dataclass(frozen=True)
class ClassMatch:
    """The share of samples that are seen as the class that was asked for, all classes asked for equally often.

    Seen by the extractor classifier, or by the nearest mode where the modes are the classes. What ACGAN calls its
    accuracy (Odena et al. 2017, arXiv:1610.09585, section 4.2). A generator that does not listen scores 1 / classes;
    one that makes a single perfect sample of each class scores 1, so read it beside the FID. Objectives that are not
    told a class have no such value.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("labels",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"class_match": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"class_match": "class match"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `class_match` in [0, 1]; ValueError where no class was asked for, or none can be seen."""
        if evidence.labels is None:
            raise ValueError("no class was asked for")
        if evidence.seen_as is None:
            raise ValueError("nothing tells the class of a sample")
        return {"class_match": float((evidence.seen_as == evidence.labels).double().mean())}
