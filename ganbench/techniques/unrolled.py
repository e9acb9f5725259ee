"""Unrolled GAN: G learns against the D that would answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ganbench.plugins import Count
from ganbench.techniques import register


@register("unrolled")
@dataclass(frozen=True)
class Unrolled:
    """Unrolled GAN (Metz et al. 2017, arXiv:1611.02163).

    G minimises L_G(theta_G, theta_D^K),  theta_D^0 = theta_D,  theta_D^(k+1) = step(theta_D^k, grad_D L_D),
    K = d_steps_ahead, and its gradient flows through all K steps into the samples that they saw

    The steps are those of D's own optimiser on G's batch; afterwards D is put back, and makes its own steps. The
    paper takes 1 to 10 steps, and 5 for images. Time and memory of a G step grow with K.
    """

    d_steps_ahead: Count = 5

    version: ClassVar[int] = 1
