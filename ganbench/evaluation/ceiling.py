"""The ceiling of every score: what real samples get that neither the reference nor any network has seen."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.evaluation.reference import SPLIT
from ganbench.locks import alone
from ganbench.paths import write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.evaluation.evaluate import Evaluator
    from ganbench.evaluation.settings import EvaluationSettings
    from ganbench.plugins import Dataset, SplitName
    from ganbench.registry import Part

SEED = 0


@dataclass(frozen=True)
class Ceiling:
    """Scores of as many held-out real samples as are generated.

    `values` by name, of which those are left out that came out as NaN; `reason` says why there are none at all.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def ceiling(evaluator: Evaluator, dataset: Part, settings: EvaluationSettings, roots: tuple[Path, Path]) -> Ceiling:
    """Return the ceiling under the evaluator's protocol, from the cache or computed now and put there."""
    path = roots[1] / "ceilings" / f"{evaluator.protocol_id}.json"
    if not path.exists():
        with alone(path):
            if not path.exists():  # another process may have measured it meanwhile
                found = _measured(evaluator, dataset.create(), settings, roots[0])
                write_whole(path, (json.dumps(asdict(found)) + "\n").encode())
    return Ceiling(**json.loads(path.read_text()))


def _measured(evaluator: Evaluator, dataset: Dataset, settings: EvaluationSettings, data_root: Path) -> Ceiling:
    rows, labels = held_out(dataset, settings.samples, settings.reference, data_root)
    if len(rows) < settings.samples:
        return Ceiling(reason=f"only {len(rows)} real samples are held out, and {settings.samples} are generated")
    # A perfect generator leaves D nothing to go by.
    readings = evaluator.read(rows, SEED, labels, posterior=lambda points: points.new_full(points.shape[:1], 0.5))
    values, _ = evaluator.values(readings, labels is not None)
    return Ceiling({name: value for name, value in values.items() if not math.isnan(value)})


def held_out(dataset: Dataset, count: int, reference: int, data_root: Path) -> tuple[Tensor, Tensor | None]:
    """Return up to `count` real samples with labels: test rows, then train rows that are in no reference."""
    import numpy as np
    import torch

    samples: list[Any] = []
    labels: list[Any] = []
    places: tuple[tuple[SplitName, int], ...] = (("test", 0), (SPLIT, reference))
    for split, skipped in places:
        found = dataset.load(data_root, split)
        order = np.random.RandomState(0).permutation(len(found.samples))
        rows = order[skipped : skipped + count - sum(map(len, samples))]
        samples.append(found.samples[rows])
        if found.labels is not None:
            labels.append(found.labels[rows])
    return torch.from_numpy(np.concatenate(samples)), torch.from_numpy(np.concatenate(labels)) if labels else None
