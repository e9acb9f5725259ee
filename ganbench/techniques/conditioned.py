"""Discriminators of samples and codes; imported when one is built, since they are torch modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Projected(nn.Module):
    """D(x, c) = w.phi(x) + b + (E c).phi(x), phi a vector critic behind a leaky ReLU."""

    def __init__(self, body: nn.Module, features: int, size: int) -> None:
        """Take the vector critic, how many features it gives and how many numbers a code has."""
        super().__init__()
        self.body = nn.Sequential(body, nn.LeakyReLU(0.2))
        self.plain = nn.Linear(features, 1)
        self.embedding = nn.Linear(size, features, bias=False)

    def forward(self, samples: Tensor, codes: Tensor) -> Tensor:
        """Return logits `(batch, 1)`."""
        phi = self.body(samples)
        logits: Tensor = self.plain(phi) + (self.embedding(codes) * phi).sum(-1, keepdim=True)
        return logits


class Concatenated(nn.Module):
    """D of samples with their codes appended: as constant channels of images, as further numbers of points."""

    def __init__(self, body: nn.Module) -> None:
        """Take a discriminator of what comes out."""
        super().__init__()
        self.body = body

    def forward(self, samples: Tensor, codes: Tensor) -> Tensor:
        """Return logits `(batch, 1)`."""
        places = codes.reshape(*codes.shape, *(1 for _ in samples.shape[2:]))
        both = torch.cat([samples, places.expand(*codes.shape, *samples.shape[2:])], dim=1)
        logits: Tensor = self.body(both).reshape(-1, 1)
        return logits


class Unaware(nn.Module):
    """D of samples alone, which is asked to tell the code instead of being told it."""

    def __init__(self, body: nn.Module) -> None:
        """Take a vector critic that gives the logit and the auxiliary numbers."""
        super().__init__()
        self.body = body

    def forward(self, samples: Tensor, codes: Tensor) -> Tensor:
        """Return `(batch, 1 + n)`, the logit first."""
        numbers: Tensor = self.body(samples)
        return numbers
