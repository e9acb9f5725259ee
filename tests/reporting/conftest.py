"""A store made through the store's own functions, with everything in it that a report may meet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench.records import Listed, Scores, Status, SuiteRecord
from ganbench.store import Store

HOSTILE = "<script>alert(1)</script>"
OBJECTIVES = ("r3gan", "wgan_gp", "hinge", "non_saturating", "least_squares", "minimax", HOSTILE)
PIXELS = 48  # of a side of what is kept of the plane
STEPS = tuple(range(200, 2001, 200))
RING = [[math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)] for k in range(8)]
GRID = [[float(x), float(y)] for x in range(-4, 5, 2) for y in range(-4, 5, 2)]
DATASETS: dict[str, dict[str, Any]] = {
    "ring8": {"shape": [2], "classes": None, "centres": RING, "std": 0.02, "headline": "modes"},
    "grid25": {"shape": [2], "classes": None, "centres": GRID, "std": 0.05, "headline": "modes"},
    "digits": {"shape": [1, 8, 8], "classes": 10, "centres": None, "std": None, "headline": "fid"},
}
TITLES = {"modes": "modes covered", "high_quality": "high-quality share", "mode_kl": "KL of modes", "fid": "FID"}
POINT_VALUES = {"modes": "higher", "high_quality": "higher", "mode_kl": "lower", "precision": "higher"}
IMAGE_VALUES = {"fid": "lower", "kid": "lower", "precision": "higher", "recall": "higher", "coverage": "higher"}
PROVENANCE = {"ganbench": "0.1.0", "torch": "2.9", "python": "3.12", "commit": "abc123", "device": "cpu"}
PROTOCOL = {
    "extractor": {"name": "identity", "weights": None},
    "samples": 2000,
    "reference": "train",
    "metrics": ["modes"],
}
SETTINGS = {"g_steps": 2000, "batch_size": 64, "g_lr": 2e-4, "d_lr": 2e-4, "betas": [0.5, 0.999]}


class Builder:
    """Adds cells to a store one by one, then writes the suite that lists them."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self.listed: list[Listed] = []
        self.ceiling: Mapping[str, float] = {}

    def add(
        self,
        objective: str,
        dataset: str,
        seed: int,
        outcome: str = "completed",
        quality: float = 0.9,
        protocol: str = "p1",
        scored: bool = True,
        constant: bool = False,
        per_class: Sequence[Mapping[str, float | None]] = (),
        rows: Sequence[Mapping[str, float | None]] | None = None,
        pictures: bool = False,
        traced: bool = True,
        **changes: Any,
    ) -> str:
        """Add one cell; `quality` in [0, 1] is how good its scores get, `changes` go to its listing.

        `rows` are its scores as they are; `pictures` are kept of it as by today's scoring, nothing is of one not
        `traced` while it trains.
        """
        key = f"{len(self.listed):012x}"
        random = np.random.default_rng([len(self.listed), seed])
        row = {"architecture": "mlp", "settings": SETTINGS, **changes}
        self.listed.append(Listed(key, f"e-{protocol}", objective, dataset=dataset, seed=seed, **row))
        if outcome in ("missing", "skipped"):
            return key
        last = {"diverged": 900, "failed": 0, "timed_out": 1200}.get(outcome, STEPS[-1])
        status = Status(
            outcome=outcome,  # type: ignore[arg-type]
            step=last,
            reason={"diverged": f"D's loss was not finite at step {last}", "failed": "ValueError: broken <plugin>"}.get(
                outcome, ""
            ),
            traceback='Traceback (most recent call last):\n  File "x.py", line 1\nValueError: broken <plugin>'
            if outcome == "failed"
            else "",
            train_seconds=random.uniform(1, 3) * (4 if objective == "wgan_gp" else 1),
            cohort_seconds=20.0,
            cohort_size=16,
            d_updates=last * (5 if objective == "wgan_gp" else 1),
            g_updates=last,
            images_seen=last * 64 * (5 if objective == "wgan_gp" else 1),
            d_parameters=17_000,
            g_parameters=18_000,
            provenance={**PROVENANCE, "finished": "2026-11-01T00:00:00Z"},
        )
        self.store.write_training(
            key,
            cell={"objective": objective},
            trace=_trace(random, last, outcome) if traced else (),
            status=status,
            snapshots={},
        )
        if scored and outcome != "failed":
            made = rows or [
                _row(dataset, step, quality, 0.0 if constant else 0.04, random) for step in STEPS if step <= last
            ]
            self._score(key, dataset, protocol, random, made, quality, tuple(per_class), pictures)
        return key

    def _score(
        self,
        key: str,
        dataset: str,
        protocol: str,
        random: np.random.Generator,
        rows: Sequence[Mapping[str, float | None]],
        quality: float,
        per_class: tuple[Mapping[str, float | None], ...],
        pictures: bool,
    ) -> None:
        usual = IMAGE_VALUES if dataset == "digits" else POINT_VALUES
        named = dict.fromkeys(name for row in rows for name in row if name != "step")
        better = {name: usual.get(name, "lower") for name in named}
        reasons = {"mode_kl": "no sample is of high quality"} if quality < 0.2 and dataset != "digits" else {}
        scores = Scores(protocol, PROTOCOL, better, tuple(rows), reasons, 0.5, per_class, self.ceiling)
        samples = _samples(dataset, quality, random)
        kept = kept_pictures(dataset, samples, [int(row["step"] or 0) for row in rows]) if pictures else None
        self.store.write_scores(key, f"e-{protocol}", scores, samples, kept)

    def write(self, name: str = "losses", **changes: Any) -> Store:
        """Write the suite's record and return the store."""
        datasets = {label: {**about, "titles": TITLES} for label, about in DATASETS.items()}
        objectives = {
            label: {
                "equilibrium": None if label == "wgan_gp" else 2 * math.log(2),
                "d_steps": 1,
                "formula": f"{label} + r1",
            }
            for label in OBJECTIVES
        }
        record: Mapping[str, Any] = {
            "source": "name: losses\nobjectives: [r3gan] # <b>bold</b>\n",
            "started": "2026-11-01T00:00:00Z",
            "seconds": 321.0,
            "datasets": {
                label: datasets[label] for label in datasets if any(row.dataset == label for row in self.listed)
            },
            "objectives": objectives,
            **changes,
        }
        self.store.write_suite(SuiteRecord(name, tuple(self.listed), **record))
        return self.store


def _trace(random: np.random.Generator, last: int, outcome: str) -> list[dict[str, float]]:
    records = []
    for step in range(20, last + 1, 20):
        loss = 1.386 - 0.7 * math.exp(-step / 300) + random.normal(0, 0.05)
        values = {"d_loss": loss, "d_penalty": 0.1, "g_loss": 0.7, "real_logit": 0.5, "fake_logit": -0.5}
        records.append({"step": step, **values, "d_accuracy": 0.6, "d_grad_norm": 0.3, "g_grad_norm": 0.2})
    if outcome == "diverged":
        records.append({**records[-1], "step": last, "d_loss": math.nan, "g_grad_norm": math.inf})
    return records


def _row(dataset: str, step: int, quality: float, noise: float, random: np.random.Generator) -> dict[str, float | None]:
    level = float(
        np.clip(quality * (1 - math.exp(-step / 400)) / (1 - math.exp(-5)) + random.normal(0, 1) * noise, 0, 1)
    )
    if dataset == "digits":
        values = {"fid": 5 + 200 * (1 - level) ** 2, "kid": 0.3 * (1 - level), "precision": level, "recall": level**2}
        return {"step": step, **values, "coverage": level}
    modes = float(round(level * len(DATASETS[dataset]["centres"])))
    kl = None if quality < 0.2 else 2 * (1 - level)
    return {"step": step, "modes": modes, "high_quality": level, "mode_kl": kl, "precision": level}


def _samples(dataset: str, quality: float, random: np.random.Generator) -> np.ndarray:
    if dataset == "digits":
        from sklearn.datasets import load_digits

        images = load_digits().images[random.integers(0, 1797, 64)] * 15.9
        noisy = images + random.normal(0, 120 * (1 - quality), images.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)[:, None]
    centres = np.array(DATASETS[dataset]["centres"])
    kept = centres[: max(1, round(quality * len(centres)))]
    spread = DATASETS[dataset]["std"] * (1 + 4 * (1 - quality))
    return (kept[random.integers(0, len(kept), 2000)] + random.normal(0, spread, (2000, 2))).astype(np.float32)


def kept_pictures(dataset: str, samples: np.ndarray, steps: Sequence[int]) -> dict[str, np.ndarray]:
    """Make what scoring keeps of a cell with these samples at its last step: see ganbench.evaluation.pictures."""
    few = 16 if dataset == "digits" else 500
    made: dict[str, np.ndarray] = {
        "steps": np.array(steps),
        "by_step": np.stack([np.roll(samples[:few], place, axis=-1) for place in range(len(steps))][::-1]),
        "neighbours": samples[-8:],
        "neighbour_distances": np.linspace(0.1, 0.8, 8, dtype=np.float32),
        "real_distances": np.array([0.05, 0.5]),
    }
    if dataset == "digits":
        return made
    made["by_step"] = made["by_step"].astype(np.float16)
    centres = np.array(DATASETS[dataset]["centres"])
    nearest = np.argmin(((samples[:, None] - centres) ** 2).sum(axis=2), axis=1)
    counts = np.bincount(nearest, minlength=len(centres))
    truth, generated = _shares(centres, centres), _shares(samples, centres)
    with np.errstate(invalid="ignore"):
        best = (truth / (truth + generated)).astype(np.float16)
    return made | {
        "mode_counts": np.stack([counts] * len(steps)),
        "mode_weights": np.full(len(centres), 1 / len(centres)),
        "box": np.array([-_reach(centres), _reach(centres)] * 2),
        "bandwidth": np.array(2 * _reach(centres) / PIXELS),
        "truth": truth.astype(np.float16),
        "generated": generated.astype(np.float16),
        "best": best,
        "surface": np.nan_to_num(best, nan=0.5),
    }


def _reach(centres: np.ndarray) -> float:
    return 1.3 * float(np.abs(centres).max())


def _shares(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the share of points in each pixel of the square: the lowest y in row 0, the lowest x in column 0."""
    edges = np.linspace(-_reach(centres), _reach(centres), PIXELS + 1)
    return np.histogram2d(points[:, 1], points[:, 0], bins=(edges, edges))[0] / len(points)


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "runs")


def fill(builder: Builder, seeds: int = 5, objectives: Sequence[str] = OBJECTIVES) -> Store:
    """Fill a store with a whole suite: most cells completed, some of every other kind."""
    for dataset in DATASETS:
        for place, objective in enumerate(objectives):
            for seed in range(seeds):
                outcome = "completed"
                if objective == "minimax" and seed < (3 if dataset == "digits" else 1):
                    outcome = "diverged"
                if objective == HOSTILE and dataset == "digits":
                    outcome = "failed"
                quality = (0.985, 0.96, 0.95, 0.75, 0.6, 0.99, 0.12)[place % 7]
                builder.add(objective, dataset, seed, outcome, quality, constant=objective == "r3gan")
    return builder.write()


@pytest.fixture(scope="session")
def whole_suite(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store of 7 objectives on 3 datasets with 5 seeds each: 105 cells."""
    return fill(Builder(tmp_path_factory.mktemp("whole") / "runs"))


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A small store with every outcome, two protocols on one dataset, points and images; tests only read it."""
    builder = Builder(tmp_path_factory.mktemp("varied") / "runs")
    for seed in range(3):
        builder.add("hinge", "ring8", seed, quality=0.75)
        builder.add("r3gan", "ring8", seed, quality=0.95, outcome="missing" if seed == 2 else "completed")
        builder.add(
            "minimax", "ring8", seed, quality=1.0, outcome="diverged" if seed == 1 else "completed", constant=True
        )
        builder.add(HOSTILE, "ring8", seed, outcome="failed")
        builder.add("hinge", "digits", seed, quality=0.9)
        builder.add("r3gan", "digits", seed, quality=0.7)
        builder.add("wgan_gp", "digits", seed, quality=0.8, protocol="p2")
        builder.add("least_squares", "digits", seed, outcome="skipped", skipped="dcgan needs a side of 16 or more")
    return builder.write()
