"""Likelihood of samples under the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ganbench.evaluation.evidence import Evidence
from ganbench.metrics import register


@register("log_likelihood")
@dataclass(frozen=True)
class LogLikelihood:
    """Mean log density of the samples under the truth, where the dataset knows it: 1/n sum_i log p(fake_i), in nats.

    Samples of the truth reach minus its entropy on average. It asks for quality alone: a generator that repeats the
    likeliest point exceeds that, so read it beside recall or W2. It is not the likelihood of data under the generator,
    which has no density.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[Sequence[str]] = ("density",)
    better: ClassVar[Mapping[str, Literal["lower", "higher"]]] = {"log_likelihood": "higher"}
    titles: ClassVar[Mapping[str, str]] = {"log_likelihood": "log likelihood"}
    undefined: ClassVar[Mapping[str, str]] = {"log_likelihood": "a sample lies where the truth has no density"}

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return `log_likelihood` (-inf with a sample outside the truth's support); ValueError without a density."""
        if evidence.log_density is None or evidence.samples is None:
            raise ValueError("the density of this dataset is not known")
        return {"log_likelihood": float(evidence.log_density(evidence.samples.double().numpy()).mean())}
