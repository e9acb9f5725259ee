"""The shapes a plugin has: what ganbench calls, and with which tensors.

Plugins are frozen dataclasses; nothing inherits from these classes, they are what mypy and readers check
against. Modules of built-in plugins import torch inside the functions that compute, because `ganbench plan`
and `ganbench list` read them without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, runtime_checkable

from annotated_types import Ge, Gt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ganbench.evaluation.evidence import Evidence

NonNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Count = Annotated[int, Gt(0)]
Shape = tuple[int, ...]
SplitName = Literal["train", "test"]


class Loss(Protocol):
    """What the two players minimise, from logits `(..., batch)` to losses `(...)`: pure, over the last dimension.

    A class may set `needs_real = False` when its generator's loss does not look at the logits of real samples
    (saves a forward pass), and `equilibrium`, the value of L_D when real and fake cannot be told apart.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from the logits of real and fake samples."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from the logits of real and fake samples."""


class Noise(Protocol):
    """Random numbers of each cell's own `noise` stream, shaped `(cells, *shape)`."""

    def uniform(self, shape: Shape) -> Tensor:
        """Draw from U[0, 1)."""

    def normal(self, shape: Shape) -> Tensor:
        """Draw from N(0, 1)."""


Critic = Callable[["Tensor"], "Tensor"]
Parameters = Mapping[str, "Tensor"]


@runtime_checkable
class Penalty(Protocol):
    """A term added to L_D, one value per cell.

    `critic` maps images `(cells, batch, *shape)` to logits `(cells, batch)`. Fields named in
    `per_cell: ClassVar[tuple[str, ...]]` may differ between the cells of a cohort: there they arrive as tensors
    `(cells,)` and may be used only after the mean over the batch.
    """

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return the penalty `(cells,)`."""


@runtime_checkable
class Projection(Protocol):
    """A constraint kept by changing D's parameters after each D step (`per_cell` as in Penalty)."""

    def after_step(self, parameters: Tensor) -> None:
        """Change the flat parameters `(cells, size)` in place."""


@runtime_checkable
class Normalisation(Protocol):
    """A reparametrisation of D: the forward pass sees `normalised` parameters, the optimiser the raw ones."""

    def start(self, parameters: Parameters, noise: Noise) -> dict[str, Tensor]:
        """Make the state (power-iteration vectors, say) for parameters `(cells, *shape)`."""

    def advance(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the next state: called once before each D step, without gradient."""

    def normalised(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters that the network is to use, differentiable in the raw ones."""


class Architecture(Protocol):
    """Both networks for samples of one shape, as ordinary modules written with no thought of cohorts."""

    def supports(self, shape: Shape) -> str | None:
        """Return None when the shape can be built, else why not."""

    def generator(self, shape: Shape, latent_size: int) -> nn.Module:
        """Build G: latents `(batch, latent_size)` to samples `(batch, *shape)`, images in [-1, 1]."""

    def discriminator(self, shape: Shape) -> nn.Module:
        """Build D: samples `(batch, *shape)` to logits `(batch,)` or `(batch, 1)`, never a sigmoid."""


@dataclass(frozen=True)
class Split:
    """The samples of one split: uint8 NCHW images or float32 `(n, d)` points, with int64 labels where known."""

    samples: NDArray[np.uint8] | NDArray[np.float32]
    labels: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Modes:
    """Which mode each sample belongs to and whether it is of high quality, both `(n,)`; `weights` are the truth's."""

    nearest: NDArray[np.int64]
    high_quality: NDArray[np.bool_]
    weights: NDArray[np.float64]


class Dataset(Protocol):
    """A source of real samples. Optional: `modes(samples) -> Modes`, `centres`, `fingerprint(root) -> str`.

    A dataset whose content is the user's own gives a `fingerprint`, which enters the cell's key; fields with
    `metadata={"in_key": False}` (paths) do not.
    """

    @property
    def shape(self) -> Shape:
        """`(channels, side, side)` of an image, or `(dimensions,)` of a point."""

    @property
    def classes(self) -> int | None:
        """The number of classes that labels tell apart; None without labels."""

    def missing(self, root: Path) -> str | None:
        """Say what `prepare` would have to fetch (and how much), or None when all is there."""

    def prepare(self, root: Path) -> None:
        """Fetch what is missing under `root`: the only place that may download."""

    def load(self, root: Path, split: SplitName) -> Split:
        """Read one split, always in the same order; FileNotFoundError says what is missing."""


class Metric(Protocol):
    """Scores of one set of samples against the real ones.

    `better` names every value that `compute` returns and whether lower or higher is better. `needs` lists what
    the evidence must hold: "features", "logits" (an extractor that classifies), "modes" (a dataset whose truth
    is known, or a classifier).
    """

    better: ClassVar[Mapping[str, Literal["lower", "higher"]]]
    needs: ClassVar[Sequence[str]]

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return one float for each name in `better`."""
