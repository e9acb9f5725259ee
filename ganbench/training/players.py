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
from ganbench.training.straight import straightened
from ganbench.training.streams import generator
from ganbench.training.views import Views

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
        self._shapes = {name: parameter.shape for name, parameter in self.module.named_parameters()}
        self.size = sum(shape.numel() for shape in self._shapes.values())
        self._norms = [m for m in self.module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        for norm in self._norms:
            norm.track_running_stats = False
        on_cpu = device.type == "cpu"
        self._chains = {twice: lowered(self.module, on_cpu, twice) for twice in (False, True)}
        self._straight = straightened(self.module)

    def parameters(self, flat: Tensor) -> Views:
        """View flat parameters `(cells, size)`, or longer rows, as the network's own, each `(cells, *shape)`."""
        return Views(flat, self._shapes)

    def flat(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Join parameters `(cells, *shape)` to flat ones: the inverse of `parameters`."""
        return torch.cat([parameters[name].flatten(1) for name in self._shapes], dim=1)

    def __call__(
        self, parameters: Mapping[str, Tensor], *inputs: Tensor, buffers: Buffers | None = None, twice: bool = False
    ) -> Tensor:
        """Run every cell's network on its own inputs, each `(cells, batch, ...)`.

        `twice`: gradients are going to be differentiated again.
        """
        if len(inputs) == 1 and not twice and self._straight and self._straight.fits(parameters, inputs[0]):
            return self._straight(parameters, inputs[0])[0]
        chain = self._chains[twice]
        if chain is not None and len(inputs) == 1:
            return chain(parameters, inputs[0], buffers or {})

        def one(own: dict[str, Tensor], kept: dict[str, Tensor], batch: tuple[Tensor, ...]) -> Any:
            return functional_call(self.module, {**own, **kept}, batch)

        outputs: Tensor = vmap(one)(dict(parameters), dict(buffers or {}), inputs)
        return outputs

    def each(self, parameters: Mapping[str, Tensor], *batches: Tensor, twice: bool = False) -> tuple[Tensor, ...]:
        """Run every cell's network on each of some batches `(cells, batch, ...)` of its own, apart from each other."""
        same = len({batch.shape for batch in batches}) == 1
        if same and not twice and self._straight and self._straight.fits(parameters, batches[0]):
            return self._straight(parameters, *batches)
        return tuple(self(parameters, batch, twice=twice) for batch in batches)

    def gradient(self, parameters: Mapping[str, Tensor], samples: Tensor) -> Tensor | None:
        """Return the gradient of every cell's single output for each of its samples `(cells, batch, ...)`.

        It is differentiable in the parameters, and in nothing else. None where only autograd knows it.
        """
        straight = self._straight
        return straight.gradient(parameters, samples) if straight and straight.fits(parameters, samples) else None

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
