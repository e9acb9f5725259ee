"""D's gradient with respect to its input: what every gradient penalty is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.plugins import Critic

# Inside roots and powers of the norm, so that their gradient is 0 and not NaN where D is flat; too small to be
# seen elsewhere.
EPSILON = 1e-12


def squared_gradient_norm(critic: Critic, samples: Tensor) -> Tensor:
    """Return ||grad D||^2 at each of the samples, `(cells, batch)`, differentiable in D's parameters.

    The norm is each sample's own: one norm over a whole batch would grow with the batch size. It is differentiable
    in the samples too where they come with a graph, as G's do when G looks ahead or at both players' gradients.
    A critic that knows its gradient is asked for it, which takes less time than autograd.
    """
    known = getattr(critic, "gradient", None)
    gradient: Tensor | None = None if known is None else known(samples)
    if gradient is None:
        gradient = _by_autograd(critic, samples)
    return gradient.flatten(2).square().sum(-1)


def _by_autograd(critic: Critic, samples: Tensor) -> Tensor:
    import torch

    # A node of its own: what else was computed from the samples (a witness's features) is no function of this one.
    samples = samples.view_as(samples) if samples.requires_grad else samples.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(samples).sum(), samples, create_graph=True)
    return gradient
