"""Optimisers over flat parameters `(cells, size)`, with learning rates and decay rates per cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]


class Optimiser(Protocol):
    """Changes flat parameters in place, given their gradient; `state` is all that it remembers, by name."""

    state: dict[str, Tensor]

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, from `(flat, gradient)` to new parameters.

        It leaves the optimiser as it is, and is differentiable in both; what divides the step counts as a constant
        (the derivative of a root at a gradient of 0 is infinite).
        """


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1), as torch.optim.Adam computes it."""

    def __init__(self, flat: Tensor, lr: Tensor, betas: Tensor, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)` and decay rates `(cells, 2)`."""
        self._lr, self._eps = lr[:, None], eps
        self._beta1, self._beta2 = betas[:, :1], betas[:, 1:]
        self.state = {
            "mean": torch.zeros_like(flat),
            "square": torch.zeros_like(flat),
            "power1": torch.ones_like(self._beta1),
            "power2": torch.ones_like(self._beta2),
        }

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        state = self.state
        state["power1"].mul_(self._beta1)
        state["power2"].mul_(self._beta2)
        state["mean"].lerp_(gradient, 1 - self._beta1)
        state["square"].mul_(self._beta2).addcmul_(gradient * (1 - self._beta2), gradient)
        scale = state["square"].sqrt().div_((1 - state["power2"]).sqrt()).add_(self._eps)
        flat.sub_(state["mean"] / scale * (self._lr / (1 - state["power1"])))

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, differentiable in parameters and gradient."""
        state = dict(self.state)

        def step(flat: Tensor, gradient: Tensor) -> Tensor:
            seen = gradient.detach()
            state["power1"], state["power2"] = state["power1"] * self._beta1, state["power2"] * self._beta2
            state["mean"] = state["mean"].lerp(gradient, 1 - self._beta1)
            state["square"] = state["square"] * self._beta2 + seen * seen * (1 - self._beta2)
            scale = state["square"].sqrt() / (1 - state["power2"]).sqrt() + self._eps
            return flat - state["mean"] / scale * (self._lr / (1 - state["power1"]))

        return step


class RMSprop:
    """RMSprop (Tieleman and Hinton 2012) with torch.optim.RMSprop's defaults: what the WGAN paper used."""

    def __init__(self, flat: Tensor, lr: Tensor, alpha: float = 0.99, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)`."""
        self._lr, self._alpha, self._eps = lr[:, None], alpha, eps
        self.state = {"square": torch.zeros_like(flat)}

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        square = self.state["square"]
        square.mul_(self._alpha).addcmul_(gradient, gradient, value=1 - self._alpha)
        flat.sub_(gradient / square.sqrt().add_(self._eps) * self._lr)

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

    def __init__(self, lr: Tensor) -> None:
        """Take learning rates `(cells,)`."""
        self._lr = lr[:, None]
        self.state: dict[str, Tensor] = {}

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        flat.sub_(gradient * self._lr)

    def ahead(self) -> Step:
        """Return a function that takes further steps from here, differentiable in parameters and gradient."""
        return lambda flat, gradient: flat - gradient * self._lr


def make(kind: str, flat: Tensor, lr: Tensor, betas: Tensor) -> Optimiser:
    """Make the optimiser `adam`, `rmsprop` or `sgd` for flat parameters."""
    if kind == "adam":
        return Adam(flat, lr, betas)
    return RMSprop(flat, lr) if kind == "rmsprop" else SGD(lr)
