"""Optimisers over flat parameters `(cells, size)`, with learning rates and decay rates per cell."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Optimiser(Protocol):
    """Changes flat parameters in place, given their gradient."""

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""


class Adam:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1), as torch.optim.Adam computes it."""

    def __init__(self, flat: Tensor, lr: Tensor, betas: Tensor, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)` and decay rates `(cells, 2)`."""
        self._lr, self._eps = lr[:, None], eps
        self._beta1, self._beta2 = betas[:, :1], betas[:, 1:]
        self._mean, self._square = torch.zeros_like(flat), torch.zeros_like(flat)
        self._power1, self._power2 = torch.ones_like(self._beta1), torch.ones_like(self._beta2)

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        self._power1 = self._power1 * self._beta1
        self._power2 = self._power2 * self._beta2
        self._mean.lerp_(gradient, 1 - self._beta1)
        self._square.mul_(self._beta2).addcmul_(gradient * (1 - self._beta2), gradient)
        scale = self._square.sqrt().div_((1 - self._power2).sqrt()).add_(self._eps)
        flat.sub_(self._mean / scale * (self._lr / (1 - self._power1)))


class RMSprop:
    """RMSprop (Tieleman and Hinton 2012) with torch.optim.RMSprop's defaults: what the WGAN paper used."""

    def __init__(self, flat: Tensor, lr: Tensor, alpha: float = 0.99, eps: float = 1e-8) -> None:
        """Take learning rates `(cells,)`."""
        self._lr, self._alpha, self._eps = lr[:, None], alpha, eps
        self._square = torch.zeros_like(flat)

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        self._square.mul_(self._alpha).addcmul_(gradient, gradient, value=1 - self._alpha)
        flat.sub_(gradient / self._square.sqrt().add_(self._eps) * self._lr)


class SGD:
    """Plain gradient descent."""

    def __init__(self, lr: Tensor) -> None:
        """Take learning rates `(cells,)`."""
        self._lr = lr[:, None]

    def step(self, flat: Tensor, gradient: Tensor) -> None:
        """Take one step."""
        flat.sub_(gradient * self._lr)


def make(kind: str, flat: Tensor, lr: Tensor, betas: Tensor) -> Optimiser:
    """Make the optimiser `adam`, `rmsprop` or `sgd` for flat parameters."""
    if kind == "adam":
        return Adam(flat, lr, betas)
    return RMSprop(flat, lr) if kind == "rmsprop" else SGD(lr)
