"""D's gradient with respect to its input: what every gradient penalty is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic


def squared_gradient_norm(critic: Critic, samples: Tensor) -> Tensor:
    """Return ||grad D||^2 at each of the samples, `(cells, batch)`, differentiable in D's parameters.

    The norm is each sample's own: one norm over a whole batch would grow with the batch size.
    """
    import torch

    samples = samples.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(samples).sum(), samples, create_graph=True)
    return gradient.flatten(2).square().sum(-1)
