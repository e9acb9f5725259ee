"""The reference of all benchmarks: the loop that a person writes for one cell, with torch alone.

Adam as it comes (no fused kernel), D's weights not frozen while G learns: their gradients are computed and thrown
away. Nothing is recorded. Networks are the cell's own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganbench.suite.cells import Cell

D_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "non_saturating": lambda real, fake: functional.softplus(-real).mean() + functional.softplus(fake).mean(),
    "hinge": lambda real, fake: functional.relu(1 - real).mean() + functional.relu(1 + fake).mean(),
    "least_squares": lambda real, fake: (real - 1).square().mean() / 2 + fake.square().mean() / 2,
    "wasserstein": lambda real, fake: fake.mean() - real.mean(),
}
G_LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "non_saturating": lambda fake: functional.softplus(-fake).mean(),
    "hinge": lambda fake: -fake.mean(),
    "least_squares": lambda fake: (fake - 1).square().mean() / 2,
    "wasserstein": lambda fake: -fake.mean(),
}


def steps(cell: Cell, data: Tensor, precision: str = "float32") -> Iterator[nn.Module]:
    """Train one cell where `data` lies, without end: G after each of its steps.

    With bf16 networks and losses run under autocast; penalties do not, as half precision makes them NaN. What float32
    products are rounded to on a GPU is the process's own setting.
    """
    train, device = cell.train, data.device
    shape, rows, latents = tuple(data.shape[1:]), (train.batch_size,), (train.batch_size, train.latent_size)
    architecture = cell.architecture.create()
    g, d = architecture.generator(shape, train.latent_size).to(device), architecture.discriminator(shape).to(device)
    g_optimiser = torch.optim.Adam(g.parameters(), train.g_lr, train.betas)
    d_optimiser = torch.optim.Adam(d.parameters(), train.d_lr, train.betas)
    d_loss_of, g_loss_of = D_LOSSES[cell.objective.loss.name], G_LOSSES[cell.objective.loss.name]
    weights = [part.parameters["weight"] for part in cell.objective.penalties]
    half = precision == "bf16"
    while True:
        for _ in range(train.d_steps or 1):
            real = data[torch.randint(len(data), rows, device=device)]
            if real.dtype == torch.uint8:
                real = real.float().div_(127.5).sub_(1)
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                with torch.no_grad():
                    fake = g(torch.randn(latents, device=device))
                d_loss = d_loss_of(d(real), d(fake))
            for weight in weights:
                d_loss = d_loss + weight * gradient_penalty(d, real, fake.float())
            d_optimiser.zero_grad()
            d_loss.backward()
            d_optimiser.step()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            g_loss = g_loss_of(d(g(torch.randn(latents, device=device))))
        g_optimiser.zero_grad()
        g_loss.backward()
        g_optimiser.step()
        yield g


def gradient_penalty(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Return E[(||grad D|| - 1)^2] at interpolates, one weight per pair (WGAN-GP)."""
    alpha = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    between = (alpha * real + (1 - alpha) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
