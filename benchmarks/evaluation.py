"""All scores of 10,000 pictures against torch-fidelity's, and one FID of 2,048 features: the same numbers, and ratios.

Needs MNIST under GANBENCH_DATA.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch_fidelity
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from ganbench import datasets
from ganbench.evaluation.evaluate import Evaluator, prepare
from ganbench.evaluation.evidence import Reference
from ganbench.evaluation.extractors import registry as extractors
from ganbench.evaluation.settings import EvaluationSettings
from ganbench.metrics import registry as metrics
from ganbench.metrics.fid import Fid, to_reference
from ganbench.paths import data_root

COUNT, WIDE = 10_000, 2048
KID = {"subsets": 100, "subset_size": 1000}  # torch-fidelity's own
THEIRS = {
    "fid": "frechet_inception_distance",
    "is": "inception_score_mean",
    "kid": "kernel_inception_distance_mean",
    "precision": "precision",
    "recall": "recall",
}
Scores = dict[str, float]


class Pictures(torch.utils.data.Dataset[torch.Tensor]):
    """Pictures as torch-fidelity takes them: one tensor per item."""

    def __init__(self, pictures: torch.Tensor) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.pictures[index]


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return seconds by the clock and of this process on a core, and what came out."""
    started, own = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - started, time.process_time() - own, found


def registered(network: torch.nn.Module) -> str:
    """Give torch-fidelity the same network as an extractor, and return its name."""

    class Same(torch_fidelity.FeatureExtractorBase):  # type: ignore[misc]
        def __init__(self, name: str, features_list: list[str], **_: object) -> None:
            super().__init__(name, features_list)
            self.network = network

        def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
            both = dict(zip(("features", "logits"), self.network(pictures), strict=True))
            return tuple(both[wanted] for wanted in self.features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return ("features", "logits")

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "logits" if metric == "isc" else "features"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

    torch_fidelity.register_feature_extractor("benchmark", Same)
    return "benchmark"


def sides(cache: Path) -> dict[str, Callable[[int], Scores]]:
    """Make ready all that may be made ready before, and return each way to score one set of samples, by its seed."""
    dataset, classifier = datasets.registry.part("mnist", {}), extractors.part("classifier", {})
    parts = (
        *(metrics.part(name, {}) for name in ("fid", "is", "precision_recall", "coverage")),
        metrics.part("kid", KID),
    )
    settings = EvaluationSettings(COUNT, classifier, parts, reference=COUNT)
    prepare(dataset, settings, data_root(), cache)
    evaluator = Evaluator(dataset, settings, data_root(), cache)
    name = registered(classifier.create().load(dataset, data_root(), cache, "cpu").network)
    source = dataset.create()
    held_out = torch.from_numpy(source.load(data_root(), "test").samples)
    # noisy, so that no score is at the end of its scale
    noise = torch.randn(held_out.shape, generator=torch.Generator().manual_seed(0)) * 50
    fake = (held_out + noise).clamp(0, 255).to(torch.uint8)[:COUNT]
    train = source.load(data_root(), "train").samples
    real = torch.from_numpy(train[np.random.RandomState(0).permutation(len(train))[:COUNT]])

    def ask(seed: int, **how: object) -> Scores:
        found: Scores = torch_fidelity.calculate_metrics(
            input1=Pictures(fake),
            input2=Pictures(real),
            feature_extractor=name,
            **dict.fromkeys(("fid", "isc", "kid", "prc"), True),
            cuda=False,
            verbose=False,
            rng_seed=seed,
            **how,
        )
        return found

    kept = {"cache": True, "cache_root": str(cache / "theirs"), "input2_cache_name": "real"}
    ways = {
        "ganbench": lambda seed: evaluator.score(fake, seed)[0],
        "torch-fidelity": lambda seed: ask(seed, save_cpu_ram=True, batch_size=250, **kept),
        "torch-fidelity, its defaults": lambda seed: ask(seed, cache=False),
    }
    ways["torch-fidelity"](0)  # keeps the real side, as ganbench has
    return ways


def all_scores(rounds: int, cache: Path) -> None:
    ways = sides(cache)
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for seed in range(1, rounds + 1):  # a new seed each time: what the last one drew is of no use
        found = {}
        for way, work in ways.items():
            *took, found[way] = timed(lambda work=work, seed=seed: work(seed))
            seconds[way].append((took[0], took[1]))
    sys.stdout.write(f"{COUNT} pictures of MNIST, 64 features, {torch.get_num_threads()} thread\n")
    ours, theirs = found["ganbench"], found["torch-fidelity"]
    for name, value in ours.items():
        beside = f"{theirs[THEIRS[name]]:14.8f}" if name in THEIRS else f"{'(has none)':>14}"
        sys.stdout.write(f"  {name:12} {value:14.8f} {beside}\n")
    for way, took in seconds.items():
        told = f"  {way:30}"
        # what worker processes take is missing from this process's seconds
        for clock, name in enumerate(("s", "core s") if "defaults" not in way else ("s",)):
            ratios = [one[clock] / own[clock] for one, own in zip(took, seconds["ganbench"], strict=True)]
            middle = statistics.median(one[clock] for one in took)
            told += (
                f" {middle:7.2f} {name}, ratio {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
            )
        sys.stdout.write(told + "\n")


def one_fid(rounds: int) -> None:
    """Time the distance alone: the statistics of the samples are torch-fidelity's on both sides."""
    fake, real = (
        fid_features_to_statistics(torch.randn(2 * WIDE, WIDE, generator=torch.Generator().manual_seed(seed)).double())
        for seed in (0, 1)
    )
    reference = Reference(torch.zeros(1, WIDE), None, real["mu"], real["sigma"])
    Fid().prepare(reference, 0)
    rows = []
    for _ in range(rounds):
        _, ours, own = timed(lambda: to_reference(fake["mu"], fake["sigma"], reference))
        _, theirs, their = timed(lambda: fid_statistics_to_metric(fake, real, verbose=False)[THEIRS["fid"]])
        rows.append((theirs, ours, theirs / ours))
    their_seconds, our_seconds, ratio = (statistics.median(column) for column in zip(*rows, strict=True))
    sys.stdout.write(f"FID of {WIDE} features, the real side's factor kept\n")
    sys.stdout.write(f"  {own:.8f} and torch-fidelity's {their:.8f}\n")
    sys.stdout.write(f"  {our_seconds:.2f} core s and {their_seconds:.2f} core s: ratio {ratio:.1f}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3, help="of every way to score, in turns")
    given = options.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as cache:
        all_scores(given.rounds, Path(cache))
    one_fid(given.rounds)


if __name__ == "__main__":
    main()
