"""A player: one network of every cell, as one matrix of parameters and one forward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector

from ganbench.training.lowering import lowered
from ganbench.training.streams import generator

Buffers = Mapping[str, Tensor]


# Rows of flat parameters end in zeros, so that every row has whole vectors of the CPU: the elements of an incomplete
# one go another way through a fused kernel, and a cell's last digits would depend on its place.
WHOLE = 64


class Player:
    """The same network for every cell, without its parameters: those come flat, `(cells, size)`.

    `size` is the number of parameters of one cell's network.

    The network is written with no thought of cohorts; batch normalisation uses the statistics of the batch while
    training, and standing statistics, collected on purpose, when samples are scored.
    """

    def __init__(self, module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        """Take the module as the template of all cells' networks."""
        self.module = copy.deepcopy(module).to(device, dtype).train()
        self._names = [name for name, _ in self.module.named_parameters()]
        self._shapes = [parameter.shape for parameter in self.module.parameters()]
        self._sizes = [shape.numel() for shape in self._shapes]
        self.size = sum(self._sizes)
        self._norms = [m for m in self.module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        for norm in self._norms:
            norm.track_running_stats = False
        self._chain = lowered(self.module, device.type == "cpu")

    def parameters(self, flat: Tensor) -> dict[str, Tensor]:
        """View flat parameters `(cells, size)`, or longer rows, as the network's own, each `(cells, *shape)`."""
        cells, length = flat.shape
        pieces = torch.split_with_sizes(flat, [*self._sizes, length - self.size], dim=1)
        named = zip(self._names, pieces, self._shapes, strict=False)
        return {name: piece.view(cells, *shape) for name, piece, shape in named}

    def flat(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Join parameters `(cells, *shape)` to flat ones: the inverse of `parameters`."""
        return torch.cat([parameters[name].flatten(1) for name in self._names], dim=1)

    def __call__(self, parameters: Mapping[str, Tensor], *inputs: Tensor, buffers: Buffers | None = None) -> Tensor:
        """Run every cell's network on its own inputs, each `(cells, batch, ...)`."""
        if self._chain is not None and len(inputs) == 1:
            return self._chain(parameters, inputs[0], buffers or {})

        def one(own: dict[str, Tensor], kept: dict[str, Tensor], batch: tuple[Tensor, ...]) -> Any:
            return functional_call(self.module, {**own, **kept}, batch)

        outputs: Tensor = vmap(one)(dict(parameters), dict(buffers or {}), inputs)
        return outputs

    def standing_statistics(self, parameters: Mapping[str, Tensor], batches: Sequence[Tensor]) -> dict[str, Tensor]:
        """Average batch-norm statistics over batches of inputs `(cells, batch, ...)`; empty without batch norm."""
        if not self._norms:
            return {}
        cells = len(batches[0])
        buffers = {name: buffer.expand(cells, *buffer.shape).clone() for name, buffer in self.module.named_buffers()}
        with self._tracking():
            for count, batch in enumerate(batches, start=1):
                for norm in self._norms:
                    norm.momentum = 1 / count
                self(parameters, batch, buffers=buffers)
        return buffers

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Use standing statistics instead of the batch's own."""
        self.module.eval()
        try:
            with self._tracking():
                yield
        finally:
            self.module.train()

    @contextmanager
    def _tracking(self) -> Iterator[None]:
        for norm in self._norms:
            norm.track_running_stats = True
        try:
            yield
        finally:
            for norm in self._norms:
                norm.track_running_stats = False


def start(
    build: Callable[[], tuple[nn.Module, nn.Module]],
    seeds: Sequence[int],
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[tuple[Player, Tensor], tuple[Player, Tensor]]:
    """Build G and D of every cell from its `init` stream: two players with their flat parameters.

    A row `(size,)` per cell, lengthened by zeros to a multiple of 64.
    """
    built: dict[int, tuple[nn.Module, nn.Module]] = {}
    with torch.random.fork_rng(devices=[]):
        for seed in dict.fromkeys(seeds):
            torch.manual_seed(generator(seed, "init").initial_seed())
            built[seed] = build()
    players = []
    for which in (0, 1):
        rows = [parameters_to_vector(built[seed][which].parameters()).detach() for seed in seeds]
        flat = nn.functional.pad(torch.stack(rows).to(device, dtype), (0, -len(rows[0]) % WHOLE))
        players.append((Player(built[seeds[0]][which], device, dtype), flat))
    return players[0], players[1]
