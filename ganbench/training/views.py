"""One player's parameters in all cells: one matrix, and views of it by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

import torch
from torch import Tensor

MATRICES = 3  # dimensions: a matrix for each cell


class Views(Mapping[str, Tensor]):
    """Flat parameters `(cells, size)`, or longer rows, by the names of a network's own, each `(cells, *shape)`."""

    def __init__(self, flat: Tensor, shapes: Mapping[str, torch.Size]) -> None:
        """Take the rows, and the shapes in the order in which they lie there. Views are made when one is asked for."""
        self.flat, self._shapes = flat, shapes

    @cached_property
    def _unnamed(self) -> Tensor:
        size = sum(shape.numel() for shape in self._shapes.values())
        return torch.zeros_like(self.flat[:, size:])

    @cached_property
    def _views(self) -> dict[str, Tensor]:
        # Whoever asks first may want no gradients, and the next one may.
        with torch.set_grad_enabled(self.flat.requires_grad):
            return pieces(self.flat, self._shapes)

    @cached_property
    def constant(self) -> Mapping[str, Tensor]:
        """The same numbers where they lie, with no gradient to them."""
        return pieces(self.flat.detach(), self._shapes) if self.flat.requires_grad else self._views

    @cached_property
    def turned(self) -> Mapping[str, Tensor]:
        """The same with no gradient, as rows are multiplied by and added to: matrices turned, vectors as rows."""
        return {name: own.mT if own.ndim == MATRICES else own.unsqueeze(1) for name, own in self.constant.items()}

    def learning(self) -> Views:
        """Return the same numbers where they lie, with gradients to their rows."""
        found = Views(self.flat.detach().requires_grad_(), self._shapes)
        found.constant, found.turned, found._unnamed = self.constant, self.turned, self._unnamed
        return found

    def joined(self, found: Mapping[str, Tensor]) -> Tensor:
        """Join tensors by the same names and of the same shapes to rows, with zeros for what is not there."""
        parts = [
            found[name].flatten(1) if name in found else self.flat.new_zeros(len(self.flat), shape.numel())
            for name, shape in self._shapes.items()
        ]
        return torch.cat([*parts, self._unnamed], 1)

    def __getitem__(self, name: str) -> Tensor:
        """Return one of the network's parameters."""
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names, in their order."""
        return iter(self._shapes)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._shapes)


def pieces(flat: Tensor, shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """Return rows `(cells, size)`, or longer ones, piece by piece: each `(cells, *shape)`."""
    sizes = [shape.numel() for shape in shapes.values()]
    rows = torch.split_with_sizes(flat, [*sizes, flat.shape[1] - sum(sizes)], dim=1)
    return {name: piece.view(len(flat), *shape) for (name, shape), piece in zip(shapes.items(), rows, strict=False)}
