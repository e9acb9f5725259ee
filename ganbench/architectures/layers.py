"""Layers by the names that suites give them, and what image architectures have to say in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from ganbench.plugins import Normalisation, Shape

if TYPE_CHECKING:
    from torch import nn

Norm = Literal["none", "batch", "layer", "instance", "spectral"]
RowNorm = Literal["none", "batch", "layer", "spectral"]
Activation = Literal["relu", "leaky_relu", "elu", "silu", "gelu", "tanh"]


def map_norm(name: Norm, channels: int) -> list[nn.Module]:
    """Return the layer that normalises maps `(batch, channels, h, w)`, if any: spectral is about weights.

    "layer" is over channels and pixels, with a scale and a shift for each channel.
    """
    from torch import nn

    if name == "batch":
        return [nn.BatchNorm2d(channels)]
    if name == "instance":
        return [nn.InstanceNorm2d(channels, affine=True)]
    return [nn.GroupNorm(1, channels)] if name == "layer" else []


def row_norm(name: Norm, size: int) -> list[nn.Module]:
    """Return the layer that normalises rows `(batch, size)`, if any: one number per channel has no instance norm."""
    from torch import nn

    if name == "batch":
        return [nn.BatchNorm1d(size)]
    return [nn.GroupNorm(1, size)] if name == "layer" else []


def biased(name: Norm) -> bool:
    """Whether a layer before this norm needs a bias: norm layers have a shift of their own."""
    return name in ("none", "spectral")


def activation(name: Activation, slope: float = 0.2) -> nn.Module:
    """Return an activation; `slope` is that of the leaky ReLU."""
    from torch import nn

    if name == "leaky_relu":
        return nn.LeakyReLU(slope) if slope else nn.ReLU()
    kinds = {"relu": nn.ReLU, "elu": nn.ELU, "silu": nn.SiLU, "gelu": nn.GELU, "tanh": nn.Tanh}
    made: nn.Module = kinds[name]()
    return made


def spectral_restraints(g_norm: str, d_norm: str) -> tuple[Normalisation, ...]:
    """Return the spectral norms that an architecture needs: its parameters are shared over a cohort, as they are."""
    from ganbench.penalties.spectral_norm import SpectralNorm

    players: tuple[tuple[Literal["g", "d"], str], ...] = (("d", d_norm), ("g", g_norm))
    return tuple(SpectralNorm(on=player) for player, norm in players if norm == "spectral")


def why_not(name: str, shape: Shape, sides: Iterable[int]) -> str | None:
    """Say why an architecture for square images of these sides does not make samples of `shape`, or None."""
    if len(shape) != 3:
        return f"{name} makes images (channels, side, side), not samples of shape {shape}; try mlp"
    channels, height, width = shape
    if height != width:
        return f"{name} makes square images, not {height} x {width}; try mlp, or crop"
    if height not in (allowed := list(sides)):
        return f"{name} makes images of side {', '.join(map(str, allowed))}, not {height}; try mlp, or resize"
    return None if channels > 0 else "an image needs at least one channel"


def halved(side: int, base: int = 7) -> int:
    """Halve `side` to `base` or less, and at least twice, as far as it is even."""
    halvings = 0
    while side % 2 == 0 and (side > base or halvings < 2):
        side, halvings = side // 2, halvings + 1
    return side
