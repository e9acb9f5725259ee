"""The shapes a plugin has: what ganbench calls, and with which tensors.

Plugins are frozen dataclasses; nothing inherits from these classes, mypy and readers check against them. Built-in ones
import torch inside the functions that compute: `ganbench plan` and `ganbench list` read them without it.
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
    """What the two players minimise, from what D says of a batch to losses `(...)`: pure, over the last dimensions.

    D says logits `(..., batch)`, unless the class sets `critic`, with a field `features` that gives the size:
    - `critic = "vector"`: D says features `(..., batch, features)`, and the loss has a `witness`;
    - `critic = "autoencoder"`: D says `(..., batch, 1 + features)`, first the reconstruction error of each sample
      (its mean over the sample's numbers, by a field `error`: "squared" or "absolute"), then its code.

    A loss that compares the samples of a batch has `least_batch`, the smallest it can take. A class may set
    `needs_real = False` when L_G does not look at real samples (saves a forward pass), `equilibrium`, the value of L_D
    when real and fake cannot be told apart and D is constant, and `posterior(logits) -> Tensor`, the probability
    p / (p + q) that a logit stands for where D is at its best (ValueError where parameters give none). `family`,
    `divergence` (what it estimates or bounds) and `source` are columns of `ganbench list objectives`.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_D from what D says of real and fake samples."""

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """L_G from what D says of real and fake samples."""


@runtime_checkable
class Witness(Protocol):
    """A loss on features that gives each sample one number, which stands for its logit in penalties and traces."""

    def witness(self, features: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        """Return `(..., n)` for features `(..., n, size)`, given the features of the batch's real and fake samples."""


@runtime_checkable
class Remembering(Protocol):
    """A loss or penalty that carries numbers of each cell from one D step to the next.

    A loss that remembers is called as `discriminator(real, fake, memory)` and `generator(real, fake, memory)`, a
    penalty as `on_logits(real, fake, memory)`. The memory goes into checkpoints.
    """

    def start(self, like: Tensor) -> Memory:
        """Make the first memory: tensors of the shape, type and device of `like`, `(...)`."""

    def remember(self, memory: Memory, real: Tensor, fake: Tensor) -> Memory:
        """Return the memory after a D step that saw these, without gradient."""


class Noise(Protocol):
    """Random numbers of each cell's own `noise` stream, shaped `(cells, *shape)`."""

    def uniform(self, shape: Shape) -> Tensor:
        """Draw from U[0, 1)."""

    def normal(self, shape: Shape) -> Tensor:
        """Draw from N(0, 1)."""


Critic = Callable[["Tensor"], "Tensor"]
Parameters = Mapping[str, "Tensor"]
Memory = dict[str, "Tensor"]


@runtime_checkable
class Penalty(Protocol):
    """A term added to L_D, one value per cell.

    `critic` maps samples `(cells, batch, *shape)` to logits `(cells, batch)`. Fields named in
    `per_cell: ClassVar[tuple[str, ...]]` may differ between the cells of a cohort, and arrive as tensors `(cells,)` to
    be used after the mean over the batch. A field `every` makes it lazy: added at every n-th D step, times n.
    """

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return the penalty `(cells,)`."""


@runtime_checkable
class LogitPenalty(Protocol):
    """A term added to L_D that looks at the logits alone (and remembers: see Remembering)."""

    def on_logits(self, real: Tensor, fake: Tensor, memory: Memory) -> Tensor:
        """Return the penalty `(cells,)` from logits `(cells, batch)`."""


@runtime_checkable
class LatentPenalty(Protocol):
    """Terms added to L_D and L_G that compare samples of neighbouring latents."""

    def d_term(self, critic: Critic, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return D's term `(cells,)`; `generate` maps latents `(cells, batch, size)` to samples."""

    def g_term(self, generate: Critic, latents: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Return G's term `(cells,)`, differentiable in G through `generate` and `fake`."""


@runtime_checkable
class WeightPenalty(Protocol):
    """A term on a player's weights; the field `on` ("d", "g" or "both") says whose."""

    def of_weights(self, parameters: Parameters) -> Tensor:
        """Return the penalty `(cells,)` of parameters `(cells, *shape)`."""


@runtime_checkable
class JointPenalty(Protocol):
    """A term added to both players' losses that looks at both players' gradients (one network pass more each)."""

    def of_gradients(self, d_gradient: Tensor, g_gradient: Tensor) -> Tensor:
        """Return the penalty `(cells,)` of flat gradients `(cells, size)`, differentiable in them."""


@runtime_checkable
class Projection(Protocol):
    """A constraint kept by changing D's parameters after each D step (`per_cell` as in Penalty)."""

    def after_step(self, parameters: Tensor) -> None:
        """Change the flat parameters `(cells, size)` in place."""


@runtime_checkable
class Normalisation(Protocol):
    """A reparametrisation: the forward pass sees `normalised` parameters, the optimiser the raw ones.

    It is D's, unless a field `on` says "g" or "both".
    """

    def start(self, parameters: Parameters, noise: Noise) -> dict[str, Tensor]:
        """Make the state (power-iteration vectors, say) for parameters `(cells, *shape)`."""

    def advance(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the next state: called once before each of the player's steps, without gradient."""

    def normalised(self, parameters: Parameters, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the parameters that the network is to use, differentiable in the raw ones."""


@runtime_checkable
class View(Protocol):
    """A technique that changes what D sees, of real and of fake samples, in both players' steps.

    Optional: `input_shape(shape)` and `input_batch(batch_size)`, the shape and the number of what D sees where they
    differ from the samples'; `steady`, true where `step` changes nothing, so that a GPU may replay the step. Every
    technique may have `refusal(shape, batch_size, classes) -> str | None`, which says why it cannot be used there.
    """

    def seen(self, samples: Tensor, noise: Noise, step: int) -> Tensor:
        """Return what D sees of samples `(cells, batch, *shape)` after `step` G steps, differentiable in them."""


@runtime_checkable
class Selection(Protocol):
    """A technique that chooses which samples G learns from."""

    def kept(self, real: Tensor, fake: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Return what L_G sees of the logits `(cells, batch)`, after `step` G steps."""


@runtime_checkable
class Lookahead(Protocol):
    """A technique that lets G learn against the D of some steps ahead, through which its gradient flows."""

    @property
    def d_steps_ahead(self) -> int:
        """The number of D steps that G looks ahead."""


@runtime_checkable
class Conditioning(Protocol):
    """A technique that gives G a code beside its latent: a label, or what D is to read back from the sample.

    `needs_labels` says whether the dataset must have classes; G receives `[latent, code]` as one vector. A class
    that builds its D from an architecture's `vector_critic` sets `critic = "vector"`.
    """

    needs_labels: ClassVar[bool]

    def code_size(self, classes: int | None) -> int:
        """Return how many numbers a code has."""

    def codes(self, labels: Tensor | None, classes: int | None, batch: int, noise: Noise) -> Tensor:
        """Return codes `(cells, batch, size)`, from labels `(cells, batch)` where there are any."""

    def discriminator(self, architecture: Architecture, shape: Shape, classes: int | None) -> nn.Module:
        """Build D: a module of `(samples, codes)` that says `(batch, 1 + n)`, the logit and n auxiliary numbers."""

    def d_term(self, real: Tensor, fake: Tensor, codes: Tensor) -> Tensor:
        """Return D's further term `(...)` from auxiliary numbers `(..., batch, n)` of samples with these codes."""

    def g_term(self, fake: Tensor, codes: Tensor) -> Tensor:
        """Return G's further term `(...)` from auxiliary numbers `(..., batch, n)` of samples with these codes."""


class Architecture(Protocol):
    """Both networks for samples of one shape, as ordinary modules written with no thought of cohorts.

    Optional, for losses that ask for them: `vector_critic(shape, features)`, samples to features
    `(batch, features)`; `autoencoder(shape, features)`, samples to `(reconstruction, code)`. `restraints` are the
    Normalisations that its players need beside those of the objective. `zero_weights = True` says that some weights
    start as zeros, by whose norm nothing can be divided.
    """

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
    """Each sample's mode, and whether it is of high quality, `(n,)`; `weights` `(modes,)`, shares that sum to one."""

    nearest: NDArray[np.int64]
    high_quality: NDArray[np.bool_]
    weights: NDArray[np.float64]


class Dataset(Protocol):
    """A source of real samples.

    Optional: `modes(samples) -> Modes` and `centres` `(modes, d)`; `log_density(points)`, the natural logarithm of the
    true density, `(n, d)` to `(n,)`; `files(root)`, where its files lie; `channels_as: Part`, the labelled dataset
    whose pictures the channels are: its classifier then reads each, and `classes` counts every combination, the first
    channel's class leading. A dataset whose content is the user's own gives a `fingerprint(root) -> str`, which enters
    the cell's key; fields with `metadata={"in_key": False}` (paths) do not.
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

    `better` names every value that `compute` returns and whether lower or higher is better. `needs` lists what the
    evidence must hold: "features", "logits" (an extractor that classifies), "modes" (a dataset whose truth is known,
    or a classifier), "labels" (generators that are told a class), "density" (a dataset whose density is known),
    "points" or "images". Optional, by value: `titles` and `undefined` (why it may be missing); and
    `prepare(reference, samples)`, which computes what of the real side all scores share, before anything trains.
    """

    better: ClassVar[Mapping[str, Literal["lower", "higher"]]]
    needs: ClassVar[Sequence[str]]

    def compute(self, evidence: Evidence) -> dict[str, float]:
        """Return one float for each name in `better`."""
