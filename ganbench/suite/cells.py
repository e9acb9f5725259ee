"""A cell: objective x architecture x dataset x seed x hyper-parameters, and the key that names its results."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ganbench.objectives import Objective
from ganbench.plain_data import canonical
from ganbench.registry import Part
from ganbench.suite.settings import Train

if TYPE_CHECKING:
    from ganbench.evaluation.settings import EvaluationSettings

# Bumped when the training loop itself changes the numbers that a cell gets.
TRAINING_VERSION = 3


def digest(value: Mapping[str, Any]) -> str:
    """Hash plain data to 16 hexadecimal digits, the same whatever the order of its keys."""
    return hashed(canonical(value))


def hashed(text: str) -> str:
    """Hash canonical JSON to 16 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Cell:
    """The unit of results and of caching.

    `train.d_steps` is always a number here. `fingerprint` stands for the content of the user's own data.
    """

    objective: Objective
    architecture: Part
    dataset: Part
    train: Train
    seed: int
    fingerprint: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give everything that changes the cell's numbers, and nothing else."""
        return {
            "training": TRAINING_VERSION,
            "objective": self.objective.as_json(),
            "architecture": self.architecture.as_json(),
            "dataset": {**self.dataset.as_json(), "fingerprint": self.fingerprint},
            "train": self.train.model_dump(mode="json"),
            "seed": self.seed,
        }

    @cached_property
    def key(self) -> str:
        """Name the cell's results: the digest of `as_json`; cells with equal keys have equal numbers."""
        # Put together from the texts of the parts, which thousands of cells share: in canonical JSON, names are sorted.
        return hashed(
            f'{{"architecture":{self.architecture.text},"dataset":{_dataset(self.dataset.text, self.fingerprint)},'
            f'"objective":{self.objective.text},"seed":{self.seed},"train":{_settings(self.train)},'
            f'"training":{TRAINING_VERSION}}}'
        )


@functools.lru_cache(maxsize=2**14)
def _dataset(text: str, fingerprint: str) -> str:
    return canonical({**json.loads(text), "fingerprint": fingerprint})


@functools.lru_cache(maxsize=2**14)
def _settings(train: Train) -> str:
    return canonical(train.model_dump(mode="json"))


@dataclass(frozen=True)
class Scoring:
    """What is scored of a cell: the settings of the evaluation and the G steps at which it takes place."""

    settings: EvaluationSettings
    steps: tuple[int, ...]

    @property
    def wanted(self) -> bool:
        """Whether anything is to be scored: a suite may switch scores off."""
        return bool(self.settings.metrics)

    @cached_property
    def key(self) -> str:
        """Name the evaluation; a cell's scores under another evaluation are kept beside these."""
        settings = self.settings
        between = {} if settings.between is None else {"between": sorted(settings.between)}
        further = {"further": [part.as_json() for part in settings.further]} if settings.further else {}
        return digest(
            {
                "samples": settings.samples,
                "reference": settings.reference,
                "extractor": settings.extractor.as_json(),
                "metrics": [part.as_json() for part in settings.metrics],
                "steps": list(self.steps),
                **between,
                **further,
            }
        )


def scoring_steps(g_steps: int, every: int | None) -> tuple[int, ...]:
    """Return the G steps at which a cell is scored: every `every` (a tenth of all where unset), and the last."""
    stride = every or max(1, g_steps // 10)
    return tuple(sorted({*range(stride, g_steps + 1, stride), g_steps}))
