"""Searches of settings for the ring, as `ganbench tune` makes them, and as one who trains a cell after another."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import torch
from plain import steps

from ganbench.listener import Silence
from ganbench.paths import data_root
from ganbench.planning import Options
from ganbench.runner import train
from ganbench.suite.cells import Cell
from ganbench.tuning.at_work import Presence
from ganbench.tuning.choosing import Tried
from ganbench.tuning.confirming import best_again
from ganbench.tuning.search import Searched, planned, search
from ganbench.tuning.study import Study, open_storage
from ganbench.tuning.subjects import Settings, Subject, score
from ganbench.tuning.tuner import TunePlan, make_tune_plan

SUITE = """
name: tuning
objectives: [non_saturating]
datasets: [ring8]
architectures: [{{mlp: {{width: 32}}}}]
seeds: 1
train: {{g_steps: {steps}, batch_size: 64, latent_size: 2}}
evaluate: {{every: {steps}, samples: 1000, metrics: [fid]}}
tune:
  objective: fid_final
  trials: {trials}
  seeds_per_trial: {seeds}
  batch: {batch}
  sampler: {sampler}
  confirm: {{k: 5, seeds: 10}}
  seed: {seed}
  space:
    d_steps: {{int: [1, {most}]}}
    g_lr: {{log: [1.0e-5, 1.0e-1]}}
    d_lr: {{log: [1.0e-5, 1.0e-1]}}
"""
SAMPLES, REFERENCE = 1000, 10_000
FRESH = range(1000, 1016)  # seeds that no search has seen


@dataclass(frozen=True)
class Search:
    """A search that has been made: its plan, its subject and its trials."""

    made: TunePlan
    subject: Subject
    tried: Sequence[Tried]

    @property
    def best(self) -> Tried:
        """The trial with the best mean of those that lost no seed."""
        return min((trial for trial in self.tried if trial.feasible), key=lambda trial: trial.mean)

    @property
    def found(self) -> Settings:
        """The settings that `ganbench tune` would recommend: the best of the best few on seeds of their own."""
        (settings,) = best_again(self.made.plan, [(self.subject, self.tried)], lambda cells: train(cells, Silence()))
        assert settings is not None
        return settings

    def again(self) -> float:
        """Return the median score of the settings found, over seeds by which nothing was chosen."""
        plan = self.made.plan
        rows = self.subject.rows(self.found, FRESH)
        train(planned(plan, rows), Silence())
        found = [score(plan.store, row, self.subject) for row in rows]
        scores = [float("inf") if isinstance(one, str) else one[0] for one in found]  # a text says why there is none
        return statistics.median(scores)


def searched(
    folder: Path, sampler: str, trials: int, seed: int, batch: int, seeds: int = 2, steps: int = 300, most: int = 3
) -> Search:
    """Make a search of its own in a folder, with nothing after it."""
    folder.mkdir(parents=True)
    suite = folder / "tuning.yaml"
    suite.write_text(
        SUITE.format(sampler=sampler, trials=trials, seed=seed, batch=batch, seeds=seeds, steps=steps, most=most),
        encoding="utf-8",
    )
    made = make_tune_plan(suite, Options(store=folder / "runs"))
    presence, storage = Presence(made.folder), open_storage(made.storage)
    (subject,) = made.subjects
    study = Study(storage, made.plan.suite.name, made.tune, subject, presence)
    with presence.at_work([study]):
        search(
            made.plan, [Searched(subject, study)], made.folder, lambda cells: train(cells, Silence()), lambda _: None
        )
    return Search(made, subject, study.tried())


def by_hand(cell: Cell, data: torch.Tensor) -> float:
    """Train one cell and score it, as the plain script of one person does: a Frechet distance of the points."""
    torch.manual_seed(cell.seed)
    training, generator = steps(cell, data), None
    for _ in range(cell.train.g_steps):
        generator = next(training)
    assert generator is not None
    with torch.no_grad():
        fake = generator(torch.randn(SAMPLES, cell.train.latent_size)).double().numpy()
    real = data[:REFERENCE].double().numpy()
    if not np.isfinite(fake).all():
        return float("inf")
    a, b = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    roots = np.sqrt(np.abs(np.linalg.eigvals(a @ b)))  # their sum is the trace of the root
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(a + b) - 2 * roots.sum())


def updates(cells: Sequence[Cell]) -> int:
    """Count the updates of both players, by which the work of one after another grows."""
    return sum(((cell.train.d_steps or 1) + 1) * cell.train.g_steps for cell in cells)


def speed(folder: Path, every: int) -> None:
    """Compare 64 trials x 4 seeds x 1,000 G steps, of which the plain loop trains every `every`-th trial."""
    torch.set_num_threads(1)
    begun = time.perf_counter()
    found = searched(folder / "speed", "tpe", trials=64, seed=0, batch=16, seeds=4, steps=1000, most=5)
    ours = time.perf_counter() - begun
    cells = [
        [row.cell for row in found.subject.rows(trial.settings, range(4)) if row.cell is not None]
        for trial in found.tried
    ]
    data = torch.from_numpy(cells[0][0].dataset.create().load(data_root(), "train").samples)
    tried = cells[::every]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    begun = time.perf_counter()
    for mine, trial in zip(tried, found.tried[::every], strict=True):
        study.enqueue_trial(dict(trial.settings))
        study.optimize(lambda asked, mine=mine: _plainly(asked, mine, data), n_trials=1, catch=())
    theirs = time.perf_counter() - begun
    share = updates([cell for mine in tried for cell in mine]) / updates([cell for mine in cells for cell in mine])
    sys.stdout.write(
        f"one after another: {theirs:.1f} s for {len(tried)} trials, {100 * share:.0f} % of all updates\n"
        f"ganbench tune:     {ours:.1f} s for {len(cells)} trials\n"
        f"time of the plain loop: {theirs / share / ours:.1f} x (goal: 4)\n"
    )


def _plainly(asked: optuna.Trial, cells: Sequence[Cell], data: torch.Tensor) -> float:
    asked.suggest_int("d_steps", 1, 5)
    asked.suggest_float("g_lr", 1e-5, 1e-1, log=True)
    asked.suggest_float("d_lr", 1e-5, 1e-1, log=True)
    scores = [by_hand(cell, data) for cell in cells]
    return statistics.fmean(one if np.isfinite(one) else 1e9 for one in scores)


def quality(folder: Path, repetitions: int) -> None:
    """Compare the best of 64 trials of TPE with the best of 128 random ones, on their own seeds and on fresh ones."""
    sys.stdout.write(
        "| | TPE, 64: best trial | random, 128: best trial | TPE: found | random: found |\n|---|---|---|---|---|\n"
    )
    rows = []
    for seed in range(repetitions):
        tpe = searched(folder / f"tpe-{seed}", "tpe", 64, seed, batch=8)
        chance = searched(folder / f"random-{seed}", "random", 128, 1000 + seed, batch=128)
        own = [each.best.mean for each in (tpe, chance)]
        rows.append([*own, *(each.again() for each in (tpe, chance))])
        sys.stdout.write(f"| {seed} | {' | '.join(f'{one:.4f}' for one in rows[-1])} |\n")
        sys.stdout.flush()
    middle = [statistics.median(column) for column in zip(*rows, strict=True)]
    sys.stdout.write(f"| median | {' | '.join(f'{one:.4f}' for one in middle)} |\n")
    for name, first in (("its own", 0), ("fresh", 2)):
        won = sum(row[first] <= row[first + 1] for row in rows)
        ratio = statistics.median(row[first] / row[first + 1] for row in rows)
        sys.stdout.write(f"{name} seeds: TPE is at least as good in {won} of {len(rows)}, median ratio {ratio:.2f}\n")
