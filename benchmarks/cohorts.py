"""Cells one after another by a hand-written loop, against the same cells as one cohort: ratios on one thread."""

from __future__ import annotations

import statistics
import sys
import time

import torch

from ganbench import architectures, objectives
from ganbench.registry import Part
from ganbench.suite.cells import Cell
from ganbench.suite.settings import Train
from ganbench.training.loop import train_cohort
from ganbench.training.samples import to_samples

ROUNDS = 5


def plain(cell: Cell, data: torch.Tensor, steps: int) -> None:
    """The loop a careful person writes for one cell."""
    train, loss, architecture = cell.train, cell.objective.loss.create(), cell.architecture.create()
    shape = tuple(data.shape[1:])
    g, d = architecture.generator(shape, train.latent_size), architecture.discriminator(shape)
    g_optimiser = torch.optim.Adam(g.parameters(), train.g_lr, train.betas, fused=True)
    d_optimiser = torch.optim.Adam(d.parameters(), train.d_lr, train.betas, fused=True)
    for _ in range(steps):
        real = to_samples(data[torch.randint(len(data), (train.batch_size,))], torch.float32)
        with torch.no_grad():
            fake = g(torch.randn(train.batch_size, train.latent_size))
        d_loss = loss.discriminator(d(real).flatten(), d(fake).flatten())
        d_optimiser.zero_grad()
        d_loss.backward()
        d_optimiser.step()
        d.requires_grad_(False)
        logits = d(g(torch.randn(train.batch_size, train.latent_size))).flatten()
        g_loss = loss.generator(logits, logits)
        g_optimiser.zero_grad()
        g_loss.backward()
        g_optimiser.step()
        d.requires_grad_(True)


def ratio(cells: list[Cell], data: torch.Tensor, steps: int) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for cell in cells:
            plain(cell, data, steps)
        middle = time.perf_counter()
        train_cohort(cells, data, ())
        found.append((middle - start) / (time.perf_counter() - middle))
    return found


def main() -> None:
    torch.set_num_threads(1)
    points = torch.randn(10_000, 2)
    images = torch.randint(256, (1_000, 1, 16, 16), dtype=torch.uint8)
    cases = [
        ("mlp, width 32, batch 64", points, ("mlp", {"width": 32}), 64, 40),
        ("mlp, width 64, batch 128", points, ("mlp", {"width": 64}), 128, 30),
        ("dcgan 16 px, width 8, batch 64", images, ("dcgan", {"width": 8}), 64, 8),
    ]
    for name, data, (kind, parameters), batch, steps in cases:
        for count in (1, 4, 16):
            train = Train(g_steps=steps, batch_size=batch, d_steps=1)
            architecture = architectures.registry.part(kind, parameters)
            names = ("hinge", "non_saturating", "least_squares", "minimax")
            cells = [
                Cell(objectives.create(names[i % 4]), architecture, Part("dataset", "ring8", {}), train, i)
                for i in range(count)
            ]
            found = ratio(sorted(cells, key=lambda cell: cell.objective.loss.name), data, steps)
            spread = f"{min(found):.2f} to {max(found):.2f}"
            sys.stdout.write(f"{name}, {count:2} cells: {statistics.median(found):.2f} x ({spread})\n")


if __name__ == "__main__":
    main()
