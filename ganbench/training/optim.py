"""Optimisers over flat parameters `(cells, size)`, with learning rates and decay rates per cell."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]


class Optimiser(Protocol):
    """Changes its flat parameters in place, given their gradient."""

    @property
    def state(self) -> dict[str, Tensor]:
        """All that it remembers, by name, each `(cells, ...)`, where it lies."""

    def step(self, gradient: Tensor) -> None:
        """Take one step."""

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, from `(flat, gradient)` to new parameters.

        It leaves the optimiser as it is, and is differentiable in both; what divides the step counts as a constant
        (the derivative of a root at a gradient of 0 is infinite).
        """


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1) by torch's own fused kernel."""

    def __init__(self, flat: Tensor, lr: Tensor, betas: Tensor, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)` and decay rates `(cells, 2)`; neighbours with equal ones share a kernel."""
        self._lr, self._betas, self._eps = lr[:, None], betas, eps
        mean, square = torch.zeros_like(flat), torch.zeros_like(flat)
        steps = torch.zeros(len(flat), dtype=torch.float32, device=flat.device)
        self._state = {"mean": mean, "square": square, "steps": steps}
        settings = zip(lr.tolist(), betas.tolist(), strict=True)
        runs = [(value, len(list(cells))) for value, cells in itertools.groupby(settings)]
        self._sizes = [size for _, size in runs]
        places = [0, *itertools.accumulate(self._sizes)]
        self._runs = [
            _Run(rate, beta1, beta2, eps, flat[low:high], mean[low:high], square[low:high], steps[low])
            for ((rate, (beta1, beta2)), _), (low, high) in zip(runs, itertools.pairwise(places), strict=True)
        ]

    @property
    def state(self) -> dict[str, Tensor]:
        """Moments, and the steps taken: kernels count them in the first cell of each run alone."""
        steps = self._state["steps"]
        steps.copy_(steps[:1].expand_as(steps))
        return self._state

    def step(self, gradient: Tensor) -> None:
        """Take one step."""
        slopes = torch.split(gradient, self._sizes) if len(self._runs) > 1 else (gradient,)
        for run, slope in zip(self._runs, slopes, strict=True):
            run.step(slope)

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, differentiable in parameters and gradient."""
        mean, square = self._state["mean"], self._state["square"]
        taken = self._state["steps"][:1].to(self._lr.dtype)
        beta1, beta2 = self._betas[:, :1], self._betas[:, 1:]

        def step(flat: Tensor, gradient: Tensor) -> Tensor:
            nonlocal mean, square, taken
            seen = gradient.detach()
            taken = taken + 1
            mean = mean.lerp(gradient, 1 - beta1)
            square = square * beta2 + seen * seen * (1 - beta2)
            scale = square.sqrt() / (1 - beta2**taken).sqrt() + self._eps
            return flat - mean / scale * (self._lr / (1 - beta1**taken))

        return step


@dataclass(frozen=True)
class _Run:
    """Neighbouring cells with equal settings: one kernel steps them all; `steps` `()` counts."""

    lr: float
    beta1: float
    beta2: float
    eps: float
    flat: Tensor
    mean: Tensor
    square: Tensor
    steps: Tensor

    def step(self, gradient: Tensor) -> None:
        # The kernel itself: what torch.optim wraps around it takes as long again for a lone small network.
        torch._fused_adam_(
            [self.flat],
            [gradient],
            [self.mean],
            [self.square],
            [],
            [self.steps.add_(1)],
            amsgrad=False,
            lr=self.lr,
            beta1=self.beta1,
            beta2=self.beta2,
            eps=self.eps,
            weight_decay=0.0,
            maximize=False,
        )


class RMSprop:
    """RMSprop (Tieleman and Hinton 2012) with torch.optim.RMSprop's defaults: what the WGAN paper used."""

    def __init__(self, flat: Tensor, lr: Tensor, alpha: float = 0.99, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)`."""
        self._flat, self._lr, self._alpha, self._eps = flat, lr[:, None], alpha, eps
        self.state = {"square": torch.zeros_like(flat)}

    def step(self, gradient: Tensor) -> None:
        """Take one step."""
        square = self.state["square"]
        square.mul_(self._alpha).addcmul_(gradient, gradient, value=1 - self._alpha)
        self._flat.sub_(gradient / square.sqrt().add_(self._eps) * self._lr)

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, differentiable in parameters and gradient."""
        state = dict(self.state)

        def step(flat: Tensor, gradient: Tensor) -> Tensor:
            seen = gradient.detach()
            state["square"] = state["square"] * self._alpha + seen * seen * (1 - self._alpha)
            return flat - gradient / (state["square"].sqrt() + self._eps) * self._lr

        return step


class SGD:
    """Plain gradient descent."""

    def __init__(self, flat: Tensor, lr: Tensor) -> None:
        """Take learning rates `(cells,)`."""
        self._flat, self._lr = flat, lr[:, None]
        self.state: dict[str, Tensor] = {}

    def step(self, gradient: Tensor) -> None:
        """Take one step."""
        self._flat.sub_(gradient * self._lr)

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, differentiable in parameters and gradient."""
        return lambda flat, gradient: flat - gradient * self._lr


def make(kind: str, flat: Tensor, lr: Tensor, betas: Tensor) -> Optimiser:
    """Make the optimiser `adam`, `rmsprop` or `sgd` for flat parameters."""
    if kind == "adam":
        return Adam(flat, lr, betas)
    return RMSprop(flat, lr) if kind == "rmsprop" else SGD(flat, lr)
