"""What a score costs: milliseconds by metric and in all, and as a share of the training between two scores."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ganbench import architectures, datasets, objectives
from ganbench.evaluation.evaluate import Evaluator, prepare
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.sampling import Sampler
from ganbench.evaluation.settings import EvaluationSettings, default_extractor, default_metrics
from ganbench.metrics import registry as metrics
from ganbench.paths import data_root
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort

CASES = {
    # name: dataset, architecture, cells of a cohort, settings, G steps between two scores (a tenth of all)
    "points, mlp of width 64": ("ring8", ("mlp", {"width": 64}), 16, {"batch_size": 64, "latent_size": 2}, 200),
    "digits, dcgan of width 16": ("digits", ("dcgan", {"width": 16}), 5, {"batch_size": 64, "latent_size": 32}, 100),
}


def milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def measure(name: str, samples: int, rounds: int, cache: Path) -> None:
    source_name, (kind, parameters), count, given, steps = CASES[name]
    dataset = datasets.registry.part(source_name, {})
    source = dataset.create()
    extractor = extractors.part(default_extractor(source), {})
    parts = tuple(metrics.part(metric, {}) for metric in default_metrics(source))
    settings = EvaluationSettings(samples, extractor, parts)
    prepare(dataset, settings, data_root(), cache)
    evaluator = Evaluator(dataset, settings, data_root(), cache)
    train = Train(g_steps=steps, d_steps=1, g_lr=3e-3, d_lr=3e-3, **given)
    architecture = architectures.registry.part(kind, parameters)
    cells = [Cell(objectives.create("hinge"), architecture, dataset, train, seed) for seed in range(count)]
    data = torch.from_numpy(source.load(data_root(), "train").samples)
    sampler = Sampler(cells, samples, torch.device("cpu"))
    flats = torch.stack([trained.snapshots[steps] for trained in train_cohort(cells, data, (steps,))])
    rows: dict[str, list[float]] = {}
    for _ in range(rounds):
        training = milliseconds(lambda: train_cohort(cells, data, (steps,))) / count
        costs = {"samples": milliseconds(lambda: sampler.draw(flats)) / count}
        drawn = sampler.draw(flats)[0]
        costs["features"] = milliseconds(lambda drawn=drawn: evaluator.read(drawn, 0))
        (evidence,) = evaluator.read(drawn, 0)
        assert not isinstance(evidence, str)
        for part in parts:
            # in the order of the protocol: what metrics share is paid by the first of them
            costs[part.name] = milliseconds(lambda part=part, evidence=evidence: part.create().compute(evidence))
        whole = sum(costs.values())
        costs |= {"a score in all": whole, f"training of {steps} G steps": training}
        costs["scoring / (scoring + training), %"] = 100 * whole / (whole + training)
        for what, cost in costs.items():
            rows.setdefault(what, []).append(cost)
    sys.stdout.write(f"{name}, {samples} samples, {count} cells\n")
    for what, costs in rows.items():
        sys.stdout.write(f"  {what:38} {statistics.median(costs):9.2f}   ({min(costs):.2f} to {max(costs):.2f})\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7, help="of training and a score, in turns")
    given = options.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as cache:
        for name in CASES:
            for samples in (1000, 2000):
                measure(name, samples, given.rounds, Path(cache))


if __name__ == "__main__":
    main()
