"""One source scored outside any suite, under the protocol that suites use: a folder, an array or a checkpoint."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench import datasets
from ganbench.evaluation.ceiling import Ceiling
from ganbench.evaluation.content import digest
from ganbench.evaluation.generators import StoredGenerator, holds_generator, no_generator, open_generator
from ganbench.evaluation.request import FEWEST, Request, dataset_of, settings_of
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.evaluation.sources import ARRAYS, CHOSEN, Samples, from_array, read_array, read_pictures
from ganbench.paths import cache_root, data_root
from ganbench.plain_data import finite_or_none
from ganbench.plugins import Dataset
from ganbench.registry import Part
from ganbench.suite.errors import Problem, SuiteError, wrong

if TYPE_CHECKING:
    from ganbench.evaluation.evaluate import Evaluator

FROM_A_GENERATOR = 10_000  # samples, where nobody says how many


@dataclass(frozen=True)
class Evaluation:
    """The scores of one source.

    `values` by name, NaN where `reasons` says why; `better` is "lower" or "higher" of each; `ceiling` is what held-out
    real samples get. `protocol` holds everything that fixes a score and `protocol_id` its hash, `source` what was
    scored, with the seed that metrics drew by.
    """

    values: Mapping[str, float]
    reasons: Mapping[str, str]
    better: Mapping[str, str]
    titles: Mapping[str, str]
    ceiling: Ceiling
    protocol: Mapping[str, Any]
    protocol_id: str
    source: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give all of it as plain data, numbers that are not finite as None."""
        scores = {
            name: {
                "value": value,
                "better": self.better.get(name),
                "ceiling": self.ceiling.values.get(name),
                **({"reason": self.reasons[name]} if name in self.reasons else {}),
            }
            for name, value in self.values.items()
        }
        whole = {"source": self.source, "scores": scores, "protocol_id": self.protocol_id, "protocol": self.protocol}
        found: dict[str, Any] = finite_or_none({**whole, "ceiling_missing": self.ceiling.reason or None})
        return found


def evaluate(source: object, request: Request, device: str = "cpu") -> Evaluation:
    """Score a folder of pictures, an .npz or .npy file, an array or tensor in memory, or a cell's folder.

    May download what the dataset and the extractors need. Raises SuiteError or StoreError, which say where and what is
    wrong and what is allowed.
    """
    place = Path(source).expanduser() if isinstance(source, str | Path) else None
    named = dataset_of(request.dataset)
    checkpoint = open_generator(place, named) if place is not None and holds_generator(place) else None
    dataset = named or (checkpoint.cell.dataset if checkpoint else None)
    _check_options(request, place, checkpoint, dataset)
    assert dataset is not None
    plugin: Dataset = dataset.create()
    labelled = checkpoint is not None and checkpoint.labelled
    settings, left_out = settings_of(request, plugin, labelled)
    samples = _samples(source if place is None else place, request, dataset, checkpoint, device)
    settings = replace(settings, samples=len(samples.samples))
    if settings.samples < FEWEST:
        raise wrong(source if place else "samples", f"{settings.samples} samples, and {FEWEST} are needed at least")
    evaluator = _evaluator(dataset, settings, device)
    return _scored(evaluator, samples, left_out)


def _check_options(
    request: Request, place: Path | None, checkpoint: StoredGenerator | None, dataset: Part | None
) -> None:
    """Refuse options that say nothing of this kind of source, and a source that is no file or folder."""
    problems = []
    if place is not None and not place.exists():
        nearby = f". {no_generator(place)}" if place.parent.name == "cells" else ""
        problems.append(Problem(str(place), f"there is no such file or folder{nearby}"))
    elif place is not None and place.is_file() and place.suffix.lower() not in ARRAYS:
        allowed = f"a folder of pictures, a checkpoint (RUNS/cells/KEY) or an array ({', '.join(ARRAYS)})"
        problems.append(Problem(str(place), f"not a source: expected {allowed}"))
    elif place is not None and checkpoint is None and (place / "cells").is_dir():
        problems.append(Problem(str(place), f"a store: give one of its cells. {no_generator(place)}"))
    folder = place is not None and place.is_dir() and checkpoint is None
    if request.step is not None and checkpoint is None:
        problems.append(Problem(f"--step {request.step}", "is for checkpoints, and the source is none"))
    if request.key is not None and (place is None or not place.is_file()):
        problems.append(Problem(f"--key {request.key}", "is for .npz files, and the source is none"))
    if request.resize and not folder:
        problems.append(Problem("--resize", "is for folders of pictures, and the source is none"))
    if request.samples is not None and request.samples < FEWEST:
        problems.append(Problem(f"--samples {request.samples}", f"{FEWEST} are needed at least"))
    if request.reference < FEWEST:
        problems.append(Problem(f"--reference {request.reference}", f"{FEWEST} are needed at least"))
    if dataset is None and not problems:
        known = ", ".join(datasets.registry.names())
        problems.append(Problem("--dataset", f"name the real data to compare with (allowed: {known})"))
    if problems:
        raise SuiteError(problems)


def _samples(
    source: object, request: Request, dataset: Part, checkpoint: StoredGenerator | None, device: str
) -> Samples:
    shape = dataset.create().shape
    if checkpoint is not None:
        return _from_checkpoint(checkpoint, request, dataset, device)
    seed = request.seed or 0
    if not isinstance(source, Path):
        array: Any = source.numpy(force=True) if hasattr(source, "numpy") else source
        if not hasattr(array, "dtype"):
            raise wrong("source", f"expected a path, an array or a tensor, got {type(source).__name__}")
        found = from_array(array, shape, request.samples, "array")
    elif source.is_dir():
        found = read_pictures(source, shape, request.resize, request.samples)
    else:
        found = read_array(source, shape, request.key, request.samples)
    part = {} if len(found.samples) == found.origin["count"] else {"chosen": CHOSEN}
    return replace(found, seed=seed, origin={**found.origin, **part, "seed": seed})


def _from_checkpoint(checkpoint: StoredGenerator, request: Request, dataset: Part, device: str) -> Samples:
    makes, real = checkpoint.cell.dataset.create().shape, dataset.create().shape
    if makes != real:
        raise wrong(
            f"--dataset {dataset.label}", f"the generator makes samples of shape {makes}, and the dataset has {real}"
        )
    checkpoint = checkpoint.seeded(request.seed)
    step = checkpoint.step(request.step)
    samples, labels = checkpoint.draw(request.samples or FROM_A_GENERATOR, step, device)
    cell = checkpoint.cell
    origin = {
        "kind": "generator",
        "path": str(checkpoint.folder),
        "objective": " + ".join(part.label for part in (cell.objective.loss, *cell.objective.penalties)),
        "trained_on": cell.dataset.label,
        "step": step,
        "parameters": checkpoint.averaged,
        "seed": cell.seed,
    }
    return Samples(samples, origin, labels, seed=cell.seed, posterior=checkpoint.beliefs(step, device))


def _evaluator(dataset: Part, settings: EvaluationSettings, device: str) -> Evaluator:
    from ganbench.evaluation.evaluate import Evaluator

    roots = data_root(), cache_root()
    try:
        dataset.create().prepare(roots[0])
        for part in settings.extractors:
            part.create().prepare(dataset, *roots)
        evaluator = Evaluator(dataset, settings, *roots, device)
        evaluator.prepare()
    except (OSError, ValueError, RuntimeError, pickle.UnpicklingError) as error:  # data or weights
        plugin: Dataset = dataset.create()
        absent = (plugin.missing(roots[0]), *(part.create().missing(plugin, roots[1]) for part in settings.extractors))
        told = "; ".join([str(error), *(text for text in absent if text)])
        raise wrong(f"dataset {dataset.label}, extractor {settings.extractor.label}", told) from error
    return evaluator


def _scored(evaluator: Evaluator, samples: Samples, left_out: Mapping[str, str]) -> Evaluation:
    readings = evaluator.read(samples.samples, samples.seed, samples.labels, samples.posterior)
    values, reasons = evaluator.values(readings, samples.labels is not None)
    protocol, protocol_id = evaluator.protocol, evaluator.protocol_id
    if samples.resize:
        protocol = {**protocol, "resize": samples.resize}
        protocol_id = digest(protocol)
    return Evaluation(
        {**values, **dict.fromkeys(left_out, math.nan)},
        {**reasons, **left_out},
        evaluator.better,
        evaluator.titles,
        evaluator.ceiling(),
        protocol,
        protocol_id,
        samples.origin,
    )
