"""ReLU and leaky ReLU, whose second derivative is zero: gradients, and activations that know it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def slope_of(layer: nn.Module) -> float | None:
    """Return the slope below zero of an activation made of two straight pieces that rises, 0 for a ReLU, else None."""
    if isinstance(layer, nn.LeakyReLU):
        return layer.negative_slope if layer.negative_slope > 0 else None
    return 0.0 if isinstance(layer, nn.ReLU) else None


def bend(inputs: Tensor, slope: float) -> Tensor:
    """Apply a leaky ReLU over its inputs."""
    return torch.relu_(inputs) if slope == 0 else functional.leaky_relu_(inputs, slope)


def of_inputs(gradient: Tensor, outputs: Tensor, slope: float, fresh: bool) -> Tensor:
    """Turn the gradient of an activation's outputs, over itself where it is `fresh`, into that of its inputs."""
    into = gradient if fresh else torch.empty_like(gradient)
    if slope == 0:
        found: Tensor = torch.ops.aten.threshold_backward.grad_input(gradient, outputs, 0.0, grad_input=into)
    else:
        found = torch.ops.aten.leaky_relu_backward.grad_input(gradient, outputs, slope, True, grad_input=into)
    return found


class Bent(torch.autograd.Function):
    """A leaky ReLU that knows, unlike torch's, that its second derivative is zero.

    Where a gradient is differentiated again, torch carries zeros back through the whole network that made the inputs.
    """

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, slope: float) -> Tensor:
        """Apply the activation."""
        outputs = torch.relu(inputs) if slope == 0 else functional.leaky_relu(inputs, slope)
        ctx.slope = slope
        ctx.save_for_backward(outputs)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None]:
        """Return the gradient of the inputs, differentiable in that of the outputs."""
        if gradient is None:
            return None, None
        return _Slope.apply(gradient, *ctx.saved_tensors, ctx.slope), None


class _Slope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, outputs: Tensor, slope: float) -> Tensor:
        ctx.slope = slope
        ctx.save_for_backward(outputs)
        ctx.set_materialize_grads(False)
        return of_inputs(gradient, outputs, slope, False)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None, None]:
        if gradient is None:
            return None, None, None
        return _Slope.apply(gradient, *ctx.saved_tensors, ctx.slope), None, None
