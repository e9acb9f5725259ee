"""The two networks of a cell: what its architecture offers, as its objective asks for them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganbench.plugins import Shape, View
from ganbench.suite.cells import Cell
from ganbench.techniques.conditioning import conditioning_of


class Energy(nn.Module):
    """An autoencoder as a critic: `(batch, 1 + features)`, each sample's reconstruction error and its code."""

    def __init__(self, autoencoder: nn.Module, error: str) -> None:
        """Take a module that gives `(reconstruction, code)`, and the error: "squared" or "absolute"."""
        super().__init__()
        self.autoencoder, self.error = autoencoder, error

    def forward(self, samples: Tensor) -> Tensor:
        """Reconstruct samples `(batch, *shape)`."""
        reconstruction, code = self.autoencoder(samples)
        difference = (reconstruction - samples).flatten(1)
        apart = difference.square() if self.error == "squared" else difference.abs()
        return torch.cat([apart.mean(1, keepdim=True), code.flatten(1)], dim=1)


def build_networks(cell: Cell, shape: Shape, classes: int | None) -> tuple[nn.Module, nn.Module]:
    """Build one generator and one discriminator, in this order, from the current random state."""
    architecture, loss = cell.architecture.create(), cell.objective.loss.create()
    conditioning = conditioning_of(cell.objective.techniques)
    codes = conditioning.code_size(classes) if conditioning else 0
    g = architecture.generator(shape, cell.train.latent_size + codes)
    seen = seen_shape(cell, shape)
    critic = getattr(loss, "critic", "scalar")
    if conditioning:
        return g, conditioning.discriminator(architecture, seen, classes)
    if critic == "vector":
        return g, architecture.vector_critic(seen, loss.features)
    if critic == "autoencoder":
        return g, Energy(architecture.autoencoder(seen, loss.features), loss.error)
    return g, architecture.discriminator(seen)


def has_beliefs(cell: Cell) -> bool:
    """Whether D's logits can be held against the truth: a known density, seen as it is, by a loss that says how."""
    return may_have_beliefs(cell) and hasattr(cell.objective.loss.create(), "posterior")


def may_have_beliefs(cell: Cell) -> bool:
    """Whether D's logits can be held against the truth by some loss: the same of all cells that can train together."""
    return hasattr(cell.dataset.create(), "log_density") and not cell.objective.techniques


def has_surface(cell: Cell) -> bool:
    """Whether D gives each point of a plane one number, so that the report can draw it; D is then kept at the end."""
    shape, loss = cell.dataset.create().shape, cell.objective.loss.create()
    if shape != (2,) or getattr(loss, "critic", "scalar") == "vector":
        return False
    return seen_shape(cell, shape) == shape and conditioning_of(cell.objective.techniques) is None


def seen_shape(cell: Cell, shape: Shape) -> Shape:
    """Return the shape of what D sees, given that of the samples."""
    for part in cell.objective.techniques:
        technique = part.create()
        if isinstance(technique, View) and hasattr(technique, "input_shape"):
            shape = technique.input_shape(shape)
    return shape
