"""A whole job with MLflow: a script per cell, the same script looping over cells, and `ganbench run`, as ratios."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CELLS, STEPS, BATCH, WIDTH, DEPTH, LATENT = 64, 500, 128, 64, 3, 16  # three hidden layers: four linear ones
LOSSES = ("minimax", "non_saturating", "least_squares", "hinge")

# What a person writes who compares losses: a plain loop, Adam as it comes, and MLflow's fluent API.
SCRIPT = """
import sys, time
begun = time.perf_counter()
import mlflow, torch
from torch import nn
from torch.nn import functional as F

STEPS, BATCH, WIDTH, DEPTH, LATENT = {steps}, {batch}, {width}, {depth}, {latent}
D_LOSSES = {{
    "minimax": lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
    "least_squares": lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
    "hinge": lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
}}
D_LOSSES["non_saturating"] = D_LOSSES["minimax"]
G_LOSSES = {{
    "minimax": lambda fake: -F.softplus(fake).mean(),
    "non_saturating": lambda fake: F.softplus(-fake).mean(),
    "least_squares": lambda fake: ((fake - 1) ** 2).mean() / 2,
    "hinge": lambda fake: -fake.mean(),
}}

def mlp(inputs, outputs, activation):
    layers = []
    for size in (inputs, *(WIDTH,) * (DEPTH - 1)):
        layers += [nn.Linear(size, WIDTH), activation()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, outputs))

def ring(count):
    angle = 2 * torch.pi * torch.randint(8, (count,)) / 8
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.01 * torch.randn(count, 2)

def cell(loss, seed):
    torch.manual_seed(seed)
    data = ring(100_000)
    g, d = mlp(LATENT, 2, nn.ReLU), mlp(2, 1, lambda: nn.LeakyReLU(0.2))
    g_optimiser = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    d_optimiser = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    with mlflow.start_run(run_name=f"{{loss}} {{seed}}"):
        mlflow.log_params(dict(loss=loss, seed=seed, steps=STEPS, batch=BATCH, width=WIDTH, lr=2e-4))
        for step in range(1, STEPS + 1):
            real = data[torch.randint(len(data), (BATCH,))]
            fake = g(torch.randn(BATCH, LATENT))
            real_logits, fake_logits = d(real), d(fake.detach())
            d_loss = D_LOSSES[loss](real_logits, fake_logits)
            d_optimiser.zero_grad()
            d_loss.backward()
            d_optimiser.step()
            g_loss = G_LOSSES[loss](d(g(torch.randn(BATCH, LATENT))))
            g_optimiser.zero_grad()
            g_loss.backward()
            g_optimiser.step()
            if step % 10 == 0:
                seen = dict(d_loss=d_loss.item(), g_loss=g_loss.item())
                seen |= dict(real_logit=real_logits.mean().item(), fake_logit=fake_logits.mean().item())
                mlflow.log_metrics(seen, step=step)

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("by hand")
print(time.perf_counter() - begun)
for named in sys.argv[2:]:
    loss, seed = named.split(":")
    begun = time.perf_counter()
    cell(loss, int(seed))
    print(time.perf_counter() - begun)
"""

SUITE = """
name: job
objectives: [{losses}]
datasets: [ring8]
architectures: [{{mlp: {{width: {width}, depth: {depth}}}}}]
seeds: {seeds}
train: {{g_steps: {steps}, batch_size: {batch}, latent_size: {latent}, d_steps: 1}}
evaluate: {evaluate}
"""
UNSCORED = "{metrics: []}"
BARELY_SCORED = f"{{every: {STEPS}, samples: 100, reference: 100, metrics: [modes]}}"

# As a person runs them: as many threads as torch takes by itself, and no word to MLflow's makers.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
ENVIRONMENT |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}


def named(count: int) -> list[str]:
    return [f"{LOSSES[i % len(LOSSES)]}:{i // len(LOSSES)}" for i in range(count)]


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    begun = time.perf_counter()
    environment = {**ENVIRONMENT, "GANBENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


def by_scripts(folder: Path, number: int, measured: int) -> float:
    """One process per cell: the first makes the database, the others are like the one in the middle."""
    command = [sys.executable, str(folder / "by_hand.py"), f"sqlite:///{folder / f'scripts{number}.db'}"]
    first, *others = [timed([*command, cell], folder)[0] for cell in named(measured)]
    whole = first + (CELLS - 1) * statistics.median(others)
    say(
        "(a) a script per cell", whole, f"{first:.1f} s for the first, {statistics.median(others):.2f} s for each other"
    )
    return whole


def in_one_process(folder: Path, number: int, measured: int) -> float:
    """One process for all cells: imports and database once."""
    command = [sys.executable, str(folder / "by_hand.py"), f"sqlite:///{folder / f'loop{number}.db'}"]
    _, told = timed([*command, *named(measured)], folder)
    start, *cells = map(float, told.split())
    whole = start + CELLS * statistics.median(cells)
    say("(b) one process, cell after cell", whole, f"{start:.1f} s to start, {statistics.median(cells):.2f} s a cell")
    return whole


def by_ganbench(folder: Path, number: int) -> float:
    """All cells, from an empty store and no database."""
    store = folder / f"runs{number}"
    command = [sys.executable, "-m", "ganbench", "run", "job.yaml", "--store", str(store), "--no-report"]
    whole, _ = timed(command, folder)
    say("(c) ganbench run", whole, "measured whole")
    return whole


def say(what: str, seconds: float, how: str) -> None:
    sys.stdout.write(f"{what:35} {seconds:7.1f} s for {CELLS} cells ({how})\n")
    sys.stdout.flush()


def write_suite(path: Path) -> str:
    """Write the suite without scores, or with the cheapest where they cannot be switched off; return what it is."""
    import ganbench
    from ganbench.suite.errors import SuiteError

    shape = {"width": WIDTH, "depth": DEPTH, "steps": STEPS, "batch": BATCH, "latent": LATENT}
    for evaluate in (UNSCORED, BARELY_SCORED):
        path.write_text(SUITE.format(losses=", ".join(LOSSES), seeds=CELLS // len(LOSSES), evaluate=evaluate, **shape))
        try:
            made = ganbench.plan(path, store=path.parent / "runs")
        except SuiteError:
            continue
        assert len(made.entries) == CELLS
        if evaluate != UNSCORED or not any(cohort.scoring.settings.metrics for cohort in made.cohorts):
            return evaluate
    sys.exit("the suite cannot be planned")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--scripts", type=int, default=3, help="cells that a round measures as scripts (2 or more)")
    options.add_argument("--loop", type=int, default=6, help="cells that a round measures in one process")
    options.add_argument("--rounds", type=int, default=3, help="rounds of all three, in turns; their medians count")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="ganbench-job-") as name:
        folder = Path(name)
        shape = {"width": WIDTH, "depth": DEPTH, "steps": STEPS, "batch": BATCH, "latent": LATENT}
        (folder / "by_hand.py").write_text(SCRIPT.format(**shape))
        sys.stdout.write(f"evaluate: {write_suite(folder / 'job.yaml')}\n")
        rounds = []
        for number in range(chosen.rounds):
            others = by_scripts(folder, number, chosen.scripts), in_one_process(folder, number, chosen.loop)
            rounds.append((*others, by_ganbench(folder, number)))
    for letter, place in (("a", 0), ("b", 1)):
        ratios = [sides[place] / sides[2] for sides in rounds]
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        sys.stdout.write(f"({letter}) / (c) = {statistics.median(ratios):.1f} x ({spread})\n")


if __name__ == "__main__":
    main()
