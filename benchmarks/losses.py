"""Every loss on logits, both players, against one forward pass of the default critic on the same batch."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, get_args

import torch

from ganbench import architectures, losses
from ganbench.losses import relativistic, variational_bounds
from ganbench.training.players import start

CELLS, BATCH, ROUNDS = 64, 256, 15
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("minimax", {}),
    ("non_saturating", {}),
    ("non_saturating", {"real_label": 0.9}),
    ("least_squares", {}),
    ("least_squares", {"on": "probability"}),
    ("hinge", {}),
    ("wasserstein", {}),
    *(
        (f"relativistic_{against}", {"kind": kind})
        for against in ("paired", "average")
        for kind in get_args(relativistic.Kind)
    ),
    *(
        ("f_divergence", {"kind": kind, "game": game})
        for kind in get_args(variational_bounds.Kind)
        for game in ("minimax", "non_saturating")
    ),
]


def timed(work: Callable[..., object], *arguments: object) -> float:
    before = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - before


def measure() -> tuple[dict[str, list[float]], list[float]]:
    """Return the seconds of every loss and of the forward pass, by round, taken in turns."""
    architecture = architectures.create("mlp")
    _, (d, flat) = start(
        lambda: (architecture.generator((2,), 2), architecture.discriminator((2,))),
        range(CELLS),
        torch.device("cpu"),
        torch.float32,
    )
    parameters, points = d.parameters(flat), torch.randn(CELLS, BATCH, 2)
    real, fake = torch.randn(2, CELLS, BATCH)

    def both(loss: Any) -> None:
        loss.discriminator(real, fake)
        loss.generator(real, fake)

    created = {" ".join([name, *map(str, chosen.values())]): losses.create(name, **chosen) for name, chosen in VARIANTS}
    taken: dict[str, list[float]] = {name: [] for name in created}
    forward = []
    for at in range(-2, ROUNDS):  # two rounds more, to fill caches
        passed = timed(d, parameters, points)
        each = {name: timed(both, loss) for name, loss in created.items()}
        if at >= 0:
            forward.append(passed)
            for name, seconds in each.items():
                taken[name].append(seconds)
    return taken, forward


def main() -> None:
    torch.set_num_threads(1)
    with torch.no_grad():
        taken, forward = measure()
    together = [sum(one_round) for one_round in zip(*taken.values(), strict=True)]
    ratios = [losses / passed for losses, passed in zip(together, forward, strict=True)]
    rows = {**taken, f"all {len(taken)} together": together, "one forward pass of the critic": forward}
    for name, seconds in rows.items():
        sys.stdout.write(f"{name:45} {1e3 * statistics.median(seconds):8.3f} ms\n")
    spread = f"({min(ratios):.2f} to {max(ratios):.2f})"
    sys.stdout.write(f"{'all losses / one forward pass':45} {statistics.median(ratios):8.2f} x {spread}\n")


if __name__ == "__main__":
    main()
