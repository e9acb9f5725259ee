"""The vision transformer of DINOv2, for its published weights: their names and shapes are its module tree."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 14
GRID = 37  # patches per side of the 518-pixel images whose positions the weights hold
EPSILON = 1e-6
# width, blocks, heads
SIZES = {"vit-s-14": (384, 12, 6), "vit-b-14": (768, 12, 12), "vit-l-14": (1024, 24, 16)}


class VisionTransformer(nn.Module):
    """Patches of 14 pixels to one class token, after pre-norm blocks whose branches are scaled by channel.

    Equations: Dosovitskiy et al. 2021 (arXiv:2010.11929); scaled branches: Touvron et al. 2021 (arXiv:2103.17239).
    """

    def __init__(self, width: int, blocks: int, heads: int) -> None:
        """Build with random weights; `heads` divides `width`."""
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of the training; the published file has it
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + GRID * GRID, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, PATCH)})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images `(n, 3, h, w)`, whose sides are multiples of 14, to `(n, width)`."""
        patches = self.patch_embed["proj"](images)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches.flatten(2).mT], dim=1)
        tokens = tokens + self._positions(patches.shape[2], patches.shape[3])
        for block in self.blocks:
            tokens = block(tokens)
        normalised: Tensor = self.norm(tokens[:, 0])
        return normalised

    def _positions(self, rows: int, columns: int) -> Tensor:
        """Stretch the positions to another grid, cubically.

        The tenth of a patch is how the network was published and scored: the scale is (n + 0.1) / 37, not n / 37.
        """
        if (rows, columns) == (GRID, GRID):
            return self.pos_embed
        grid = self.pos_embed[:, 1:].mT.reshape(1, -1, GRID, GRID)
        scale = [(side + 0.1) / GRID for side in (rows, columns)]
        stretched = functional.interpolate(grid, scale_factor=scale, mode="bicubic")
        return torch.cat([self.pos_embed[:, :1], stretched.flatten(2).mT], dim=1)


class Block(nn.Module):
    """x + s1 * attention(norm(x)), then x + s2 * perceptron(norm(x))."""

    def __init__(self, width: int, heads: int) -> None:
        """Build for tokens `(n, tokens, width)`."""
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("fc2", nn.Linear(4 * width, width))
        self.ls1 = nn.ParameterDict({"gamma": nn.Parameter(torch.ones(width))})
        self.ls2 = nn.ParameterDict({"gamma": nn.Parameter(torch.ones(width))})

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `(n, tokens, width)` to tokens of the same shape."""
        tokens = tokens + self.ls1["gamma"] * self.attn(self.norm1(tokens))
        changed: Tensor = tokens + self.ls2["gamma"] * self.mlp(self.norm2(tokens))
        return changed


class Attention(nn.Module):
    """Every token looks at every other, in several heads."""

    def __init__(self, width: int, heads: int) -> None:
        """Build for tokens `(n, tokens, width)`."""
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens `(n, tokens, width)` to tokens of the same shape."""
        query, key, value = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        alike = (query / math.sqrt(query.shape[-1])) @ key.mT
        mixed: Tensor = self.proj((alike.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))
        return mixed
