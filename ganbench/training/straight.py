"""Networks of linear layers and activations made of straight pieces, forward and backward by hand, for all cells.

Autograd goes through the same products one operation at a time, copies the gradients of weights to turn them round,
and adds and joins them after that. Here they are added within their products and joined once, what is held by nobody
else is overwritten, and every product is asked for in the orientation that is fast for its shape. A pass is
differentiated once, and so is the gradient for its inputs, of which gradient penalties are made; whatever else is
differentiated twice takes the layers one by one (`lowering`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from ganbench.training import bent, lowering
from ganbench.training.views import Views

FEW = 8  # columns: a product that gives fewer is up to six times faster turned round


@dataclass(frozen=True)
class Layer:
    """A linear layer, by the names of its weight and bias, and the slope of the leaky ReLU behind it (None: none)."""

    weight: str
    bias: str | None
    slope: float | None


class Straight:
    """Linear layers one behind another, for every cell at once, and what has no parameters before and behind them."""

    def __init__(
        self, layers: Sequence[Layer], first: Sequence[lowering.Layer], last: Sequence[lowering.Layer]
    ) -> None:
        """Take the layers, and what is done to inputs and outputs."""
        self._layers, self._first, self._last = layers, first, last

    def fits(self, parameters: Mapping[str, Tensor], inputs: Tensor) -> TypeGuard[Views]:
        """Whether it can be run on inputs `(cells, batch, ...)`: in full precision, and by the player's own weights."""
        whole = inputs.shape[1] % lowering.VECTOR == 0 and (inputs.ndim == 3 or bool(self._first))
        return whole and isinstance(parameters, Views) and not torch.is_autocast_enabled(inputs.device.type)

    def __call__(self, parameters: Views, *batches: Tensor) -> tuple[Tensor, ...]:
        """Run every cell's network on its own inputs, each of some batches `(cells, batch, ...)` of the same size."""
        rows = torch.cat(batches, 1) if len(batches) > 1 else batches[0]
        rows = _applied(self._first, rows)
        if torch.is_grad_enabled():
            outputs: Tensor = _Pass.apply(self._layers, parameters, len(batches), parameters.flat, rows)
        else:
            outputs = _passed(rows, self._layers, parameters)[-1]
        outputs = _applied(self._last, outputs)
        return outputs.chunk(len(batches), 1) if len(batches) > 1 else (outputs,)

    def gradient(self, parameters: Views, inputs: Tensor) -> Tensor | None:
        """Return the gradient of each output for its own inputs, differentiable in the parameters alone.

        None where an output is more than one number of the last layer.
        """
        *_, last = self._layers
        if self._last or last.slope is not None or parameters[last.weight].shape[1] > 1:
            return None
        found: Tensor = _Gradient.apply(self._layers, parameters, parameters.flat, _applied(self._first, inputs))
        return found.view_as(inputs)


def straightened(module: nn.Module) -> Straight | None:
    """Return a network as linear layers one behind another, or None where it is anything else."""
    layers = lowering.layers(module)
    first = list(itertools.takewhile(lambda named: isinstance(named[1], nn.Flatten), layers))
    found: list[Layer] = []
    last: list[tuple[str, nn.Module]] = []
    for name, layer in layers[len(first) :]:
        slope = bent.slope_of(layer)
        if isinstance(layer, nn.Linear) and not last:
            if layer.in_features * layer.out_features % lowering.VECTOR:
                return None
            found.append(Layer(f"{name}weight", None if layer.bias is None else f"{name}bias", None))
        elif slope is not None and found and found[-1].slope is None and not last:
            found[-1] = replace(found[-1], slope=slope)
        else:
            last.append((name, layer))
    if not found or any(isinstance(layer, (nn.Linear, *lowering.MAPS)) for _, layer in last):
        return None
    return Straight(found, *([lowering.rows(name, layer) for name, layer in part] for part in (first, last)))


def _applied(parts: Sequence[lowering.Layer], rows: Tensor) -> Tensor:
    for part in parts:
        rows = part({}, rows, {})
    return rows


def _passed(rows: Tensor, layers: Sequence[Layer], parameters: Views) -> list[Tensor]:
    """Return rows `(cells, n, k)`, and what comes out of every layer."""
    passed, turned = [rows], parameters.turned
    for layer in layers:
        outputs = lowering.product(passed[-1], turned[layer.weight], turned[layer.bias] if layer.bias else None)
        if layer.slope is not None:
            bent.bend(outputs, layer.slope)
        passed.append(outputs)
    return passed


class _Pass(torch.autograd.Function):
    """A pass of some parts of the same size; the gradient for the weights is summed part by part."""

    @staticmethod
    def forward(ctx: Any, layers: Sequence[Layer], parameters: Views, parts: int, flat: Tensor, rows: Tensor) -> Tensor:
        passed = _passed(rows, layers, parameters)
        ctx.layers, ctx.parameters, ctx.parts = layers, parameters, parts
        # The flat parameters are kept for autograd's own check that nobody changes them before the way back.
        ctx.save_for_backward(flat, *passed)
        return passed[-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        _once()
        _, *passed = ctx.saved_tensors
        *_, learning, wanted = ctx.needs_input_grad
        found: dict[str, Tensor] = {}
        for at in reversed(range(len(ctx.layers))):
            layer, fresh = ctx.layers[at], at < len(ctx.layers) - 1
            if layer.slope is not None:
                gradient = bent.of_inputs(gradient, passed[at + 1], layer.slope, fresh)
            if learning:
                found |= _of_layer(layer, _parts(ctx.parts, gradient, passed[at]))
            if at or wanted:
                gradient = _of_inputs(gradient, ctx.parameters.constant[layer.weight])
        joined = ctx.parameters.joined(found) if learning else None
        return None, None, None, joined, gradient if wanted else None


class _Gradient(torch.autograd.Function):
    """The gradient of single outputs for the inputs; pieces being straight, no bias has a part in its own."""

    @staticmethod
    def forward(ctx: Any, layers: Sequence[Layer], parameters: Views, flat: Tensor, rows: Tensor) -> Tensor:
        *inner, last = layers
        passed, weights = _passed(rows, inner, parameters)[1:], parameters.constant
        gradient = weights[last.weight].expand(*rows.shape[:2], -1)
        slopes: list[Tensor] = []
        for layer, outputs in zip(reversed(inner), reversed(passed), strict=True):
            if layer.slope is not None:
                gradient = bent.of_inputs(gradient, outputs, layer.slope, bool(slopes))
            slopes.append(gradient)
            # Not turned round for few columns: the last digits are autograd's, which knows other networks' gradients.
            weight = weights[layer.weight]
            gradient = gradient * weight if weight.shape[1] == 1 else torch.bmm(gradient, weight)
        ctx.layers, ctx.parameters = layers, parameters
        ctx.save_for_backward(flat, *passed, *reversed(slopes))
        return gradient if slopes else gradient.contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        _once()
        _, *kept = ctx.saved_tensors
        *inner, last = ctx.layers
        found: dict[str, Tensor] = {}
        for layer, outputs, slopes in zip(inner, kept[: len(inner)], kept[len(inner) :], strict=True):
            found[layer.weight] = _of_weight([(slopes, gradient)])
            gradient = lowering.product(gradient, ctx.parameters.turned[layer.weight], None)
            if layer.slope is not None:
                gradient = bent.of_inputs(gradient, outputs, layer.slope, True)
        found[last.weight] = gradient.sum(1, keepdim=True)
        return None, None, ctx.parameters.joined(found), None


def _once() -> None:
    if torch.is_grad_enabled():
        raise RuntimeError("this pass is differentiated once: run the player with twice=True")


def _parts(number: int, gradient: Tensor, rows: Tensor) -> list[tuple[Tensor, Tensor]]:
    if number == 1:
        return [(gradient, rows)]
    return list(zip(gradient.chunk(number, 1), rows.chunk(number, 1), strict=True))


def _of_layer(layer: Layer, parts: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return the gradients of a layer's weight and bias: sums over parts, of the outputs' gradient and the inputs."""
    found = {layer.weight: _of_weight(parts)}
    if layer.bias is not None:
        (first, _), *others = parts
        found[layer.bias] = first.sum(1)
        for gradient, _ in others:
            found[layer.bias].add_(gradient.sum(1))
    return found


def _of_weight(parts: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    (gradient, rows), *others = parts
    if gradient.shape[2] == 1:
        total = (gradient * rows).sum(1, keepdim=True)
        for slope, inputs in others:
            total.add_((slope * inputs).sum(1, keepdim=True))
        return total
    if rows.shape[2] < gradient.shape[2]:
        return _of_weight([(inputs, slope) for slope, inputs in parts]).mT
    total = torch.bmm(gradient.mT, rows)
    for slope, inputs in others:
        torch.baddbmm(total, slope.mT, inputs, out=total)
    return total


def _of_inputs(gradient: Tensor, weight: Tensor) -> Tensor:
    if weight.shape[1] == 1:
        return gradient * weight
    if weight.shape[2] < FEW:
        return torch.bmm(weight.mT.contiguous(), gradient.mT).mT
    return torch.bmm(gradient, weight)
