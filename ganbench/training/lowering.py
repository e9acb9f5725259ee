"""Networks of torch's own layers, run for all cells at once without vmap: fewer launches, the same functions.

A chain of known layers is run on batched products where layers are linear, and on maps where they are convolutional,
residual connections among them. Everything else is left to vmap. A cell gets the same float32 bits on a CPU whatever
the number of cells and its place among them: convolutions run in groups of a fixed number of cells, and no product has
a single column or matrices at odd addresses, which other kernels would compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganbench.architectures.residual import Residual
from ganbench.training import bent

Parameters = Mapping[str, Tensor]
Layer = Callable[[Parameters, Tensor, Parameters], Tensor]

POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.SiLU, nn.GELU, nn.ELU, nn.Softplus, nn.Identity)
CHANNELWISE = (nn.AvgPool2d, nn.MaxPool2d, nn.Upsample)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
MAPS = (nn.Conv2d, nn.ConvTranspose2d, *BATCH_NORMS, nn.InstanceNorm2d, nn.GroupNorm, *CHANNELWISE, Residual)
ROWS = (nn.Linear, nn.Flatten, nn.Unflatten)
KNOWN = (*POINTWISE, *MAPS, *ROWS)

# Narrow convolutions cost their launches: four cells in one grouped convolution take the time of two alone. The number
# is fixed because another number of groups may run another kernel.
GROUP = 4
NARROW = 32  # channels
VECTOR = 4  # numbers


class Chain:
    """Layers one after another, for every cell: parameters `(cells, *shape)`, inputs `(cells, batch, ...)`."""

    def __init__(self, layers: Iterable[tuple[str, nn.Module]], group: int | None, twice: bool) -> None:
        """Take the layers with the names that their parameters go by, and how many cells make a group (None: all).

        `twice`: gradients are going to be differentiated again.
        """
        self._group, self._twice = group, twice
        self._parts: list[Layer] = []
        run: list[tuple[str, nn.Module]] = []
        fresh = False  # whether the layer before has no need of its own output
        for name, layer in layers:
            if isinstance(layer, MAPS) or (run and isinstance(layer, POINTWISE)):
                run.append((name, layer))
                continue
            self._close(run)
            run = []
            self._parts.append(rows(name, layer, fresh, self._twice))
            fresh = isinstance(layer, nn.Linear)
        self._close(run)

    def _close(self, run: Sequence[tuple[str, nn.Module]]) -> None:
        if run:
            self._parts.append(_Maps(run, self._group, self._twice))

    def __call__(self, parameters: Parameters, inputs: Tensor, buffers: Parameters) -> Tensor:
        """Run every cell's network on its own inputs."""
        for part in self._parts:
            inputs = part(parameters, inputs, buffers)
        return inputs


def lowered(module: nn.Module, on_cpu: bool = True, twice: bool = False) -> Chain | None:
    """Return a network as a chain of known layers, or None where it holds anything else.

    `twice`: for gradients that are going to be differentiated again.
    """
    known = layers(module)
    return Chain(known, _group(module.modules()) if on_cpu else None, twice) if known else None


def layers(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return a network's layers, with the names that their parameters go by; none where one is not known."""
    found = list(_flattened(module, ""))
    return found if all(_plain(layer) for _, layer in found) else []


def _flattened(module: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if type(module) is not nn.Sequential:
        yield name, module
        return
    for child, layer in module.named_children():
        yield from _flattened(layer, f"{name}{child}.")


def _plain(layer: nn.Module) -> bool:
    """Whether a layer is exactly one of the known ones, and nothing has been hung onto it."""
    if type(layer) not in KNOWN or layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks:
        return False
    if isinstance(layer, Residual):
        inner = [found for branch in layer.children() for _, found in _flattened(branch, "")]
        return all(_plain(found) and isinstance(found, (*MAPS, *POINTWISE)) for found in inner)
    if any(True for _ in layer.children()):
        return False
    if isinstance(layer, nn.Flatten):
        return (layer.start_dim, layer.end_dim) == (1, -1)
    if isinstance(layer, nn.Unflatten):
        return layer.dim == 1
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return not (isinstance(layer, nn.InstanceNorm2d) and layer.track_running_stats)


def _group(layers: Iterable[nn.Module]) -> int:
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    widest = max((max(layer.in_channels, layer.out_channels) for layer in convolutions), default=0)
    return GROUP if widest <= NARROW else 1


def rows(name: str, layer: nn.Module, fresh: bool = False, twice: bool = False) -> Layer:
    """Return a layer on `(cells, batch, ...)`; an activation may overwrite `fresh` inputs."""
    if isinstance(layer, nn.Linear):
        return lambda parameters, inputs, _: _linear(inputs, parameters[f"{name}weight"], parameters.get(f"{name}bias"))
    if isinstance(layer, nn.Flatten):
        return lambda _, inputs, __: inputs.flatten(2)
    if isinstance(layer, nn.Unflatten):
        sizes = tuple(int(size) for size in layer.unflattened_size)
        return lambda _, inputs, __: inputs.reshape(*inputs.shape[:2], *sizes, *inputs.shape[3:])
    forward = _activation(layer, fresh, twice)
    return lambda _, inputs, __: forward(inputs)


def _activation(layer: nn.Module, fresh: bool, twice: bool) -> Callable[[Tensor], Tensor]:
    """Return a layer without parameters, which may write over `fresh` inputs where outputs are enough for gradients."""
    slope = bent.slope_of(layer)
    if slope is not None and twice:
        return lambda inputs: bent.Bent.apply(inputs, slope)
    if slope is not None and fresh:
        return lambda inputs: bent.bend(inputs, slope)
    return layer.forward


def _linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    rows = inputs if inputs.ndim == 3 else inputs.flatten(1, -2)
    found = product(rows, weight.mT, None if bias is None else bias.unsqueeze(1))
    return found if inputs.ndim == 3 else found.reshape(*inputs.shape[:-1], found.shape[-1])


def product(rows: Tensor, turned: Tensor, bias: Tensor | None) -> Tensor:
    """Multiply `(cells, n, k)` by `(cells, k, m)` and add `(cells, 1, m)`.

    The kernel may depend on where in memory a cell's matrices begin, so they all begin at whole vectors: where n or
    k m is no multiple of four, zeros are added.
    """
    n, k, m = *rows.shape[1:], turned.shape[2]
    if m == 1:
        # One column by elements: as a product other kernels compute it, which may give other bits to a lone cell, and
        # its gradients are two to three times slower.
        column = (rows * turned.mT).sum(-1, keepdim=True)
        return column if bias is None else column.add_(bias)
    more_n, more_k = -n % VECTOR, -k % VECTOR if k * m % VECTOR else 0
    if more_n or more_k:
        padded = functional.pad(rows, (0, more_k, 0, more_n))
        return product(padded, functional.pad(turned, (0, 0, 0, more_k)), bias)[:, :n]
    return torch.bmm(rows, turned) if bias is None else torch.baddbmm(bias, rows, turned)


class _Maps:
    """Layers on pictures, a group of cells at a time: their channels side by side, `(batch, group x channels, h, w)`.

    A lone cell's channels come last in memory, where convolutions are faster.
    """

    def __init__(self, layers: Sequence[tuple[str, nn.Module]], group: int | None, twice: bool) -> None:
        """Take the layers, how many cells make a group (None: all), and whether gradients are differentiated again."""
        self._layers, self._group, self._twice = layers, group, twice

    def __call__(self, parameters: Parameters, inputs: Tensor, buffers: Parameters) -> Tensor:
        cells = len(inputs)
        group = self._group or cells
        missing = -cells % group
        names = [f"{name}{own}" for name, layer in self._layers for own, _ in layer.named_parameters()]
        filled = {name: torch.split(_filled(parameters[name], missing), group) for name in names}
        outputs = []
        for place, maps in enumerate(torch.split(_filled(inputs, missing), group)):
            maps = _side_by_side(maps)
            own = {name: parts[place].flatten(0, 1) for name, parts in filled.items()}
            rows = slice(place * group, (place + 1) * group)
            kept = {name: buffer[rows] for name, buffer in buffers.items()}
            maps = self._through(self._layers, own, maps, group, kept)
            if maps.requires_grad and not self._twice and maps.is_contiguous(memory_format=torch.channels_last):
                maps.register_hook(_channels_last)  # type: ignore[no-untyped-call]
            outputs.append(maps.reshape(len(maps), group, -1, *maps.shape[2:]).transpose(0, 1))
        return torch.cat(outputs)[:cells] if len(outputs) > 1 or missing else outputs[0]

    def _through(
        self, layers: Iterable[tuple[str, nn.Module]], own: Parameters, maps: Tensor, group: int, kept: Parameters
    ) -> Tensor:
        """Apply layers to the maps of a group of cells, which they leave as they are."""
        fresh = False  # whether nothing has need of these maps but the next layer
        for name, layer in layers:
            maps = self._mapped(layer, name, own, maps, group, kept, fresh)
            fresh = isinstance(layer, MAPS)
        return maps

    def _mapped(
        self, layer: nn.Module, name: str, own: Parameters, maps: Tensor, group: int, kept: Parameters, fresh: bool
    ) -> Tensor:
        """Apply one layer to the maps of a group of cells; an activation may overwrite `fresh` ones."""
        weight, bias = own.get(f"{name}weight"), own.get(f"{name}bias")
        if isinstance(layer, Residual):
            branches = (_flattened(getattr(layer, which), f"{name}{which}.") for which in ("skip", "main"))
            skipped, changed = (self._through(branch, own, maps, group, kept) for branch in branches)
            return skipped + changed
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            return _convolved(layer, maps, own[f"{name}weight"], bias, group)
        if isinstance(layer, nn.InstanceNorm2d):
            return functional.instance_norm(maps, None, None, weight, bias, eps=layer.eps)
        if isinstance(layer, nn.GroupNorm):
            return functional.group_norm(maps, group * layer.num_groups, weight, bias, layer.eps)
        if isinstance(layer, BATCH_NORMS):
            return _batch_norm(layer, name, maps, weight, bias, group, kept)
        activated: Tensor = _activation(layer, fresh, self._twice)(maps)
        return activated


def _filled(values: Tensor, missing: int) -> Tensor:
    """Repeat the last cell until the last group is full."""
    return torch.cat([values, values[-1:].expand(missing, *values.shape[1:])]) if missing else values


def _channels_last(gradient: Tensor) -> Tensor:
    """Lay a gradient out as maps are that go through channels last: mixed layouts take five times as long."""
    return gradient.contiguous(memory_format=torch.channels_last)


def _side_by_side(maps: Tensor) -> Tensor:
    """Turn `(group, batch, channels, ...)` into `(batch, group x channels, ...)`."""
    if len(maps) == 1 and maps.ndim == 5:
        return maps[0].contiguous(memory_format=torch.channels_last)
    return maps.transpose(0, 1).flatten(1, 2).contiguous()


def _convolved(
    layer: nn.Conv2d | nn.ConvTranspose2d, maps: Tensor, weight: Tensor, bias: Tensor | None, group: int
) -> Tensor:
    padding = tuple(int(side) for side in layer.padding)
    groups = group * layer.groups
    if isinstance(layer, nn.Conv2d):
        return functional.conv2d(maps, weight, bias, layer.stride, padding, layer.dilation, groups)
    output = tuple(int(side) for side in layer.output_padding)
    return functional.conv_transpose2d(maps, weight, bias, layer.stride, padding, output, groups, layer.dilation)


def _batch_norm(
    layer: nn.BatchNorm1d | nn.BatchNorm2d,
    name: str,
    maps: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    group: int,
    kept: Parameters,
) -> Tensor:
    """Normalise by the batch's own statistics, or collect or use the cells' standing ones."""
    if not layer.track_running_stats:
        return functional.batch_norm(maps, None, None, weight, bias, True, 0.0, layer.eps)
    standing = [kept[f"{name}{which}"] for which in ("running_mean", "running_var")]
    mean, variance = (_filled(buffer, group - len(buffer)).flatten() for buffer in standing)
    momentum = 0.1 if layer.momentum is None else layer.momentum
    normalised = functional.batch_norm(maps, mean, variance, weight, bias, layer.training, momentum, layer.eps)
    if layer.training:
        for buffer, seen in zip(standing, (mean, variance), strict=True):
            buffer.copy_(seen.view(group, -1)[: len(buffer)])
    return normalised
